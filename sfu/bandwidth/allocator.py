"""How one estimate is divided over what a receiver watches and hears. Pure: values in, values out.

The order is fixed, and each step spends only what the steps before it left:

1. Audio, whatever it costs. It is never paused for video, and never for lack of bandwidth at all.
2. The base layer of every visible video, in order of rank: what the client gave priority, then screens, then
   the speaker, then larger tiles before smaller ones. One that does not fit is paused, and smaller ones after
   it may still fit.
3. More for one after the other, in the same order. Videos of equal rank (tiles of a grid) climb together, one
   layer each, so that nobody's picture is sharp at the price of the neighbour's.

Nothing above what a tile can show, or what the client prefers, is ever granted.

Hysteresis is a value, `Memory`: what was granted last. To keep it costs its bitrate; for more than that,
everything spent up to there must fit `CLIMB` times (`RESUME` times after a pause, `CERTAIN` times after an
attempt that failed). Estimates and bitrates that waver by less cannot make a picture flap: it gives way once,
and stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Literal

from sfu.layers import Layer

CLIMB = 1.15
"""How much of everything spent must fit before a layer better than the last one is granted."""
RESUME = 1.2
"""The same, for a video that was paused."""
CERTAIN = 1.5
"""The same, for a video that tried a better layer and could not keep it."""
BASE_WIDTH = 320
"""Pixels across of the lowest of several spatial layers, where it is not known; each next one has twice."""
TOLERANCE = 1.07
"""A layer still fills a tile that is larger by this."""
USUAL_TILE = 640 * 360
"""The area of a tile that the client says nothing about."""

Kind = Literal["audio", "video"]
Outcome = Literal["granted", "bandwidth", "hidden", "absent"]


@dataclass(frozen=True, slots=True)
class Available:
    """A layer that can be had. `bitrate` is bits per second of all that goes on the wire to show it, lower
    layers included where it needs them; `width` its picture's in pixels, 0 where unknown."""

    layer: Layer
    bitrate: float
    width: int = 0


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a video is shown, in device pixels; 0 x 0 is nowhere. Higher `priority` goes first."""

    width: int
    height: int
    priority: int = 0

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def visible(self) -> bool:
        return self.area > 0


@dataclass(frozen=True, slots=True)
class Demand:
    """What one consumer could use. `available` may be in any order; audio has one or none."""

    consumer_id: str
    kind: Kind
    source: str
    available: tuple[Available, ...]
    tile: Tile | None = None
    """None: the client does not say. It is taken for visible, and gets the best."""
    preferred: Layer | None = None
    """At most this."""
    speaking: bool = False
    """Of the dominant speaker."""

    @property
    def visible(self) -> bool:
        return self.tile is None or self.tile.visible


@dataclass(frozen=True, slots=True)
class Grant:
    """`layer` is None where nothing is to be sent: for `bandwidth`, because the video is `hidden`, or because
    nothing of it is to be had (`absent`). `short`: bandwidth kept it from something better."""

    layer: Layer | None
    outcome: Outcome
    bitrate: float = 0.0
    short: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What was granted last, by consumer id; None for a video that was paused for bandwidth. `doubted`: those
    who failed to keep a better layer lately."""

    layers: Mapping[str, Layer | None] = field(default_factory=lambda: MappingProxyType({}))
    doubted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Allocation:
    """`wanted` is the bitrate that everything would take without a limit by bandwidth, for probing;
    `deficient` whether the limit kept somebody from something."""

    grants: Mapping[str, Grant]
    spent: float
    wanted: float
    deficient: bool
    memory: Memory


def allocate(estimate: float, demands: Iterable[Demand], memory: Memory) -> Allocation:
    """Divide `estimate` (bits per second, infinity where there is none)."""
    grants: dict[str, Grant] = {}
    videos: list[_Video] = []
    audio = 0.0
    for demand in demands:
        if demand.kind == "audio":
            grant = _audio(demand)
            audio += grant.bitrate
            grants[demand.consumer_id] = grant
        elif not demand.visible:
            grants[demand.consumer_id] = Grant(None, "hidden")
        else:
            videos.append(_Video(demand, memory))
    videos.sort(key=lambda video: video.rank)
    purse = _Purse(estimate, audio)
    for video in videos:
        video.begin(purse)
    for _, group in groupby(videos, key=lambda video: video.group):
        _climb(list(group), purse)
    grants |= {video.demand.consumer_id: video.grant for video in videos}
    remembered = {video.demand.consumer_id: video.grant.layer for video in videos}
    return Allocation(
        grants=grants,
        spent=purse.spent,
        wanted=audio + sum(video.ladder[-1].bitrate for video in videos if video.ladder),
        deficient=any(video.short for video in videos),
        memory=Memory(MappingProxyType(remembered)),
    )


def least(demands: Iterable[Demand]) -> float:
    """Bits per second of audio and the lowest layer of every visible video."""
    total = 0.0
    for demand in demands:
        if demand.kind == "audio":
            total += _audio(demand).bitrate
        elif demand.visible and (steps := ladder(demand)):
            total += steps[0].bitrate
    return total


