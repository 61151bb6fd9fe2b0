"""The media nodes of this process: started, watched, started again, and chosen among.

With `workers` from 1 on, each node is a process of its own on its own port (base + index); with 0 there is
one, in this loop. A worker that dies is started again under a new node id on the same port, after a pause
that doubles with each failure; its sessions are told and placed again, which waits for a node to come up.

Implements `signaling.services.live.ports.MediaNodes` and `signaling.services.ports.MetricsSource`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from sfu.client import (
    NodeClient,
    NodeCommandError,
    NodeConfig,
    NodeLostError,
    spawn_worker,
    start_in_process,
)
from sfu.control.messages import NodeLoad, Ping
from signaling.errors import MediaUnavailableError, OverloadedError
from signaling.ids import new_id
from signaling.nodes.link import NodeLink
from signaling.nodes.pipes import Pipes
from signaling.nodes.placement import (
    DEFAULT_SPREAD_ABOVE,
    Capacity,
    NodeStanding,
    choose_for_peer,
    has_room,
)
from signaling.nodes.relief import DEFAULT_MOVE_ABOVE, Relief
from signaling.nodes.relieving import keep_relieving
from signaling.nodes.spread import SpreadMedia
from signaling.services.live.ports import MediaListener
from signaling.services.ports import QualitySpread, Spread, WorkerStatus

log = structlog.get_logger(__name__)

REPORTED_WITHIN = 2.5
"""Seconds after which who came in shows in the loads that nodes report."""
RETRY_AFTER = (5.0, 15.0)
"""Seconds after which those who were refused may try again, spread evenly."""

Launch = Callable[[NodeConfig], Awaitable[NodeClient]]


@dataclass(frozen=True, slots=True)
class NodesConfig:
    """`udp_port` 0 lets every node pick a free one. Times in seconds."""

    workers: int = 1
    hosts: tuple[str, ...] = ("0.0.0.0",)
    udp_port: int = 40000
    announce: tuple[str, ...] = ()
    tcp: bool = True
    log_level: str = "info"
    data_messages: float = 100.0
    data_bytes: float = 262_144.0
    loudest_audio: int | None = None
    """How many of the loudest voices of a session are forwarded; None for all."""
    place_within: float = 8.0
    """How long a placement waits for a node to serve."""
    silent_after: float = 5.0
    """A worker that answers nothing for so long hangs: it is killed and another one started."""
    watch_every: float = 1.0
    """Pause between two pings."""
    spread_above: float = DEFAULT_SPREAD_ABOVE
    """See `signaling.nodes.placement.choose_for_peer`."""
    move_above: float = DEFAULT_MOVE_ABOVE
    """See `signaling.nodes.relief`."""
    capacity: Capacity = field(default_factory=Capacity)
    """What a node may carry before it takes nobody new."""
    shed_above: float = 0.92
    shed_lag: float = 0.05
    """See `sfu.config.NodeConfig`."""
    first_pause: float = 0.2
    longest_pause: float = 10.0


@dataclass(slots=True)
class _Slot:
    """A place for a worker: index and port stay, the node in it changes."""

    index: int
    node_id: str = ""
    client: NodeClient | None = None
    link: NodeLink | None = None
    load: NodeLoad | None = None
    heard_at: float = 0.0
    placed_since: int = 0
    peers_since: int = 0
    ping: asyncio.Task[None] | None = None
    starts: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def serving(self) -> bool:
        return self.link is not None and not self.link.lost


class NodeSupervisor:
    """`start` before use, `close` at the end."""

    def __init__(self, config: NodesConfig, *, launch: Launch | None = None) -> None:
        self._config = config
        self._launch = launch or (spawn_worker if config.workers else start_in_process)
        self._slots = [_Slot(index) for index in range(max(config.workers, 1))]
        self._keepers: list[asyncio.Task[None]] = []
        self.pipes = Pipes()
        self._admitted: deque[float] = deque()
        """When those came in of whom no report tells yet."""
        self._refused = 0
        self._relief = Relief(config.move_above)
        self._sessions: weakref.WeakSet[SpreadMedia] = weakref.WeakSet()
        self._changed = asyncio.Condition()

    # --- life ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts every node. Raises what the first one that does not come up raises (`OSError`,
        `NodeLostError`), with the others closed again."""
        results = await asyncio.gather(*map(self._fill, self._slots), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await self._close_clients()
            raise failures[0]
        self._keepers = [
            asyncio.create_task(self._keep(slot), name=f"keep worker {slot.index}") for slot in self._slots
        ]
        every = self._config.watch_every
        relieving = keep_relieving(self._relief, self._standings, self._sessions, every=every)
        self._keepers.append(asyncio.create_task(relieving, name="relieve workers"))

    async def close(self) -> None:
        """Ends every node; a client's `close` drains it, with a deadline. Sessions were ended before."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = []
        await self.pipes.close()
        await self._close_clients()

    async def _close_clients(self) -> None:
        clients = [slot.client for slot in self._slots if slot.client is not None]
        for slot in self._slots:
            slot.client = slot.link = None
        await asyncio.gather(*(client.close() for client in clients))

    # --- placing ---------------------------------------------------------------------------------------

    async def place(self, session_id: str, listener: MediaListener) -> SpreadMedia:
        """See `MediaNodes.place`. A node that is lost in the middle of it is not the last word."""
        media = SpreadMedia(session_id, self, listener, loudest_audio=self._config.loudest_audio)
        self._sessions.add(media)
        try:
            async with asyncio.timeout(self._config.place_within):
                while True:
                    try:
                        await media.open()
                    except MediaUnavailableError:
                        log.warning("session.not_taken", session=session_id)
                        await asyncio.sleep(self._config.first_pause)
                    else:
                        return media
        except TimeoutError:
            raise MediaUnavailableError from None

    async def link_for(self, present: Mapping[str, int], *, wait: bool, insider: bool) -> NodeLink:
        """See `signaling.nodes.spread.Nodes.link_for`."""
        if not insider:
            self._check_ease()
        try:
            async with asyncio.timeout(self._config.place_within if wait else 0):
                slot = await self._chosen(present)
        except TimeoutError:
            raise MediaUnavailableError from None
        if slot.node_id in present:
            slot.peers_since += 1
        else:
            slot.placed_since += 1
        assert slot.link is not None, "only a serving node is chosen"
        return slot.link

    def link_to(self, node_id: str) -> NodeLink:
        """See `signaling.nodes.parts.Nodes.link_to`."""
        link = next((slot.link for slot in self._slots if slot.node_id == node_id), None)
        if link is None or link.lost:
            raise MediaUnavailableError
        return link

    def admit(self) -> None:
        """See `MediaNodes.admit`. Where no node serves at the moment, one is waited for later."""
        now = asyncio.get_running_loop().time()
        while self._admitted and now - self._admitted[0] > REPORTED_WITHIN:
            self._admitted.popleft()
        standings = self._standings()
        if any(one.serving for one in standings) and not has_room(standings, len(self._admitted)):
            raise self._refusal()
        self._admitted.append(now)

    def _refusal(self) -> OverloadedError:
        self._refused += 1
        log.warning("nodes.full", refused=self._refused)
        return OverloadedError(retry_after=round(random.uniform(*RETRY_AFTER), 1))

    def _check_ease(self) -> None:
        """Who was admitted gets a place unless every node gives things up already."""
        serving = [one for one in self._standings() if one.serving]
        if serving and all(one.pressure for one in serving):
            raise self._refusal()

    def _choose(self, present: Mapping[str, int]) -> str | None:
        return choose_for_peer(self._standings(), present, spread_above=self._config.spread_above)

    def _standings(self) -> list[NodeStanding]:
        return [_standing(slot, self._config.capacity) for slot in self._slots]

    async def _chosen(self, present: Mapping[str, int]) -> _Slot:
        async with self._changed:
            while (node_id := self._choose(present)) is None:
                await self._changed.wait()
        return next(slot for slot in self._slots if slot.node_id == node_id)

    @property
    def clients(self) -> Sequence[NodeClient]:
        """Of the nodes that serve."""
        return [slot.client for slot in self._slots if slot.client is not None]

    # --- looking ---------------------------------------------------------------------------------------

    def workers(self) -> Sequence[WorkerStatus]:
        return [_status(slot) for slot in self._slots]

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        """The latest node totals, by node id."""
        return {slot.node_id: slot.load.counters for slot in self._slots if slot.serving and slot.load}

    def healthy(self) -> int:
        """How many nodes serve."""
        return sum(slot.serving for slot in self._slots)

    # --- keeping a worker alive ------------------------------------------------------------------------

    async def _keep(self, slot: _Slot) -> None:
        """Runs for as long as the supervisor: waits for the loss of the worker, then starts another."""
        while True:
            await self._wait_lost(slot)
            log.error("node.lost", node=slot.node_id, worker=slot.index)
            client, link = slot.client, slot.link
            slot.client = slot.link = slot.load = None
            self.pipes.handle_lost(slot.node_id)
            if link is not None:
                link.handle_lost()
            if client is not None:
                await client.abandon()
            await self._refill(slot)

    async def _wait_lost(self, slot: _Slot) -> None:
        """Until the link broke, or nothing was heard for too long, although it was asked."""
        loop, config = asyncio.get_running_loop(), self._config
        while True:
            self._ping(slot)
            asked_at = loop.time()
            try:
                async with asyncio.timeout(config.watch_every):
                    await slot.lost.wait()
                    return
            except TimeoutError:
                now = loop.time()
            if now - asked_at > 2 * config.watch_every:
                slot.heard_at = now  # it is this process that did not listen
            elif now - slot.heard_at > config.silent_after:
                log.error("node.hangs", node=slot.node_id, worker=slot.index)
                return

    def _ping(self, slot: _Slot) -> None:
        """At most one ping is on its way."""
        if slot.ping is None or slot.ping.done():
            slot.ping = asyncio.create_task(self._await_pong(slot), name=f"ping worker {slot.index}")

    async def _await_pong(self, slot: _Slot) -> None:
        client = slot.client
        if client is None:
            return
        with contextlib.suppress(NodeLostError, NodeCommandError):
            await client.request(Ping())
            if slot.client is client:
                slot.heard_at = asyncio.get_running_loop().time()

    async def _refill(self, slot: _Slot) -> None:
        pause = self._config.first_pause
        while True:
            await asyncio.sleep(pause)
            try:
                await self._fill(slot)
            except (OSError, NodeLostError) as error:
                log.error("node.not_started", worker=slot.index, error=str(error), again_in=pause)
                pause = min(2 * pause, self._config.longest_pause)
            else:
                return

    async def _fill(self, slot: _Slot) -> None:
        """Starts a node in the slot."""
        lost = asyncio.Event()
        client = await self._launch(self._node_config(slot))
        client.on_lost(lost.set)
        link = NodeLink(client, lambda load: self._heard(slot, load))
        async with self._changed:
            slot.node_id, slot.client, slot.link, slot.lost = client.node_id, client, link, lost
            slot.heard_at = asyncio.get_running_loop().time()
            slot.placed_since = slot.peers_since = 0
            slot.starts += 1
            self._changed.notify_all()
        log.info("node.serving", node=slot.node_id, worker=slot.index)

    def _heard(self, slot: _Slot, load: NodeLoad) -> None:
        slot.load, slot.placed_since, slot.peers_since = load, 0, 0
        slot.heard_at = asyncio.get_running_loop().time()

    def _node_config(self, slot: _Slot) -> NodeConfig:
        config = self._config
        return NodeConfig(
            node_id=new_id("nd"),
            hosts=config.hosts,
            udp_port=config.udp_port + slot.index if config.udp_port else 0,
            announce=config.announce,
            tcp=config.tcp,
            log_level=config.log_level,
            data_messages=config.data_messages,
            data_bytes=config.data_bytes,
            shed_above=config.shed_above,
            shed_lag=config.shed_lag,
        )


def _standing(slot: _Slot, capacity: Capacity) -> NodeStanding:
    return NodeStanding(
        node_id=slot.node_id,
        serving=slot.serving,
        cpu=slot.load.cpu if slot.load else 0.0,
        routers=slot.load.routers if slot.load else 0,
        transports=slot.load.transports if slot.load else 0,
        placed_since=slot.placed_since,
        peers_since=slot.peers_since,
        packets_per_second=slot.load.packets_per_second if slot.load else 0.0,
        lag=slot.load.lag if slot.load else 0.0,
        pressure=slot.load.pressure if slot.load else 0,
        capacity=capacity,
    )


def _status(slot: _Slot) -> WorkerStatus:
    load = slot.load if slot.serving else None
    restarts = max(slot.starts - 1, 0)
    if load is None:
        return WorkerStatus(slot.index, slot.node_id, slot.serving, restarts=restarts)
    return WorkerStatus(
        index=slot.index,
        node_id=slot.node_id,
        serving=True,
        cpu=load.cpu,
        packets_per_second=load.packets_per_second,
        lag=load.lag,
        pressure=load.pressure,
        delays=None if load.delays is None else Spread(**load.delays.model_dump()),
        routers=load.routers,
        transports=load.transports,
        restarts=restarts,
        counters=load.counters,
        quality=tuple(QualitySpread(**one.model_dump()) for one in load.quality),
    )
