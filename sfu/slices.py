"""Turns of many transports, a millisecond's worth at a time: what comes in meanwhile is read in between.

A node of hundreds of transports has tens of milliseconds of turns ten times a second. Worked off in one go,
each of them would hold up the media for so long. But where one picture goes to so many that it takes tens of
milliseconds as well, a millisecond in between would leave each transport a turn in some seconds. So turns
have a share of the time, however long the loop takes to come back to them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

LENGTH: Final = 0.001
"""Seconds after which the loop is let to its sockets; a turn that was begun is ended."""

SHARE: Final = 1 / 8
"""Of the time that the loop was away for its sockets, that the next slice may take where that is more."""

T = TypeVar("T")


class Slices(Generic[T]):
    """`work` gives one its turn at a time; it raises nothing."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, work: Callable[[T, float], None], clock: Callable[[], float]
    ) -> None:
        self._loop = loop
        self._work = work
        self._clock = clock
        self.seconds = 0.0
        """That all turns took so far."""
        self._waiting: deque[T] = deque()
        self._continued: asyncio.Handle | None = None
        self._left_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether some of those of before still wait. Give it no others as long as that is so."""
        return bool(self._waiting)

    def begin(self, due: Iterable[T]) -> None:
        """Give all of these a turn, the first of them now."""
        self._waiting.extend(due)
        if self._continued is None:
            self._do(LENGTH)

    def close(self) -> None:
        self._waiting.clear()
        if self._continued is not None:
            self._continued.cancel()
            self._continued = None

    def _go_on(self) -> None:
        self._continued = None
        self._do(max(LENGTH, SHARE * (self._clock() - self._left_at)))

    def _do(self, length: float) -> None:
        waiting = self._waiting
        begun = now = self._clock()
        while waiting:
            if now - begun >= length:
                self._continued = self._loop.call_soon(self._go_on)
                break
            self._work(waiting.popleft(), now)
            now = self._clock()
        self._left_at = now
        self.seconds += now - begun
