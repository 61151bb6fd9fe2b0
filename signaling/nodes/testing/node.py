"""A node by hand as signaling meets it: commands in, replies and events out, and its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from sfu.client import CoreUse, EventHandler, NodeClient, NodeConfig, NodeLostError
from sfu.control import messages as node
from sfu.errors import NodeCommandError
from signaling.nodes.testing.graph import FakeGraph
from signaling.nodes.testing.holdings import holdings_of, router_held
from signaling.nodes.testing.objects import FakePipe


@dataclass
class Fuse:
    """So many more commands of a process arrive at its nodes; it is killed before it sends the next one."""

    left: float = float("inf")
    burnt: int = 0

    @property
    def blown(self) -> bool:
        return self.left <= 0

    def burn(self) -> None:
        """One more. Raises `NodeLostError` where it is not to arrive."""
        if self.blown:
            raise NodeLostError("the process that says so is gone")
        self.left -= 1
        self.burnt += 1


@dataclass(kw_only=True)
class FakeNode(FakeGraph):
    """Implements `sfu.client.NodeClient`."""

    config: NodeConfig
    commands: list[node.Command] = field(default_factory=list)
    refuses: set[type[node.Message]] = field(default_factory=set)
    """Kinds of commands that it refuses."""
    closed: bool = False
    hung: bool = False
    """It takes commands and answers none."""
    use: CoreUse | None = None
    fuse: Fuse | None = None
    _on_event: EventHandler | None = None
    _on_lost: Callable[[], None] | None = None

    @property
    def node_id(self) -> str:
        return self.config.node_id

    def on_event(self, handler: EventHandler) -> None:
        self._on_event = handler

    def on_lost(self, handler: Callable[[], None]) -> None:
        self._on_lost = handler

    def core_use(self) -> CoreUse | None:
        return self.use

    async def close(self) -> None:
        self.closed = True

    async def abandon(self) -> None:
        self.closed = True

    def kill(self) -> None:
        self.closed = True

    async def leave(self) -> None:
        """Whoever had it is gone: the next one hears its events."""
        self._on_event = self._on_lost = None

    def tell(self, command: node.Command) -> None:
        if not self.closed:
            with contextlib.suppress(NodeLostError):
                self._arrive(command)
                self._apply(command)

    def die(self) -> None:
        """The process is gone."""
        self.closed = True
        self.clear()
        if self._on_lost is not None:
            self._on_lost()

    def emit(self, event: node.Event) -> None:
        if self._on_event is not None and not self.closed:
            self._on_event(event)

    def heard(self, kind: type[node.Message]) -> list[node.Command]:
        return [command for command in self.commands if isinstance(command, kind)]

    # --- commands --------------------------------------------------------------------------------------

    async def request(self, command: node.Command) -> node.Reply:
        await asyncio.sleep(0)  # like every link, it answers in a later turn of the loop
        if self.closed:
            raise NodeLostError("this node is gone")
        while self.hung:
            await asyncio.sleep(0.001)
            if self.closed:
                raise NodeLostError("this node is gone")
        self._arrive(command)
        if type(command) in self.refuses:
            raise NodeCommandError("refused", "this node was told to refuse it")
        return self._apply(command)

    def _arrive(self, command: node.Command) -> None:
        if self.fuse is not None and not isinstance(command, node.Ping):
            self.fuse.burn()
        self.commands.append(command)

    def _apply(self, command: node.Command) -> node.Reply:
        match command:
            case node.CreateRouter():
                self.routers.add(command.router_id)
            case node.CloseRouter():
                self._close_router(command.router_id)
            case node.CreateTransport():
                self._create_transport(command)
            case node.CloseTransport():
                self._close_transport(command.transport_id)
            case node.SetGrants():
                self._set_grants(command)
            case node.HandleOffer():
                return self._handle_offer(command)
            case node.HandleViewOffer():
                return self._handle_view_offer(command)
            case node.HandleIceRestart():
                self._transport(command.transport_id)
                return node.IceRestarted(ufrag="ours", pwd="p" * 24, candidates=("candidate:1",))
            case node.HandleAnswer():
                self._handle_answer(command)
            case node.HandleCandidate():
                self._transport(command.transport_id)
            case node.RestartIce():
                self._offer_soon(self._transport(command.transport_id))
            case node.CloseProducer():
                self._producer(command.producer_id)
                self._close_producer(command.producer_id, None)
            case node.PauseProducer():
                self._producer(command.producer_id).paused = True
            case node.ResumeProducer():
                self._producer(command.producer_id).paused = False
            case node.Consume():
                return self._consume(command)
            case node.CloseConsumers():
                for consumer_id in command.consumer_ids:
                    self._close_consumer(consumer_id, None)
            case node.SetTiles():
                for tile in command.tiles:
                    self._consumer(tile.consumer_id).tile = tile
            case node.SetPreferredLayer():
                self._consumer(command.consumer_id).preferred = command.preferred
            case node.PauseConsumer():
                self._consumer(command.consumer_id).paused = True
            case node.ResumeConsumer():
                self._consumer(command.consumer_id).paused = False
            case node.CreatePipe():
                self.pipes.setdefault(command.pipe_id, FakePipe(command.pipe_id))
                return node.PipeCreated(host="127.0.0.1", port=1)
            case node.ConnectPipe():
                self._pipe(command.pipe_id).connected = True
            case node.ClosePipe():
                self._close_pipe(command.pipe_id)
            case node.SendProducer():
                return self._send_producer(command)
            case node.StopSending():
                self._pipe(command.pipe_id).sending.discard(command.producer_id)
            case node.ReceiveProducer():
                self._receive_producer(command)
            case node.GetStats():
                return node.Stats(counters={}, streams=self._streams_of(command.transport_ids))
            case node.Sample():
                return node.Sampled(transports=tuple(self._samples_of(command.transport_ids)))
            case node.SetNotes():
                self._set_notes(command)
            case node.GetHoldings():
                return holdings_of(self)
            case node.GetRouter():
                return router_held(self, command.router_id)
            case node.Retell():
                self._retell(command)
            case node.Ping() | node.Drain():
                pass
        return node.Done()


class FakeNodes:
    """A launcher for `NodeSupervisor` that starts `FakeNode`s and keeps them for the test to look at."""

    def __init__(self) -> None:
        self.started: list[FakeNode] = []
        self.failures: list[Exception] = []
        """Raised by the next starts, in order."""

    async def launch(self, config: NodeConfig) -> NodeClient:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        fake = FakeNode(config=config)
        self.started.append(fake)
        return fake

    @property
    def latest(self) -> FakeNode:
        return self.started[-1]
