"""From one moment to another, for filters of lists. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class TimeRange:
    """`since` is in it, `until` no more; None: without an end on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def within(self, other: TimeRange) -> TimeRange:
        """What both have."""
        since = [one for one in (self.since, other.since) if one is not None]
        until = [one for one in (self.until, other.until) if one is not None]
        return TimeRange(max(since, default=None), min(until, default=None))


ANY_TIME: Final = TimeRange()
