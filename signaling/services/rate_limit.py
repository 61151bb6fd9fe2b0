"""How often somebody may ask over REST. Pure: the time is told.

Of everybody who asked lately one number is kept: until when what they asked for takes them (the generic cell
rate algorithm). Somebody who asked nothing for a whole window may ask for all of it at once, and from then on
as fast as the window comes by.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from typing import Final

WINDOW: Final = 60.0
"""Seconds."""
MAX_TRACKED: Final = 50_000
"""Of whom it is remembered that they asked; whoever has not for the longest time is forgotten first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands after a request. `reset`: seconds until all of `limit` may be asked for again;
    `retry_after`: seconds until one may, None for a request that is granted."""

    name: str
    limit: int
    remaining: int
    reset: int
    retry_after: int | None

    @property
    def granted(self) -> bool:
        return self.retry_after is None


class RateLimit:
    """`limit` requests within `WINDOW`, of each."""

    def __init__(self, name: str, limit: int, *, max_tracked: int = MAX_TRACKED) -> None:
        assert limit > 0
        self.name = name
        self._limit = limit
        self._interval = WINDOW / limit
        self._max_tracked = max_tracked
        self._taken_until: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._taken_until)

    def take(self, who: str, now: float) -> Standing:
        """One request; a refused one costs nothing."""
        until = max(self._taken_until.get(who, now), now) + self._interval
        over = until - now - WINDOW
        if over > self._interval * 1e-6:
            return Standing(self.name, self._limit, 0, ceil(until - self._interval - now), max(1, ceil(over)))
        self._taken_until[who] = until
        self._taken_until.move_to_end(who)
        self._forget(now)
        remaining = int((WINDOW - (until - now)) / self._interval + 1e-6)
        return Standing(self.name, self._limit, remaining, ceil(until - now), None)

    def _forget(self, now: float) -> None:
        """The one that asked longest ago, where it has all of its limit again or there are too many."""
        who, until = next(iter(self._taken_until.items()))
        if until <= now or len(self._taken_until) > self._max_tracked:
            del self._taken_until[who]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """None: as often as they like."""

    address: RateLimit | None = None
    key: RateLimit | None = None
    organization: RateLimit | None = None

    @classmethod
    def per_minute(cls, *, address: int, key: int, organization: int) -> RateLimits:
        """0: as often as they like."""
        return cls(
            RateLimit("address", address) if address else None,
            RateLimit("key", key) if key else None,
            RateLimit("organization", organization) if organization else None,
        )
