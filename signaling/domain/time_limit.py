"""When a session has lasted as long as it may, and when those who are in are warned of it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

WARN_BEFORE: Final = (300.0, 60.0)
"""Seconds before the end; of a session that is shorter, what of it fits."""


class TimeLimit:
    """`lasts` in seconds, None: for ever. `started_at` None: not yet, see `begin`."""

    def __init__(self, started_at: datetime | None, lasts: float | None) -> None:
        self._lasts = lasts
        self.ends_at: datetime | None = None
        self._warned: float | None = None
        if started_at is not None:
            self.begin(started_at)

    def begin(self, started_at: datetime) -> None:
        if self._lasts is not None:
            self.ends_at = started_at + timedelta(seconds=self._lasts)

    def left(self, now: datetime) -> float | None:
        """Seconds; None where there is no end."""
        return None if self.ends_at is None else (self.ends_at - now).total_seconds()

    def over(self, now: datetime) -> bool:
        left = self.left(now)
        return left is not None and left <= 0

    def warning_due(self, now: datetime) -> bool:
        """Whether another warning is due that `handle_warned` was not told of."""
        return self._stage(now) != self._warned

    def handle_warned(self, now: datetime) -> None:
        self._warned = self._stage(now)

    def _stage(self, now: datetime) -> float | None:
        left = self.left(now)
        return None if left is None else min((one for one in WARN_BEFORE if left <= one), default=None)
