"""Sessions that are over become ARCHIVED, once all that they left behind is there.

That is when everybody's leaving is written, what was measured of them is, and each webhook about the session
was delivered or given up. From then on nothing of it changes: who counts, bills or exports may rely on it.

A server looks after what it had itself, for it knows what is not written yet; and after what servers had that
are not there any more, of which nothing will come.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from signaling.pacing import Pace
from signaling.repeating import Repeating
from signaling.services.live.ownership import Ownership
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

EVERY: Final = 30.0
"""Seconds."""
SETTLES_IN: Final = timedelta(seconds=60)
"""After its end. Until then some of its peers may still be on their way out, and reports be due."""
BATCH: Final = 100
"""Sessions in one transaction: others wait for it meanwhile."""
SHARE: Final = 0.1
"""Of the time that it may take at most, where there are many: after an upgrade all that ever ran."""


class Reports(Protocol):
    @property
    def unwritten(self) -> Set[str]:
        """The sessions of which peers left whose reports are not written yet."""
        ...


class SessionArchive:
    """`looking` is started and closed by whoever has it. Several servers may look beside each other."""

    def __init__(self, units: UnitOfWorkFactory, clock: Clock, servers: Ownership, reports: Reports) -> None:
        self._units = units
        self._clock = clock
        self._servers = servers
        self._reports = reports
        self.looking = Repeating("session archive", self.look, every=EVERY)

    async def look(self) -> int:
        """How many became archived. Raises what the store raises."""
        elsewhere = [one.id for one in await self._servers.others()]
        pace = Pace(self._clock.monotonic, share=SHARE)
        count = 0
        while True:
            now = self._clock.now()
            unwritten = self._reports.unwritten
            limit = BATCH + len(unwritten)
            async with self._units(reading=True) as uow:
                found = await uow.sessions.settled(before=now - SETTLES_IN, elsewhere=elsewhere, limit=limit)
            ready = [one.id for one in found if one.id not in unwritten]
            if not ready:
                return count
            count += await committed(self._units, partial(_archive, ready, now), alone=True)
            if len(found) < limit:
                return count
            await pace.rest()


async def _archive(session_ids: Sequence[str], now: datetime, uow: UnitOfWork) -> int:
    return await uow.sessions.archive(session_ids, now)
