"""How values are spread over fixed buckets: a list of counts and a sum, cheap to add to. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence


class Histogram:
    """`bounds` are the upper ones of the buckets, ascending; one more bucket takes what is above them all."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, weight: int = 1) -> None:
        """`weight` things had that value."""
        self.counts[bisect_left(self.bounds, value)] += weight
        self.total += value * weight

    def add(self, others: Iterable[Histogram]) -> Histogram:
        """Take in the counts of others of the same bounds. Returns itself."""
        for other in others:
            self.counts = [own + one for own, one in zip(self.counts, other.counts, strict=True)]
            self.total += other.total
        return self