def kept(demands: Iterable[Demand], memory: Memory) -> float:
    """Bits per second of audio and what every visible video was granted last, at what that takes now."""
    total = 0.0
    for demand in demands:
        if demand.kind == "audio":
            total += _audio(demand).bitrate
        elif demand.visible and (layer := memory.layers.get(demand.consumer_id)) is not None:
            total += sum(one.bitrate for one in demand.available if one.layer == layer)
    return total


def ladder(demand: Demand) -> tuple[Available, ...]:
    """The layers worth considering for a video, each better and dearer than the one before it.

    Going down, temporal layers are given up before spatial ones; but a camera's picture above the lowest
    spatial layer never gets slower than half its rate: the smaller picture at full rate is better then. A
    layer that costs no less than a better one is left out.
    """
    allowed = [one for one in demand.available if _allowed(one, demand)]
    if not allowed:
        # Less than there is was asked for: the least there is comes closest.
        allowed = sorted(demand.available, key=lambda one: one.layer)[:1]
    best_temporal = {
        one.layer.spatial: one.layer.temporal for one in sorted(allowed, key=lambda one: one.layer)
    }
    lowest = min(best_temporal, default=0)
    steps: list[Available] = []
    for one in sorted(allowed, key=lambda one: one.layer, reverse=True):
        spatial, temporal = one.layer
        too_slow = temporal < best_temporal[spatial] - 1
        if spatial > lowest and too_slow and demand.source == "camera":
            continue
        if not steps or one.bitrate < steps[-1].bitrate:
            steps.append(one)
    return tuple(reversed(steps))


def _allowed(one: Available, demand: Demand) -> bool:
    if demand.preferred is not None and (
        one.layer.spatial > demand.preferred.spatial or one.layer.temporal > demand.preferred.temporal
    ):
        return False
    return demand.tile is None or one.layer.spatial <= _spatial_for(demand.tile, demand.available)


def _spatial_for(tile: Tile, available: Sequence[Available]) -> int:
    """The lowest spatial layer that fills a tile, and the highest there is where none does."""
    widths = {one.layer.spatial: one.width for one in available}
    across = math.sqrt(tile.area * 16 / 9)
    for spatial in sorted(widths):
        if (widths[spatial] or BASE_WIDTH << spatial) * TOLERANCE >= across:
            return spatial
    return max(widths, default=0)


def _audio(demand: Demand) -> Grant:
    if not demand.available:
        return Grant(Layer(0, 0), "granted")
    best = max(demand.available, key=lambda one: one.layer)
    return Grant(best.layer, "granted", best.bitrate)


class _Purse:
    """What there is, and what is spent of it."""

    def __init__(self, estimate: float, spent: float) -> None:
        self.estimate = estimate
        self.spent = spent

    def pay(self, price: float, margin: float) -> bool:
        """Spend `price` more, if all that is spent would then fit `margin` times."""
        if (self.spent + price) * margin > self.estimate:
            return False
        self.spent += price
        return True


class _Video:
    """One video on its way up its ladder."""

    def __init__(self, demand: Demand, memory: Memory) -> None:
        self.demand = demand
        self.ladder = ladder(demand)
        self.step = -1
        self._known = demand.consumer_id in memory.layers
        self._last = memory.layers.get(demand.consumer_id)
        self._doubted = demand.consumer_id in memory.doubted
        tile = demand.tile
        area = USUAL_TILE if tile is None else tile.area
        self.group = (
            -(0 if tile is None else tile.priority),
            0 if demand.source == "screen" else 1,
            0 if demand.speaking else 1,
            # Tiles that differ by less than a tenth are of one size.
            -round(math.log(area, 1.1)),
        )
        self.rank = (self.group, demand.consumer_id)

    @property
    def short(self) -> bool:
        return self.step < len(self.ladder) - 1

    @property
    def grant(self) -> Grant:
        if self.step >= 0:
            step = self.ladder[self.step]
            return Grant(step.layer, "granted", step.bitrate, short=self.short)
        return Grant(None, "bandwidth" if self.ladder else "absent", short=self.short)

    def begin(self, purse: _Purse) -> None:
        """The base layer."""
        if self.ladder and purse.pay(self.ladder[0].bitrate, self._margin(0)):
            self.step = 0

    def climb(self, purse: _Purse) -> bool:
        """One step up, if there is one and it fits."""
        step = self.step + 1
        if not 0 < step < len(self.ladder):
            return False
        price = self.ladder[step].bitrate - self.ladder[self.step].bitrate
        if not purse.pay(price, self._margin(step)):
            return False
        self.step = step
        return True

    def _margin(self, step: int) -> float:
        if not self._known:
            return 1.0 if step == 0 else CLIMB
        if self._last is None:
            return CERTAIN if self._doubted else RESUME
        if step == 0 or self.ladder[step].layer <= self._last:
            return 1.0
        return CERTAIN if self._doubted else CLIMB


def _climb(group: list[_Video], purse: _Purse) -> None:
    """Level by level, so that those of one rank get the same as long as it lasts."""
    while group:
        group = [video for video in group if video.climb(purse)]
