"""When this process itself stood still, so that nobody takes its own doing for a queue on the way.

A loop that comes late sends in one go what came meanwhile, under the time of a turn that may have begun long
before; and it reads in one go the reports that waited. Both look like a path that got crowded for a moment.
How late the loop is, it knows: its timer was due at a known time.

A stall excuses a queue no longer than itself, for no longer than that queue takes to drain, and not again
right after: a machine that is late all the time must not keep on sending into a path that is full.
"""

from __future__ import annotations

from typing import Final

LATE: Final = 0.05
"""Seconds of lateness that make a stall. Timers of a busy loop are late by less."""
LONGEST: Final = 1.0
"""Seconds that count of one stall: the queues of paths hold no more."""
MARGIN: Final = 0.05
"""Seconds that a queue may be longer than the stall that is to explain it."""
REPORTED_WITHIN: Final = 0.15
"""Seconds until a receiver's report leaves, beyond a round trip."""
REST: Final = 1.0
"""Seconds after one excuse before the next one."""


class Stalls:
    """Of one loop, for all its estimators. `handle_tick` with each turn of its timer."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._ended_at = float("-inf")
        self._seconds = 0.0

    def handle_tick(self, now: float, due: float) -> None:
        """A turn; the next one is `due` at that time."""
        self._note(now)
        self._due = due

    def explain(self, queue: float, rtt: float, now: float) -> bool:
        """Whether a queue of so many seconds, reported now, is this process's own doing."""
        self._note(now)
        return self.excuses(rtt, now) and queue <= self._seconds + MARGIN

    def excuses(self, rtt: float, now: float) -> bool:
        """Whether what is reported now may be about packets that a stall held up."""
        self._note(now)
        return now - self._ended_at <= self._seconds + rtt + REPORTED_WITHIN

    def _note(self, now: float) -> None:
        """Reports are read before the timer has its turn, so whoever comes first finds out."""
        if self._due is None or now - self._due < LATE:
            return
        seconds = min(now - self._due, LONGEST)
        self._due = None
        if now - self._ended_at > self._seconds + REST:
            self._ended_at = now
            self._seconds = seconds
