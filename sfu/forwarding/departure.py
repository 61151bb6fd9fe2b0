"""When a batch leaves: how far into its turn of the loop.

All that a turn does carries the time at which it began. A turn that sends several pictures to hundreds of
receivers takes a tenth of a second and more; were it noted that all of it left at the beginning, the paths of
those who are sent to last would seem crowded.
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.clock import monotonic


class Departure:
    """Of one loop. A turn is told by the time at which it began."""

    __slots__ = ("_begun", "_clock", "_turn")

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._turn = float("-inf")
        self._begun = 0.0

    def at(self, turn: float) -> float:
        """When something leaves now, in the turn that began at `turn`; the first thing leaves right then."""
        if turn != self._turn:
            self._turn = turn
            self._begun = self._clock()
            return turn
        return turn + self._clock() - self._begun
