"""A place for a worker: its index and port stay, the node in it changes. And how it stands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sfu.client import CoreUse, NodeClient
from sfu.control.messages import NodeLoad
from signaling.nodes.link import NodeLink
from signaling.nodes.placement import Capacity, NodeStanding
from signaling.nodes.silence import Silence
from signaling.services.ports import FreezeCount, QualitySpread, Spread, WorkerStatus


@dataclass(slots=True)
class Slot:
    """A place for a worker: index and port stay, the node in it changes."""

    index: int
    node_id: str = ""
    client: NodeClient | None = None
    link: NodeLink | None = None
    load: NodeLoad | None = None
    silence: Silence = field(default_factory=Silence)
    placed_since: int = 0
    peers_since: int = 0
    ping: asyncio.Task[None] | None = None
    starts: int = 0
    taken: bool = False
    """It ran before this process did."""
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def serving(self) -> bool:
        return self.link is not None and not self.link.lost

    def hear(self, now: float) -> None:
        """The worker said something."""
        self.silence.end(now, self._core_use())

    def hangs(self, now: float, after: float) -> bool:
        """To be asked again and again. See `Silence`."""
        self.silence.look(now, self._core_use())
        return self.silence.hangs(now, after)

    def _core_use(self) -> CoreUse | None:
        return None if self.client is None else self.client.core_use()


def standing_of(slot: Slot, capacity: Capacity) -> NodeStanding:
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


def status_of(slot: Slot) -> WorkerStatus:
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
        freezes=tuple(FreezeCount(**one.model_dump()) for one in load.freezes),
        layers=load.layers,
    )
