"""What a node holds, told to a signaling process that takes it over, and the notes that came before it.

A signaling process that dies leaves its nodes with the media. The next one asks each for its `Holdings`,
takes up what its predecessor noted there, and closes what nobody knows. `Retell` has the node say again, as
events, what it would have said in between.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sfu.control.messages.values import Direction, Grant, Kind, LayerSpec, Message, TransportStateName


class SetNotes(Message):
    """Signaling's own notes about a router's session, by key; None forgets one. The node does not read them:
    it keeps them for as long as the router lives. `revision` says which of several nodes has the latest."""

    type: Literal["set_notes"] = "set_notes"
    router_id: str
    revision: int = Field(ge=0)
    notes: dict[str, str | None] = Field(repr=False)


class GetHoldings(Message):
    type: Literal["get_holdings"] = "get_holdings"


class GetRouter(Message):
    type: Literal["get_router"] = "get_router"
    router_id: str


class Retell(Message):
    """Say again, as events, the state of these transports and of what is on them: offers that wait for an
    answer, connections, layers, pauses, scores; and who speaks in the router."""

    type: Literal["retell"] = "retell"
    router_id: str
    transport_ids: tuple[str, ...]


class PipeHeld(Message):
    """`sending`: ids of the producers that it takes from here."""

    pipe_id: str
    connected: bool
    """It was told of its other end."""
    silent: bool = False
    """It said last that it does not hear its other end."""
    sending: tuple[str, ...]


class Holdings(Message):
    """Reply to GetHoldings."""

    type: Literal["holdings"] = "holdings"
    router_ids: tuple[str, ...]
    pipes: tuple[PipeHeld, ...]


class TransportHeld(Message):
    transport_id: str
    direction: Direction
    label: str
    state: TransportStateName
    grants: tuple[Grant, ...] = ()


class ProducerHeld(Message):
    """`pipe_id`: it came by that pipe, and has no transport here."""

    producer_id: str
    transport_id: str | None
    pipe_id: str | None
    source: str
    kind: Kind
    paused: bool


class TileHeld(Message):
    width: int
    height: int
    priority: int


class ConsumerHeld(Message):
    consumer_id: str
    transport_id: str
    producer_id: str
    preferred: LayerSpec | None
    paused: bool
    tile: TileHeld | None


class RouterHeld(Message):
    """Reply to GetRouter."""

    type: Literal["router_held"] = "router_held"
    router_id: str
    revision: int
    notes: dict[str, str] = Field(repr=False)
    transports: tuple[TransportHeld, ...]
    producers: tuple[ProducerHeld, ...]
    consumers: tuple[ConsumerHeld, ...]
