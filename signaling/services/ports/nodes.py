"""Media nodes, as far as their figures go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Spread:
    """Counts by bucket: one per upper bound, and one for what is above them all. `total` sums the values."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True, slots=True)
class QualitySpread(Spread):
    """Of a `measure` ("rtt", "loss", "jitter", "score", "bitrate", "estimate") of streams that come "in" or
    go "out", by kind; of an estimate, which is of receivers, without either."""

    measure: str
    direction: str | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class FreezeCount:
    """Freezes of streams that come "in" or go "out", by kind, since the worker started."""

    direction: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One media node by its last report. `counters` are totals since it started, by name."""

    index: int
    node_id: str
    serving: bool
    cpu: float = 0.0
    """Busy fraction of one core, 0.0 to 1.0."""
    packets_per_second: float = 0.0
    lag: float = 0.0
    """Mean seconds by which its timers came late."""
    pressure: int = 0
    """The level of what it gives up, 0 for nothing."""
    delays: Spread | None = None
    """Seconds that packets took through the worker."""
    routers: int = 0
    transports: int = 0
    restarts: int = 0
    counters: Mapping[str, float] = field(default_factory=dict)
    quality: Sequence[QualitySpread] = ()
    freezes: Sequence[FreezeCount] = ()
    layers: Sequence[int] = ()
    """Subscriptions that have each spatial layer of a video on the wire, from the lowest on."""


class MetricsSource(Protocol):
    def workers(self) -> Sequence[WorkerStatus]:
        """Every media worker there should be, by index; does no IO."""
        ...
