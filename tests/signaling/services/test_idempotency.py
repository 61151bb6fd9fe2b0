from __future__ import annotations

import asyncio
from functools import partial

import pytest

from signaling.domain.idempotency import KEPT_FOR
from signaling.domain.meeting import Meeting
from signaling.errors import ValidationFailedError
from signaling.services.idempotency import AnsweredBefore, Once, create_once, forget_old
from signaling.services.ports import UnitOfWork, UnitOfWorkFactory
from signaling.store.database import Database
from signaling.testing import FakeClock, MemoryStore
from tests.signaling import values

ACME = values.organization()


async def furnished(units: UnitOfWorkFactory) -> None:
    async with units() as uow:
        await uow.organizations.add(ACME)
        await uow.commit()


async def add(meeting: Meeting, uow: UnitOfWork) -> Meeting:
    await uow.meetings.add(meeting)
    return meeting


async def create(
    units: UnitOfWorkFactory, clock: FakeClock, key: str = "key", request: str = "digest"
) -> str:
    """The id of the meeting that is answered with."""
    once: Once[Meeting] = Once(key, request, lambda made: made.id)
    try:
        made = await create_once(units, clock, ACME.id, once, partial(add, values.meeting(ACME)))
    except AnsweredBefore as before:
        return before.answer
    return made.id


async def count(units: UnitOfWorkFactory) -> int:
    async with units(reading=True) as uow:
        return (await uow.meetings.list(ACME.id))[1]


async def test_the_same_at_the_same_time_makes_one_thing_and_is_answered_the_same(either: Database) -> None:
    await furnished(either)
    answers = await asyncio.gather(*(create(either, FakeClock()) for _ in range(8)))
    assert len(set(answers)) == 1
    assert await count(either) == 1


async def test_another_request_with_the_same_key_makes_nothing() -> None:
    store, clock = MemoryStore(), FakeClock()
    await furnished(store)
    await create(store, clock)
    with pytest.raises(ValidationFailedError, match="another request"):
        await create(store, clock, request="another")
    assert await count(store) == 1
    await create(store, clock, "another key")
    assert await count(store) == 2


async def test_a_key_is_good_again_after_a_day_and_swept_then() -> None:
    store, clock = MemoryStore(), FakeClock()
    await furnished(store)
    first = await create(store, clock)
    clock.advance(KEPT_FOR.total_seconds() - 1)
    await forget_old(store, clock)
    assert await create(store, clock) == first
    clock.advance(2)
    assert await create(store, clock, request="another") != first
    clock.advance(KEPT_FOR.total_seconds() + 1)
    await forget_old(store, clock)
    async with store() as uow:
        assert await uow.idempotency.get(ACME.id, "key") is None


async def test_what_could_not_be_made_leaves_the_key_free() -> None:
    store, clock = MemoryStore(), FakeClock()
    await furnished(store)

    async def fail(_uow: UnitOfWork) -> Meeting:
        raise ValidationFailedError("no such preset")

    with pytest.raises(ValidationFailedError, match="no such preset"):
        await create_once(store, clock, ACME.id, Once("key", "digest", lambda made: made.id), fail)
    await create(store, clock, request="corrected")
    assert await count(store) == 1
