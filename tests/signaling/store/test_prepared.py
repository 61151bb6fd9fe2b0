"""Prepared statements say the same as SQLAlchemy's own way, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from signaling.domain.configuration import Configuration
from signaling.store.database import Database
from signaling.store.prepared import Prepared
from signaling.store.rows import values_of
from signaling.store.tables import meetings, organizations
from signaling.testing.store import statements
from tests.signaling import values

_OF_VERSION_1 = (
    select(meetings, meetings.c.version == 1)
    .where(meetings.c.organization_id == bindparam("organization"), meetings.c.version == 1)
    .order_by(meetings.c.id)
)


async def test_times_json_truth_and_constants_come_as_from_sqlalchemy(either: Database) -> None:
    acme = values.organization()
    one = replace(values.meeting(acme), configuration=Configuration(loudest_audio=3))
    other = replace(values.meeting(acme), version=2)
    wanted: dict[str, Any] = {"organization": acme.id}
    async with statements(either) as db:
        await db.execute(insert(organizations).values(values_of(acme)))
        for meeting in (one, other):
            await db.execute(insert(meetings).values(values_of(meeting)))
        rows = await db.rows(Prepared(_OF_VERSION_1), wanted)
        assert rows == [list(row) for row in await db.execute(_OF_VERSION_1, wanted)]
    assert [row[0] for row in rows] == [one.id]
    assert rows[0][-1] is True


async def test_what_is_inserted_is_found_and_what_a_constraint_refuses_is_told(either: Database) -> None:
    acme = values.organization()
    add = Prepared(insert(organizations).values({name: bindparam(name) for name in values_of(acme)}))
    async with statements(either) as db:
        assert await db.rows(add, values_of(acme)) == []
        found = (await db.execute(select(organizations))).mappings().all()
        assert [row["created_at"] for row in found if row["id"] == acme.id] == [acme.created_at]
    with pytest.raises(IntegrityError):
        async with statements(either) as db:
            await db.rows(add, values_of(acme))


async def test_one_that_takes_a_list_is_refused(either: Database) -> None:
    many = select(meetings).where(meetings.c.id.in_(bindparam("ids", expanding=True)))
    with pytest.raises(AssertionError, match="depends on no value"):
        Prepared(many).on(either.source.dialect)
