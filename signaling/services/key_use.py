"""When keys were last used, written seldom: it is for people who wonder whether a key can go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from signaling.domain.organization import ApiKey
from signaling.repeating import Repeating
from signaling.services.ports import Clock, UnitOfWorkFactory
from signaling.services.transaction import committed

TO_WITHIN: Final = timedelta(minutes=10)
WRITTEN_EVERY: Final = 60.0
"""Seconds."""


class KeyUse:
    """`writing` from start to close."""

    def __init__(self, units: UnitOfWorkFactory, clock: Clock) -> None:
        self._units = units
        self._clock = clock
        self._used: dict[str, datetime] = {}
        self.writing = Repeating("use of keys", self.write, every=WRITTEN_EVERY)

    def note(self, key: ApiKey, now: datetime) -> None:
        """That it was used; a use shortly after one that was written is not."""
        if key.last_used_at is None or now - key.last_used_at >= TO_WITHIN:
            self._used[key.id] = now

    async def write(self) -> None:
        """All that was noted, in one transaction."""
        used, self._used = self._used, {}
        if used:
            await committed(self._units, lambda uow: uow.api_keys.used(used, max(used.values())))
