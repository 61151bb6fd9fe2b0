"""A track's whole course in a few figures, each moment weighing as long as it lasted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signaling.domain.peer_quality import Reading

LOSSES: Final = (0.05, 0.10, 0.25, 0.50)
"""Shares of packets lost, ..."""
ROUND_TRIPS: Final = (0.1, 0.25, 0.5)
"""... and seconds, for which it is said how much of the time there was that much or more."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The mean, and what half, three quarters and nine tenths of the time did not exceed."""

    mean: float
    p50: float
    p75: float
    p90: float


@dataclass(frozen=True, slots=True)
class Exceeding:
    """The mean, and for each threshold the share of the time, 0 to 1, in which it was reached."""

    mean: float
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """None where nothing is known."""

    seconds: float
    loss: Exceeding
    """The mean is over all packets, not over time."""
    mos: Distribution
    rtt: Exceeding | None
    frame_rate: Distribution | None
    frozen: float
    """Share of the time."""


Weighted = Sequence[tuple[float, float]]
"""Values, and for how many seconds each."""


def summarise(readings: Sequence[Reading]) -> QualitySummary | None:
    """None without a reading."""
    if not readings:
        return None
    seconds = sum(one.seconds for one in readings)
    lost, packets = sum(one.lost for one in readings), sum(one.packets for one in readings)
    losses = [(one.loss, one.seconds) for one in readings]
    rtts = [(one.rtt, one.seconds) for one in readings if one.rtt is not None]
    rates = [(one.frame_rate, one.seconds) for one in readings if one.frame_rate is not None]
    return QualitySummary(
        seconds=seconds,
        loss=Exceeding(lost / (lost + packets) if lost + packets > 0 else 0.0, _shares(losses, LOSSES)),
        mos=_distribution([(one.mos, one.seconds) for one in readings]),
        rtt=Exceeding(_mean(rtts), _shares(rtts, ROUND_TRIPS)) if rtts else None,
        frame_rate=_distribution(rates) if rates else None,
        frozen=sum(one.frozen for one in readings) / seconds if seconds else 0.0,
    )


def _distribution(values: Weighted) -> Distribution:
    ordered = sorted(values)
    p50, p75, p90 = (_quantile(ordered, share) for share in (0.5, 0.75, 0.9))
    return Distribution(_mean(values), p50, p75, p90)


def _quantile(ordered: Weighted, share: float) -> float:
    wanted = share * sum(seconds for _, seconds in ordered)
    passed = 0.0
    for value, seconds in ordered:
        passed += seconds
        if passed >= wanted:
            return value
    return ordered[-1][0]


def _mean(values: Weighted) -> float:
    seconds = sum(weight for _, weight in values)
    return sum(value * weight for value, weight in values) / seconds if seconds else values[-1][0]


def _shares(values: Weighted, thresholds: Sequence[float]) -> tuple[float, ...]:
    seconds = sum(weight for _, weight in values) or 1.0
    return tuple(
        sum(weight for value, weight in values if value >= threshold) / seconds for threshold in thresholds
    )
