"""What removed organizations left: removed or emptied some rows at a time, so that nobody waits for it long.

The store knows which of them are not done yet, so whatever process there is goes on with them. How far it got
is known only here: one that goes on after another begins at the front, and finds most of it done.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from signaling.pacing import Pace
from signaling.repeating import Repeating
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.ports.organizations import FRONT, Place
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

EVERY: Final = 15.0
"""Seconds."""
SETTLED: Final = timedelta(minutes=2)
"""After its removal nobody writes for an organization any more: no request takes as long, of a caller whom
some server let in just before, or still remembered for a second."""
ROWS: Final = 200
"""In one transaction."""
SHARE: Final = 0.5
"""Of the time that it may take at most: the rest is for others."""


class Emptying:
    """`looking` is started and closed by whoever has it. Several processes may do this beside each other.

    What is removed is emptied at once by whoever removes it, and once more by a look when it has settled."""

    def __init__(self, units: UnitOfWorkFactory, clock: Clock, *, rows: int = ROWS) -> None:
        self._units = units
        self._clock = clock
        self._rows = rows
        self.looking = Repeating("emptying", self.look, every=EVERY, at_once=True)

    async def look(self) -> None:
        """Until nothing is left of any that has settled. Raises what the store raises."""
        async with self._units(reading=True) as uow:
            left = await uow.organizations.unemptied(self._clock.now() - SETTLED)
        for organization_id in left:
            await self.empty(organization_id)

    async def empty(self, organization_id: str, *, within: float | None = None) -> None:
        """`within`: give up after so many seconds; the rest is found by a look."""
        place: Place | None = FRONT
        began = self._clock.monotonic()
        pace = Pace(self._clock.monotonic, share=SHARE)
        while place is not None:
            if within is not None and self._clock.monotonic() - began > within:
                return
            place = await committed(self._units, partial(self._step, organization_id, place), alone=True)
            await pace.rest()
        log.info("organization.emptied", organization_id=organization_id)

    async def _step(self, organization_id: str, place: Place, uow: UnitOfWork) -> Place | None:
        now = self._clock.now()
        return await uow.organizations.empty(
            organization_id, place, now, settled=now - SETTLED, limit=self._rows
        )
