"""Whether a producer keeps to what its publisher was granted, and how much of it is forwarded if not. Pure.

Browsers keep to the bitrate of an answer; whoever does not is measured here, over some seconds and with
tolerance, for encoders overshoot. Of a simulcast the higher encodings go first: forwarded are the lowest ones
that fit the limit together. A stream that does not fit even so is forwarded no more until it does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Limits:
    """In bits and frames a second, over all encodings and of each; None for no limit."""

    max_bitrate: int | None = None
    max_frame_rate: float | None = None
    max_spatial: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Totals of one encoding since it began: bytes of payload, and frames."""

    octets: int
    frames: int


class Police:
    """Feed samples about every `INTERVAL`; `ceiling` is the highest encoding to forward, or `NOTHING`."""

    def __init__(self, encodings: int, limits: Limits) -> None:
        self._top = encodings - 1
        self._samples: deque[tuple[float, tuple[Sample, ...]]] = deque()
        self._better_since: float | None = None
        self.limits = limits
        self.ceiling = self._granted

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
        pairs = [
            (
                8 * (after.octets - begin.octets) / (now - before),
                (after.frames - begin.frames) / (now - before),
            )
            for begin, after in zip(first, known[-1][1], strict=True)
        ]
        fitting = self._fitting(pairs, TOLERANCE)
        if fitting < self.ceiling:
            self.ceiling = fitting
            self._better_since = None
            return
        better = min(self._fitting(pairs, RETURN), self._granted)
        if better <= self.ceiling:
            self._better_since = None
        elif self._better_since is None:
            self._better_since = now
        elif now - self._better_since >= HOLD:
            self.ceiling = better
            self._better_since = None

    def _fitting(self, pairs: Sequence[tuple[float, float]], tolerance: float) -> int:
        limits = self.limits
        total = 0.0
        for spatial, (bitrate, frame_rate) in enumerate(pairs):
            total += bitrate
            if limits.max_bitrate is not None and total > limits.max_bitrate * tolerance:
                return spatial - 1
            if limits.max_frame_rate is not None and frame_rate > limits.max_frame_rate * tolerance:
                return spatial - 1
        return self._top


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
