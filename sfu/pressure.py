"""What a node gives up when it has more to do than it can: video before audio, the unseen before the seen.
Pure.

    CALM -> UNSEEN -> SMALL -> BASE -> ESSENTIAL        one step a second while the pressure lasts
         <-        <-       <-      <-                  one step after a while of ease, longer if it came back

Pressure is measured at the worker itself: for how much of the time its process ran or waited for a core, and
how late its loop comes to its timers. Lateness alone says nothing of a process that has little to do.

What each level means is the table `MEASURES`. Audio is in none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from math import ceil
from typing import Final

from sfu.bandwidth.allocator import USUAL_TILE, Demand

POLL_INTERVAL: Final = 0.5
"""Seconds over which load is averaged."""
ESCALATE_AFTER: Final = 1.0
"""Seconds of pressure before the next step."""
EASE_AFTER: Final = 4.0
"""Seconds of ease before a step back, ..."""
LONGEST_EASE: Final = 60.0
"""... doubled up to this each time that a step back brought the pressure back."""
RELAPSE_WITHIN: Final = 8.0
EASE_SHARE: Final = 0.75
"""Of the limit of busyness: below that share of it it is ease, between them nothing changes."""


class Level(IntEnum):
    CALM = 0
    UNSEEN = 1
    SMALL = 2
    BASE = 3
    ESSENTIAL = 4


@dataclass(frozen=True, slots=True)
class Measures:
    """`base_only`: the share of a receiver's videos, least important first, that get their lowest layer.
    `keyframe_interval`: seconds between two requests for one encoding."""

    pauses_unseen: bool = False
    base_only: float = 0.0
    essential_only: bool = False
    """Of video only screens and the speaker's."""
    probes: bool = True
    keyframe_interval: float = 0.5


MEASURES: Final[dict[Level, Measures]] = {
    Level.CALM: Measures(),
    Level.UNSEEN: Measures(pauses_unseen=True, probes=False, keyframe_interval=1.0),
    Level.SMALL: Measures(pauses_unseen=True, base_only=0.5, probes=False, keyframe_interval=1.5),
    Level.BASE: Measures(pauses_unseen=True, base_only=1.0, probes=False, keyframe_interval=2.0),
    Level.ESSENTIAL: Measures(
        pauses_unseen=True, base_only=1.0, essential_only=True, probes=False, keyframe_interval=2.0
    ),
}
NO_MEASURES: Final = MEASURES[Level.CALM]


@dataclass(frozen=True, slots=True)
class Limits:
    """Pressure is to be `busy` for more than that fraction of the time (more than 1: never), or for most of
    that and timers late by more than `lag` seconds on average."""

    busy: float = 0.92
    lag: float = 0.05


class Pressure:
    """`handle_tick` with every tick of the node, `poll` every `POLL_INTERVAL`."""

    def __init__(self, limits: Limits, now: float, busy_time: float) -> None:
        self.limits = limits
        self.level = Level.CALM
        self.busy = 0.0
        self.lag = 0.0
        self._polled = (now, busy_time)
        self._late = 0.0
        self._ticks = 0
        self._high_since: float | None = None
        self._low_since: float | None = None
        self._ease_after = EASE_AFTER
        self._eased_at = float("-inf")

    @property
    def measures(self) -> Measures:
        return MEASURES[self.level]

    def handle_tick(self, lateness: float) -> None:
        """A timer came so many seconds late."""
        self._late += max(0.0, lateness)
        self._ticks += 1

    def is_due(self, now: float) -> bool:
        return now - self._polled[0] >= POLL_INTERVAL

    def poll(self, now: float, busy_time: float) -> bool:
        """`busy_time` is the process's so far. Whether the level is another one now."""
        before, busy_before = self._polled
        elapsed = max(now - before, 1e-3)
        self._polled = (now, busy_time)
        self.busy = (busy_time - busy_before) / elapsed
        self.lag = self._late / self._ticks if self._ticks else elapsed
        self._late, self._ticks = 0.0, 0
        return self._judge(now)

    def _judge(self, now: float) -> bool:
        limits = self.limits
        most = limits.busy * EASE_SHARE
        high = self.busy > limits.busy or (self.busy > most and self.lag > limits.lag)
        low = self.busy <= most
        self._high_since = (now if self._high_since is None else self._high_since) if high else None
        self._low_since = (now if self._low_since is None else self._low_since) if low else None
        if self._high_since is not None and now - self._high_since >= ESCALATE_AFTER:
            self._high_since = now
            return self._escalate(now)
        if self._low_since is not None and now - self._low_since >= self._ease_after:
            self._low_since = now
            return self._ease(now)
        return False

    def _escalate(self, now: float) -> bool:
        if self.level is Level.ESSENTIAL:
            return False
        if now - self._eased_at < RELAPSE_WITHIN:
            self._ease_after = min(2 * self._ease_after, LONGEST_EASE)
        elif self.level is Level.CALM:
            self._ease_after = EASE_AFTER
        self.level = Level(self.level + 1)
        return True

    def _ease(self, now: float) -> bool:
        if self.level is Level.CALM:
            return False
        self._eased_at = now
        self.level = Level(self.level - 1)
        return True


def relieve(demands: Iterable[Demand], measures: Measures) -> list[Demand]:
    """What is left of one receiver's demands under these measures. Of videos that are not in it any more
    nothing is sent for now, of others perhaps a lesser layer.

    A video is unseen if its receiver says where it shows videos, and nothing of this one. A receiver that
    says nothing of any (a player, say) has its videos taken for seen.
    """
    asked = list(demands)
    if measures is NO_MEASURES:
        return asked
    says_where = any(one.tile is not None for one in asked)
    left = [
        one for one in asked if one.kind == "audio" or not _gives_way(one, measures, says_where=says_where)
    ]
    videos = sorted((one for one in left if one.kind == "video"), key=_importance)
    lowered = {one.consumer_id for one in videos[: ceil(len(videos) * measures.base_only)]}
    return [_base_of(one) if one.consumer_id in lowered else one for one in left]


def _gives_way(demand: Demand, measures: Measures, *, says_where: bool) -> bool:
    if not demand.visible:
        return False  # not sent in any case, and no news to its receiver
    if measures.essential_only and demand.source != "screen" and not demand.speaking:
        return True
    return measures.pauses_unseen and says_where and demand.tile is None


def _importance(demand: Demand) -> tuple[int, bool, bool, int, str]:
    tile = demand.tile
    return (
        0 if tile is None else tile.priority,
        demand.source == "screen",
        demand.speaking,
        USUAL_TILE if tile is None else tile.area,
        demand.consumer_id,
    )


def _base_of(demand: Demand) -> Demand:
    """Only its lowest layer."""
    lowest = sorted(demand.available, key=lambda one: one.layer)[:1]
    return replace(demand, available=tuple(lowest))
