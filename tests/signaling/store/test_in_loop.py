"""When a unit of work goes to SQLite's thread; that the loop never waits, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from signaling.domain.organization import Organization
from signaling.errors import ConflictError, StoreUnavailableError
from signaling.store.database import Database
from signaling.store.in_loop import WAIT_MS
from tests.signaling import values
from tests.support.wait import wait_until


@pytest.fixture
async def driver(database: Database) -> Any:
    async with database._engine.connect() as db:
        return (await db.get_raw_connection()).driver_connection


@pytest.fixture
def trips(driver: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was done in the thread, in order."""
    done: list[str] = []
    original = driver._execute

    async def count(work: Any, *arguments: Any) -> Any:
        done.append(work.__name__)
        return await original(work, *arguments)

    monkeypatch.setattr(driver, "_execute", count)
    return done


async def test_who_only_reads_never_leaves_the_loop(database: Database, trips: list[str]) -> None:
    async with database() as uow:
        assert await uow.organizations.first() is None
        assert await uow.meetings.get("nobody", "nothing") is None
    assert trips == []


async def test_only_the_commit_of_a_change_is_a_trip(database: Database, trips: list[str]) -> None:
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()
    assert trips == ["_commit"]


async def test_a_commit_that_fails_is_rolled_back(
    database: Database, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = driver._execute

    async def fail(*_: Any) -> None:
        monkeypatch.setattr(driver, "_execute", original)
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(driver, "_execute", fail)
    with pytest.raises(StoreUnavailableError):
        async with database() as uow:
            await uow.organizations.add(values.organization())
            await uow.commit()
    assert not driver._conn.in_transaction
    async with database() as uow:
        assert await uow.organizations.first() is None
        await uow.organizations.add(values.organization())
        await uow.commit()


async def test_the_loop_turns_while_another_process_writes(
    database: Database, trips: list[str], tmp_path: Path
) -> None:
    acme = values.organization()
    other = sqlite3.connect(tmp_path / "rostrum.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database() as uow:
            await uow.organizations.add(acme)
            await uow.commit()

    writing = asyncio.create_task(write())
    await wait_until(lambda: "_begin_waiting" in trips, "the unit waits in the thread")
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing
    assert trips == ["_begin_waiting", "_commit"]
    assert driver_timeout(await raw_connection(database)) == 0, "the loop would wait the next time"
    async with database() as uow:
        assert await uow.organizations.get(acme.id) == acme


async def test_who_only_reads_waits_for_nobody_who_writes(
    database: Database, trips: list[str], tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "rostrum.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with database(reading=True) as uow:
        assert await uow.organizations.first() is None
    other.execute("COMMIT")
    other.close()
    assert trips == []


async def test_what_was_begun_in_the_thread_ends_before_the_loop_goes_on(
    database: Database, driver: Any, tmp_path: Path
) -> None:
    """Somebody stops waiting for a commit: nobody touches the connection before the thread is done."""
    acme, held, release = values.organization(), threading.Event(), threading.Event()

    async def commit_held() -> None:
        async with database() as uow:
            await uow.organizations.add(acme)
            driver._tx.put_nowait((None, lambda: (held.set(), release.wait(WAIT_MS / 1000))))
            await uow.commit()

    committing = asyncio.create_task(commit_held())
    await wait_until(held.is_set, "the thread is held before the commit")
    committing.cancel()
    looking = asyncio.create_task(first_organization(database))
    for _ in range(10):
        await asyncio.sleep(0)
    assert driver._conn.in_transaction, "the loop has ended it meanwhile"
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert await looking == acme, "a commit that was begun is carried out"


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


async def first_organization(database: Database) -> Organization | None:
    async with database() as uow:
        return await uow.organizations.first()


async def raw_connection(database: Database) -> sqlite3.Connection:
    async with database._engine.connect() as db:
        driver: Any = (await db.get_raw_connection()).driver_connection
        return driver._conn  # type: ignore[no-any-return]


def driver_timeout(connection: sqlite3.Connection) -> int:
    """In milliseconds."""
    return int(connection.execute("PRAGMA busy_timeout").fetchone()[0])
