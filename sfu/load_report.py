"""What a node tells of its load every two seconds: since the last time, and in total."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sfu.control.messages import FreezeCount, NodeLoad, QualitySpread, Spread
from sfu.histogram import Histogram
from sfu.pressure import Pressure
from sfu.quality.spreads import QualitySpreads

INTERVAL: Final = 2.0
"""Seconds between two reports."""


@dataclass(slots=True)
class LoadReport:
    """`due`: when the next one is. What it was at the last one is kept here."""

    due: float = 0.0
    _at: float = 0.0
    _cpu: float = 0.0
    _forwarded: float = 0.0

    def begin(self, now: float, cpu: float) -> None:
        """`cpu`: seconds of it that the process used so far."""
        self._at, self._cpu, self._forwarded = now, cpu, 0.0
        self.due = now + INTERVAL

    def make(
        self,
        now: float,
        cpu: float,
        *,
        counters: dict[str, float],
        delays: Histogram,
        pressure: Pressure,
        quality: QualitySpreads,
        layers: Sequence[int],
        routers: int,
        transports: int,
    ) -> NodeLoad:
        elapsed = max(now - self._at, 1e-3)
        used, forwarded = cpu - self._cpu, counters["packets_forwarded"] - self._forwarded
        self._at, self._cpu, self._forwarded = now, cpu, counters["packets_forwarded"]
        self.due = now + INTERVAL
        return NodeLoad(
            cpu=min(1.0, max(0.0, used / elapsed)),
            packets_per_second=max(0.0, forwarded / elapsed),
            lag=pressure.lag,
            pressure=int(pressure.level),
            delays=Spread(bounds=delays.bounds, counts=tuple(delays.counts), total=delays.total),
            routers=routers,
            transports=transports,
            counters=counters,
            quality=tuple(_spreads(quality)),
            freezes=tuple(
                FreezeCount(direction=direction, kind=kind, count=count)
                for (direction, kind), count in quality.freezes.items()
            ),
            layers=tuple(layers),
        )


def _spreads(quality: QualitySpreads) -> Iterable[QualitySpread]:
    for one in quality:
        yield QualitySpread(
            measure=one.measure,
            direction=one.direction,
            kind=one.kind,
            bounds=one.histogram.bounds,
            counts=tuple(one.histogram.counts),
            total=one.histogram.total,
        )
