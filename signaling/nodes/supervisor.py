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
from functools import partial

import structlog

from sfu.client import (
    NodeClient,
    NodeCommandError,
    NodeConfig,
    NodeLostError,
    Survivor,
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
from signaling.nodes.relieving import relieve
from signaling.nodes.slot import Slot, standing_of, status_of
from signaling.nodes.spread import SpreadMedia
from signaling.nodes.takeover import Surviving, take_over
from signaling.repeating import Repeating
from signaling.services.live.ports import MediaListener
from signaling.services.ports import WorkerStatus

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
    survive: float = 0.0
    """How long a worker that carries sessions outlives this process, to be taken over by the next one."""
    door: str | None = None
    """The folder in which that one finds it."""
    place_within: float = 8.0
    """How long a placement waits for a node to serve."""
    silent_after: float = 5.0
    """A worker that answers nothing for so long hangs: it is killed and another one started. Time in which it
    had no core to answer on does not count (`signaling.nodes.silence`)."""
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


class NodeSupervisor:
    """`start` before use, `close` at the end."""

    def __init__(self, config: NodesConfig, *, launch: Launch | None = None) -> None:
        self._config = config
        self._launch = launch or (spawn_worker if config.workers else start_in_process)
        self._slots = [Slot(index) for index in range(max(config.workers, 1))]
        self._keepers: list[asyncio.Task[None]] = []
        self.pipes = Pipes()
        self._admitted: deque[float] = deque()
        """When those came in of whom no report tells yet."""
        self._refused = 0
        self._relief = Relief(config.move_above)
        self._sessions: weakref.WeakSet[SpreadMedia] = weakref.WeakSet()
        relieving = partial(relieve, self._relief, self._standings, self._sessions)
        self._relieving = Repeating("relieve workers", relieving, every=config.watch_every)
        self._surviving: list[Surviving] = []
        self._changed = asyncio.Condition()

    # --- life ------------------------------------------------------------------------------------------

    async def start(self, survivors: Sequence[Survivor] = ()) -> None:
        """Starts every node, or takes over the one that is there already; survivors that do not fit end.

        Raises what the first one that does not come up raises (`OSError`, `NodeLostError`), with the others
        closed again, and those that were taken over left to the next attempt.
        """
        found = await self._fitting(survivors)
        filling = (self._fill(slot, found.get(slot.index)) for slot in self._slots)
        results = await asyncio.gather(*filling, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await self._leave_taken()
            await self._close_clients()
            raise failures[0]
        self._surviving = await take_over(
            [slot.link for slot in self._slots if slot.taken and slot.link is not None],
            self.pipes,
            self,
            loudest_audio=self._config.loudest_audio,
        )
        self._keepers = [
            asyncio.create_task(self._keep(slot), name=f"keep worker {slot.index}") for slot in self._slots
        ]
        self._relieving.start()

    async def close(self) -> None:
        """Ends every node; a client's `close` drains it, with a deadline. Sessions were ended before."""
        await self._relieving.close()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = []
        await self.pipes.close()
        await self._close_clients()

    async def surviving(self) -> Sequence[Surviving]:
        """See `MediaNodes.surviving`."""
        surviving, self._surviving = self._surviving, []
        return surviving

    def kill(self) -> None:
        """The process ends at once: nothing of it is to be left."""
        for client in self.clients:
            client.kill()

    async def _fitting(self, survivors: Sequence[Survivor]) -> dict[int, Survivor]:
        """By index, those that can be taken over as they are. The others are gone when this returns."""
        slots = {slot.index: slot for slot in self._slots}
        found: dict[int, Survivor] = {}
        unfit = []
        for one in survivors:
            slot = slots.get(one.index)
            if slot is not None and one.fits(self._node_config(slot)):
                found[one.index] = one
            else:
                log.warning("node.not_fitting", worker=one.index)
                unfit.append(one.end())
        await asyncio.gather(*unfit)
        return found

    async def _leave_taken(self) -> None:
        for slot in self._slots:
            if slot.taken and slot.client is not None:
                await slot.client.leave()
                slot.client = slot.link = None

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
        return [standing_of(slot, self._config.capacity) for slot in self._slots]

    async def _chosen(self, present: Mapping[str, int]) -> Slot:
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
        return [status_of(slot) for slot in self._slots]

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        """The latest node totals, by node id."""
        return {slot.node_id: slot.load.counters for slot in self._slots if slot.serving and slot.load}

    def healthy(self) -> int:
        """How many nodes serve."""
        return sum(slot.serving for slot in self._slots)

    # --- keeping a worker alive ------------------------------------------------------------------------

    async def _keep(self, slot: Slot) -> None:
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

    async def _wait_lost(self, slot: Slot) -> None:
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
                slot.hear(now)  # it is this process that did not listen
            elif slot.hangs(now, config.silent_after):
                log.error("node.hangs", node=slot.node_id, worker=slot.index)
                return

    def _ping(self, slot: Slot) -> None:
        """At most one ping is on its way."""
        if slot.ping is None or slot.ping.done():
            slot.ping = asyncio.create_task(self._await_pong(slot), name=f"ping worker {slot.index}")

    async def _await_pong(self, slot: Slot) -> None:
        client = slot.client
        if client is None:
            return
        with contextlib.suppress(NodeLostError, NodeCommandError):
            await client.request(Ping())
            if slot.client is client:
                slot.hear(asyncio.get_running_loop().time())

    async def _refill(self, slot: Slot) -> None:
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

    async def _fill(self, slot: Slot, survivor: Survivor | None = None) -> None:
        """Starts a node in the slot, or takes over the one that is there."""
        lost = asyncio.Event()
        client = None if survivor is None else await self._taken(survivor)
        slot.taken = client is not None
        if client is None:
            client = await self._launch(self._node_config(slot))
        client.on_lost(lost.set)
        link = NodeLink(client, lambda load: self._heard(slot, load))
        async with self._changed:
            slot.node_id, slot.client, slot.link, slot.lost = client.node_id, client, link, lost
            slot.hear(asyncio.get_running_loop().time())
            slot.placed_since = slot.peers_since = 0
            slot.starts += 1
            self._changed.notify_all()
        log.info("node.serving", node=slot.node_id, worker=slot.index)

    async def _taken(self, survivor: Survivor) -> NodeClient | None:
        """None where it went in the last moment."""
        try:
            client = await survivor.take()
        except NodeLostError as error:
            log.error("node.not_taken_over", worker=survivor.index, error=str(error))
            await survivor.end()
            return None
        log.info("node.taken_over", node=client.node_id, worker=survivor.index)
        return client

    def _heard(self, slot: Slot, load: NodeLoad) -> None:
        slot.load, slot.placed_since, slot.peers_since = load, 0, 0
        slot.hear(asyncio.get_running_loop().time())

    def _node_config(self, slot: Slot) -> NodeConfig:
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
            index=slot.index,
            survive=config.survive,
            door=config.door,
        )
