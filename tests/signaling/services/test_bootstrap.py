"""The first start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.auth.api_keys import hash_api_key
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.errors import ConflictError
from signaling.ids import new_uuid
from signaling.services.bootstrap import Bootstrap
from signaling.testing import FakeClock, MemoryStore
from tests.signaling import values


async def test_the_first_start_makes_everything_there_is_to_try() -> None:
    store = MemoryStore()
    bootstrap = Bootstrap(store, FakeClock())
    assert await bootstrap.organization() is None
    made = await bootstrap.create(new_uuid(), hash_api_key("key"))
    assert await bootstrap.organization() == made
    async with store() as uow:
        found = await uow.api_keys.by_hash(hash_api_key("key"), made.id)
    assert found is not None and found[0].platform and found[1] == made
    seats = {seat.label: seat.participant for seat in await bootstrap.demo_seats(made.id)}
    assert [one.preset_name for one in seats.values()] == [
        "group_call_host",
        "group_call_participant",
        "webinar_presenter",
        "webinar_viewer",
    ]
    async with store() as uow:
        for preset in DEFAULT_PRESETS:
            assert await uow.presets.by_name(made.id, preset.name) is not None
        meeting = await uow.meetings.get(made.id, seats["host"].meeting_id)
    assert meeting is not None and meeting.short


async def test_a_demo_seat_that_was_removed_is_not_made_anew() -> None:
    store = MemoryStore()
    bootstrap = Bootstrap(store, FakeClock())
    made = await bootstrap.create(new_uuid(), hash_api_key("key"))
    first, *rest = await bootstrap.demo_seats(made.id)
    async with store() as uow:
        await uow.participants.remove(first.participant)
        await uow.commit()
    assert await bootstrap.demo_seats(made.id) == rest


async def test_what_fails_half_way_leaves_nothing() -> None:
    store = MemoryStore()
    bootstrap = Bootstrap(store, FakeClock())
    former = replace(values.organization(), deleted_at=values.NOON)
    async with store() as uow:
        await uow.organizations.add(former)
        await uow.api_keys.add(values.api_key(former, hash_api_key("key")))
        await uow.commit()
    with pytest.raises(ConflictError):  # the same key twice
        await bootstrap.create("two", hash_api_key("key"))
    async with store() as uow:
        assert await uow.organizations.get("two") is None
