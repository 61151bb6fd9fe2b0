"""The link to one node: commands with a time limit and our errors; events to the session they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from sfu.client import NodeClient, NodeCommandError, NodeLostError
from sfu.control.messages import (
    Command,
    ConsumerClosed,
    ConsumerPaused,
    ConsumerResumed,
    ConsumerScored,
    DataDropped,
    DataForwarded,
    Event,
    LayerChanged,
    LayersWanted,
    NodeLoad,
    OfferReady,
    PipeStateChanged,
    ProducerClosed,
    ProducerLimited,
    ProducerScored,
    Reply,
    SpeakersChanged,
    TransportStateChanged,
)
from signaling.errors import (
    InvalidInputError,
    MediaUnavailableError,
    NotFoundError,
    SignalingError,
    StateError,
    UnsupportedError,
)

log = structlog.get_logger(__name__)

COMMAND_TIMEOUT: Final = 10.0
"""Seconds after which a node that does not answer counts as unable to."""

_CLIENTS_FAULT: Final = frozenset({"bad_sdp", "parse_error"})
_FIELD: Final = {"handle_offer": "offer", "handle_answer": "answer", "handle_candidate": "candidate"}
"""Command -> the field of the client's request that went into it."""


class EventSink(Protocol):
    """One session's end of the link."""

    def handle_event(self, event: Event) -> None: ...
    def handle_lost(self) -> None: ...


class NodeLink:
    """Wraps a `NodeClient`. Objects of the node are registered with the sink that hears of them."""

    def __init__(self, client: NodeClient, on_load: Callable[[NodeLoad], None]) -> None:
        self._client = client
        self._on_load = on_load
        self._sinks: dict[str, EventSink] = {}
        self.lost = False
        client.on_event(self._handle_event)

    @property
    def node_id(self) -> str:
        return self._client.node_id

    @property
    def registered(self) -> int:
        """How many objects of the node are listened to."""
        return len(self._sinks)

    def register(self, object_id: str, sink: EventSink) -> None:
        self._sinks[object_id] = sink

    def forget(self, object_id: str) -> None:
        self._sinks.pop(object_id, None)

    async def request(self, command: Command) -> Reply:
        """Raises `MediaUnavailableError`, or what the client did wrong as `InvalidInputError`."""
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                return await self._client.request(command)
        except NodeCommandError as error:
            raise _as_ours(error, command) from error
        except NodeLostError as error:
            raise MediaUnavailableError from error
        except TimeoutError as error:
            log.error("node.no_answer", node=self.node_id, command=command.type)
            raise MediaUnavailableError("The media node does not answer. Try again.") from error

    def tell(self, command: Command) -> None:
        """A command whose outcome nobody waits for; nothing is told to a node that is gone."""
        if not self.lost:
            self._client.tell(command)

    async def end(self, command: Command) -> None:
        """A command that only ends something: what is gone already, or went with its node, has ended."""
        if self.lost:
            return
        try:
            await self.request(command)
        except SignalingError as error:
            if not isinstance(error, NotFoundError):
                log.warning("node.refused", node=self.node_id, command=command.type, error=error.message)

    def handle_lost(self) -> None:
        """The supervisor's word: everything on this node is gone."""
        self.lost = True
        sinks, self._sinks = set(self._sinks.values()), {}
        for sink in sinks:
            sink.handle_lost()

    def _handle_event(self, event: Event) -> None:
        if isinstance(event, NodeLoad):
            self._on_load(event)
            return
        sink = self._sinks.get(_object_of(event))
        if sink is not None:
            sink.handle_event(event)


def _object_of(
    event: OfferReady
    | TransportStateChanged
    | ProducerClosed
    | ConsumerClosed
    | ConsumerPaused
    | ConsumerResumed
    | LayersWanted
    | ProducerLimited
    | LayerChanged
    | ProducerScored
    | ConsumerScored
    | SpeakersChanged
    | PipeStateChanged
    | DataDropped
    | DataForwarded,
) -> str:
    match event:
        case OfferReady() | TransportStateChanged() | DataDropped():
            return event.transport_id
        case ProducerClosed() | LayersWanted() | ProducerLimited() | ProducerScored():
            return event.producer_id
        case ConsumerClosed() | ConsumerPaused() | ConsumerResumed() | LayerChanged() | ConsumerScored():
            return event.consumer_id
        case SpeakersChanged() | DataForwarded():
            return event.router_id
        case PipeStateChanged():
            return event.pipe_id


def _as_ours(error: NodeCommandError, command: Command) -> SignalingError:
    if error.code in _CLIENTS_FAULT:
        return InvalidInputError(error.message, field=_FIELD.get(command.type))
    if error.code == "unsupported_codec":
        return UnsupportedError(error.message)
    if error.code == "stale_answer":
        return StateError(error.message)
    if error.code.endswith("_not_found"):
        return NotFoundError(error.message)
    return MediaUnavailableError(f"The media node refused: {error.message}")
