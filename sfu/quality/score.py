"""How good a stream is, from 0 (of no use) to 10 (as good as it gets). Pure.

A score is ten times a product of factors, one for each thing that can be wrong: what is lost, what had to be
sent twice, how late it comes, how little of it comes, and for how long nothing does. Each factor is a table
from "nothing wrong" (1) to "useless" (near 0), straight lines in between. So a score never leaves its bounds,
never gets better because something got worse, and one thing that is bad enough is enough.

What the tables say is taken from what people put up with: speech is good up to 150 ms one way and poor from
400 ms on (ITU-T G.114); Opus conceals a few percent of losses, a picture does not; a freeze annoys by its
length.

A `Gauge` follows the score of one stream over time: quick to believe that it got worse, slow to believe that
it is better, and with something to tell only when it moved by most of a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final, Literal

BEST: Final = 10
FALL: Final = 2.0
"""Seconds in which most of a fall is believed, ..."""
RISE: Final = 8.0
"""... and of a rise."""
STEP: Final = 0.75
"""Points by which the followed score has to differ from the one told last."""
JITTER_BUFFER: Final = 3.0
"""How many times the jitter a receiver waits, to lose nothing by it."""

Kind = Literal["audio", "video"]
Table = Sequence[tuple[float, float]]

LOSS: Final[dict[Kind, Table]] = {
    "audio": ((0.0, 1.0), (0.02, 0.95), (0.05, 0.8), (0.1, 0.6), (0.2, 0.35), (0.5, 0.05), (1.0, 0.0)),
    "video": ((0.0, 1.0), (0.01, 0.85), (0.03, 0.6), (0.1, 0.3), (0.3, 0.05), (1.0, 0.0)),
}
REPAIRED: Final[Table] = ((0.0, 1.0), (0.02, 0.97), (0.1, 0.8), (0.3, 0.5), (1.0, 0.2))
DELAY: Final[Table] = ((0.0, 1.0), (0.15, 1.0), (0.25, 0.85), (0.4, 0.6), (1.0, 0.25), (5.0, 0.05))
FILL: Final[Table] = ((0.0, 0.3), (0.2, 0.7), (0.5, 1.0), (1.0, 1.0))
FROZEN: Final[Table] = ((0.0, 1.0), (0.05, 0.8), (0.2, 0.5), (0.5, 0.2), (1.0, 0.0))
PICTURES_LOST: Final[Table] = ((0.0, 1.0), (0.2, 0.9), (1.0, 0.6), (5.0, 0.3))


@dataclass(frozen=True, slots=True)
class Sample:
    """A stream over some seconds. Shares are 0 to 1."""

    kind: Kind
    loss: float = 0.0
    """Share of the packets that never came, ..."""
    repaired: float = 0.0
    """... and of those that came only because they were asked for again."""
    jitter: float = 0.0
    """Seconds."""
    rtt: float = 0.0
    """Seconds; 0 where unknown."""
    fill: float = 1.0
    """The bitrate against what the layer normally takes."""
    frozen: float = 0.0
    """Share of the time in which something should have come for long, and did not."""
    pictures_lost: float = 0.0
    """How often a second the receiver asked for a whole new picture."""


def score(sample: Sample) -> float:
    """0.0 to 10.0."""
    delay = sample.rtt / 2 + JITTER_BUFFER * sample.jitter
    return (
        BEST
        * _at(LOSS[sample.kind], sample.loss)
        * _at(REPAIRED, sample.repaired)
        * _at(DELAY, delay)
        * _at(FILL, sample.fill)
        * _at(FROZEN, sample.frozen)
        * _at(PICTURES_LOST, sample.pictures_lost)
    )


class Gauge:
    """Follows one stream. Who is told nothing may take it for the best."""

    __slots__ = ("told", "value")

    def __init__(self) -> None:
        self.value = float(BEST)
        self.told = BEST

    def handle(self, sample: Sample, seconds: float) -> int | None:
        """The stream as it was for the last `seconds`. The new score to tell, None for none."""
        found = score(sample)
        weight = 1.0 - exp(-seconds / (FALL if found < self.value else RISE))
        self.value += (found - self.value) * weight
        if abs(self.value - self.told) < STEP:
            return None
        self.told = round(self.value)
        return self.told


def _at(table: Table, value: float) -> float:
    """The table's factor for a value: between two rows on the line, outside them as the nearest."""
    left, factor = table[0]
    for right, next_factor in table[1:]:
        if value < right:
            share = max(0.0, value - left) / (right - left)
            return factor + (next_factor - factor) * share
        left, factor = right, next_factor
    return factor
