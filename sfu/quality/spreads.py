"""How the figures of all streams of a node are spread, for a fleet's graphs: who looks at single streams asks
for their stats. Pure.

One histogram for each measure, direction and kind of stream; a stream that flows is counted in once each
time its meter settles, every two seconds. So there are as many of them as of labels, however many streams
there are. Freezes are counted as they begin, by the same labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sfu.histogram import Histogram

if TYPE_CHECKING:
    from sfu.quality.meter import Figures
    from sfu.quality.score import Kind

Measure = Literal["rtt", "loss", "jitter", "score", "bitrate", "estimate"]
Direction = Literal["in", "out"]
"""From publishers, and to receivers."""

BOUNDS: Final[dict[Measure, tuple[float, ...]]] = {
    "rtt": (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 0.7, 1.5),
    "loss": (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    "jitter": (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16),
    "score": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    "bitrate": (0.0, 1.6e4, 3.2e4, 6.4e4, 1.5e5, 3e5, 6e5, 1.2e6, 2.5e6, 5e6, 1e7),
    "estimate": (1e5, 2e5, 3.5e5, 5e5, 1e6, 2e6, 4e6, 8e6, 1.6e7),
}
"""Seconds, shares of the packets, seconds, points, bits per second of payload and of all."""


class Spread(NamedTuple):
    """`direction` and `kind` are None of an estimate, which is of a receiver's whole path."""

    measure: Measure
    direction: Direction | None
    kind: Kind | None
    histogram: Histogram


class QualitySpreads:
    """Of one node, since it started."""

    def __init__(self) -> None:
        self._spreads: dict[tuple[Measure, Direction | None, Kind | None], Histogram] = {}
        self.freezes: Counter[tuple[Direction, Kind]] = Counter()
        """How many began."""

    def observe(self, direction: Direction, kind: Kind, figures: Figures, freezes: int) -> None:
        """A stream's figures have just been settled, and `freezes` began meanwhile. Of one that does not flow
        there is nothing else to say."""
        self.freezes[direction, kind] += freezes
        if not figures.packet_rate and not figures.frozen:
            return
        self._of("loss", direction, kind).observe(figures.loss + figures.repaired)
        self._of("jitter", direction, kind).observe(figures.jitter)
        self._of("score", direction, kind).observe(figures.score)
        self._of("bitrate", direction, kind).observe(figures.bitrate)
        if figures.rtt is not None:
            self._of("rtt", direction, kind).observe(figures.rtt)

    def observe_estimate(self, bitrate: float) -> None:
        self._of("estimate", None, None).observe(bitrate)

    def __iter__(self) -> Iterator[Spread]:
        for key, histogram in self._spreads.items():
            yield Spread(*key, histogram)

    def _of(self, measure: Measure, direction: Direction | None, kind: Kind | None) -> Histogram:
        key = (measure, direction, kind)
        histogram = self._spreads.get(key)
        if histogram is None:
            histogram = self._spreads[key] = Histogram(BOUNDS[measure])
        return histogram
