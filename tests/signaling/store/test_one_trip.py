"""How often a unit of work goes to SQLite's thread, and that nothing is lost on the way."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from signaling.errors import ConflictError
from signaling.store.database import Database
from tests.signaling import values


@pytest.fixture
async def trips(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was done in the thread, in order."""
    done: list[str] = []
    async with database._engine.connect() as db:
        driver: Any = (await db.get_raw_connection()).driver_connection
    original = driver._execute

    async def count(work: Any, *arguments: Any) -> Any:
        done.append(work.__name__)
        return await original(work, *arguments)

    monkeypatch.setattr(driver, "_execute", count)
    return done


async def test_a_statement_is_one_trip_and_so_is_the_end(database: Database, trips: list[str]) -> None:
    async with database() as uow:
        assert await uow.organizations.first() is None
        assert await uow.meetings.get("nobody", "nothing") is None
    assert trips == ["_execute", "_execute", "rollback"]


async def test_what_was_committed_is_not_rolled_back_as_well(database: Database, trips: list[str]) -> None:
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()
    assert trips == ["_execute", "commit"]


async def test_a_commit_that_fails_is_rolled_back(
    database: Database, trips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database._engine.connect() as db:
        driver: Any = (await db.get_raw_connection()).driver_connection
    commit = driver.commit

    async def fail() -> None:
        monkeypatch.setattr(driver, "commit", commit)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(driver, "commit", fail)
    with pytest.raises(OperationalError):
        async with database() as uow:
            await uow.organizations.add(values.organization())
            await uow.commit()
    assert trips[-1] == "rollback"
    async with database() as uow:
        assert await uow.organizations.first() is None
        await uow.organizations.add(values.organization())
        await uow.commit()


async def test_a_unit_that_asks_nothing_takes_none(database: Database, trips: list[str]) -> None:
    async with database() as uow:
        await uow.commit()
    async with database():
        pass
    assert trips == []


async def test_a_transaction_begins_before_its_first_statement(database: Database) -> None:
    acme = values.organization()
    async with database() as uow:
        await uow.organizations.add(acme)
    async with database() as uow:
        assert await uow.organizations.get(acme.id) is None, "nobody committed it"
        await uow.organizations.add(acme)
        await uow.commit()
    async with database() as uow:
        with pytest.raises(ConflictError):
            await uow.organizations.add(acme)
    async with database() as uow:
        assert await uow.organizations.get(acme.id) == acme


async def test_one_that_cannot_begin_leaves_nothing_behind(database: Database) -> None:
    async with database._engine.connect() as db:
        await db.begin()
        raw: Any = await db.get_raw_connection()
        raw.dbapi_connection.begin = "BEGIN NONSENSE"
        with pytest.raises(OperationalError):
            await db.execute(text("select 1"))
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()


async def test_rows_come_with_their_names_and_changes_with_their_number(database: Database) -> None:
    async with database._engine.begin() as db:
        await db.execute(text("create table heap (number integer)"))
        await db.execute(text("insert into heap values (:number)"), [{"number": 1}, {"number": 2}])
        changed = await db.execute(text("update heap set number = number + 1"))
        assert changed.rowcount == 2
        rows = (await db.execute(text("select number from heap order by number"))).mappings().all()
    assert [dict(row) for row in rows] == [{"number": 2}, {"number": 3}]
