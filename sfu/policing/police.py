"""Whether a producer keeps to what its publisher was granted, and how much of it is forwarded if not. Pure.

Browsers keep to the bitrate of an answer; whoever does not is measured here, over some seconds and with
tolerance, for encoders overshoot. Of a simulcast the higher encodings go first: forwarded are the lowest ones
that fit the limit together. A stream that does not fit even so is forwarded no more until it does. Pictures
are held to their size in the same way, as the last key frame told it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sfu.control.messages import LimitReason
from sfu.forwarding.history import History

INTERVAL: Final = 0.5
"""Seconds between two looks."""
WINDOW: Final = 2.0
"""Seconds over which rates are measured."""
TOLERANCE: Final = 1.25
RETURN: Final = 1.05
"""Times the limit, below which what was cut comes back: less than `TOLERANCE`, so that nothing flaps."""
HOLD: Final = 2.0
"""Seconds for which it has to stay below."""
NOTHING: Final = -1
SIZE_TOLERANCE: Final = 1.34
"""Times the area of a granted picture: 4:3 at the width of 16:9 is a third more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In bits a second over all encodings, frames a second and pixels of each; None for no limit."""

    max_bitrate: int | None = None
    max_frame_rate: float | None = None
    max_pixels: int | None = None
    max_spatial: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Totals of one encoding since it began: bytes of payload, and frames. And the pixels of its pictures at
    present, 0 where they are not known."""

    octets: int
    frames: int
    pixels: int = 0


class _Rate(NamedTuple):
    bitrate: float
    frame_rate: float
    pixels: int


class Police:
    """Feed samples about every `INTERVAL`; `ceiling` is the highest encoding to forward, or `NOTHING`, and
    `reason` why the next one is not."""

    def __init__(self, encodings: int, limits: Limits) -> None:
        self._top = encodings - 1
        self._samples: deque[tuple[float, tuple[Sample, ...]]] = deque()
        self._better_since: float | None = None
        self.limits = limits
        self.ceiling = self._granted
        self.reason: LimitReason | None = None

    @property
    def _granted(self) -> int:
        spatial = self.limits.max_spatial
        return self._top if spatial is None else min(self._top, spatial)

    def change(self, limits: Limits) -> None:
        """Other limits apply from now on; what they cut is cut with the next samples."""
        self.limits = limits
        self.ceiling = min(self.ceiling, self._granted)

    def handle_samples(self, samples: Sequence[Sample], now: float) -> None:
        """One for each encoding, lowest first."""
        known = self._samples
        known.append((now, tuple(samples)))
        while len(known) > 2 and now - known[1][0] >= WINDOW:
            known.popleft()
        before, first = known[0]
        if now - before < WINDOW:
            return
        rates = [
            _Rate(
                8 * (after.octets - begin.octets) / (now - before),
                (after.frames - begin.frames) / (now - before),
                after.pixels,
            )
            for begin, after in zip(first, known[-1][1], strict=True)
        ]
        fitting, reason = self._fitting(rates, TOLERANCE)
        if fitting < self.ceiling:
            self.ceiling, self.reason = fitting, reason
            self._better_since = None
            return
        better, reason = self._fitting(rates, RETURN)
        better = min(better, self._granted)
        if better <= self.ceiling:
            self._better_since = None
        elif self._better_since is None:
            self._better_since = now
        elif now - self._better_since >= HOLD:
            self.ceiling, self.reason = better, reason
            self._better_since = None

    def _fitting(self, rates: Sequence[_Rate], tolerance: float) -> tuple[int, LimitReason | None]:
        """The highest encoding within the limits, and what the next one exceeds."""
        limits = self.limits
        total = 0.0
        for spatial, rate in enumerate(rates):
            total += rate.bitrate
            if limits.max_bitrate is not None and total > limits.max_bitrate * tolerance:
                return spatial - 1, "bitrate"
            if limits.max_frame_rate is not None and rate.frame_rate > limits.max_frame_rate * tolerance:
                return spatial - 1, "frame_rate"
            if limits.max_pixels is not None and rate.pixels > limits.max_pixels * SIZE_TOLERANCE:
                return spatial - 1, "frame_size"
        return self._top, None


def count_frames(history: History, first: int, end: int) -> int:
    """Frames among the packets from `first` up to but not including `end`, by their timestamps.

    Counted is where a frame begins, so neighbouring ranges add up.
    """
    frames = 0
    before = history.get(first - 1)
    last = None if before is None else before[2]
    for sequence in range(max(first, end - history.size), end):
        packet = history.get(sequence)
        if packet is not None and packet[2] != last:
            frames += 1
            last = packet[2]
    return frames
