"""What an organization used, day by day in UTC: time of participants, sessions, most of them at once. Pure.

A session that runs over midnight is on both days, on each with the time that it had then. The most at
once are counted over all sessions together, with those who were in since the day before.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Both included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return midnight(self.first)

    @property
    def until(self) -> datetime:
        """What is then is on none of the days any more."""
        return midnight(self.last) + _DAY

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Span:
    """One time that somebody was in who counts."""

    peer_id: str
    session_id: str
    unit_id: str | None
    joined_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Usage:
    participant_seconds: float = 0.0
    sessions: int = 0
    """Different ones."""
    peak: int = 0
    """The most participants at once."""


@dataclass(slots=True)
class _Day:
    seconds: float = 0.0
    sessions: set[str] = field(default_factory=set)
    peak: int = 0

    def usage(self) -> Usage:
        return Usage(self.seconds, len(self.sessions), self.peak)


class Tally:
    """Takes spans in the order in which they began; those from before the first day come first."""

    def __init__(self, days: Days, now: datetime) -> None:
        """Who is in still has been in until `now`."""
        self._days = days
        self._since, self._until = days.since, days.until
        self._now = now
        self._of_day: dict[date, _Day] = {day: _Day() for day in days}
        self._sessions: set[str] = set()
        self._ends: list[datetime] = []
        """Of those who are in, as a heap."""
        self._next_midnight = self._since

    def add(self, span: Span) -> None:
        since = max(span.joined_at, self._since)
        until = min(span.left_at or self._now, self._until)
        if since >= self._until or (until <= since and span.joined_at < self._since):
            return
        until = max(since, until)
        self._pass_midnights(since)
        self._let_go(since)
        if until > since:
            heapq.heappush(self._ends, until)
        day = self._of_day[since.date()]
        day.peak = max(day.peak, len(self._ends))
        self._sessions.add(span.session_id)
        self._count(span.session_id, since, until)

    def days(self) -> list[tuple[date, Usage]]:
        """Every day, also those without any."""
        self._pass_midnights(self._until)
        return [(day, self._of_day[day].usage()) for day in self._days]

    def total(self) -> Usage:
        self._pass_midnights(self._until)
        days = self._of_day.values()
        seconds = sum(one.seconds for one in days)
        return Usage(seconds, len(self._sessions), max(one.peak for one in days))

    def _count(self, session_id: str, since: datetime, until: datetime) -> None:
        while True:
            day = self._of_day[since.date()]
            end = min(until, midnight(since.date()) + _DAY)
            day.sessions.add(session_id)
            day.seconds += (end - since).total_seconds()
            if end >= until:
                return
            since = end

    def _pass_midnights(self, to: datetime) -> None:
        """A day begins with those who are in from the day before."""
        while self._next_midnight < self._until and self._next_midnight <= to:
            self._let_go(self._next_midnight)
            day = self._of_day[self._next_midnight.date()]
            day.peak = max(day.peak, len(self._ends))
            self._next_midnight += _DAY

    def _let_go(self, at: datetime) -> None:
        while self._ends and self._ends[0] <= at:
            heapq.heappop(self._ends)


def midnight(day: date) -> datetime:
    """That the day begins with."""
    return datetime.combine(day, time(), UTC)


def in_minutes(seconds: float) -> float:
    return round(seconds / 60, 3)
