"""Changes to the store, tried again where another one came between.

On PostgreSQL two units of work run side by side until one would see or overwrite what the other changed; then
one of them fails and has done nothing. It is run again, from the start, since what it read may be another by
now. On SQLite units come one after the other; what is tried again there is what was to be committed together
with a unit that failed in such a way that the database undid all of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from signaling.errors import ContendedError
from signaling.services.ports import UnitOfWork, UnitOfWorkFactory

MAX_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = 0.005
"""Seconds; the longest pause before the second attempt, doubled for each that follows."""
LONGEST_PAUSE: Final = 0.25

T = TypeVar("T")


async def committed(
    units: UnitOfWorkFactory, work: Callable[[UnitOfWork], Awaitable[T]], *, alone: bool = False
) -> T:
    """What `work` returns, once what it did is committed. `alone`: it changes many rows.

    It may be run several times, so it does nothing but look and write in the unit it is given. Raises what it
    raises, and `ContendedError` after `MAX_ATTEMPTS`.
    """
    pause = FIRST_PAUSE
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return await _once(units, work, alone=alone)
        except ContendedError:
            await asyncio.sleep(random.uniform(0.0, pause))
            pause = min(2 * pause, LONGEST_PAUSE)
    return await _once(units, work, alone=alone)


async def _once(units: UnitOfWorkFactory, work: Callable[[UnitOfWork], Awaitable[T]], *, alone: bool) -> T:
    async with units(alone=alone) as uow:
        done = await work(uow)
        await uow.commit()
        return done
