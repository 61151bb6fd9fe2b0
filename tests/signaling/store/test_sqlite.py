"""When a unit of work goes to SQLite's thread; that the loop never waits, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from signaling.domain.organization import Organization
from signaling.errors import ConflictError, StoreUnavailableError
from signaling.store import sqlite_transactions, sqlite_writer
from signaling.store.database import Database
from signaling.store.sqlite import MAX_KEPT, WAIT_MS, SqliteSource
from signaling.store.sqlite_transactions import SqliteTransaction, SqliteUnit
from signaling.testing.store import statements
from tests.signaling import values
from tests.support.wait import wait_until


async def test_who_only_reads_never_leaves_the_loop(database: Database, trips: list[str]) -> None:
    for reading in (False, True):
        async with database(reading=reading) as uow:
            assert await uow.organizations.first() is None
            assert await uow.meetings.get("nobody", "nothing") is None
    assert trips == []


async def test_only_the_commit_of_a_change_is_a_trip(database: Database, trips: list[str]) -> None:
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()
    assert trips == ["_commit_or_undo"]


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
    assert trips == ["_begin_waiting", "_commit_or_undo"]
    assert driver_timeout(await writer(database)) == 0, "the loop would wait the next time"
    async with database() as uow:
        assert await uow.organizations.get(acme.id) == acme


async def test_a_process_that_writes_for_too_long_is_told_of(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sqlite_transactions, "WAIT_MS", 1)
    other = sqlite3.connect(tmp_path / "rostrum.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="Another process"):
        async with database() as uow:
            await uow.organizations.first()
    other.execute("ROLLBACK")
    other.close()
    assert driver_timeout(await writer(database)) == 0
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()


async def test_who_only_reads_waits_for_nobody_who_writes(
    database: Database, trips: list[str], tmp_path: Path
) -> None:
    acme = values.organization()
    other = sqlite3.connect(tmp_path / "rostrum.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with database(reading=True) as uow:
        assert await uow.organizations.first() is None
    other.execute("COMMIT")
    other.close()
    async with database() as writing:
        await writing.organizations.add(acme)
        async with database(reading=True) as reading:
            assert await reading.organizations.first() is None, "it is not committed"
        await writing.commit()
        async with database(reading=True) as reading:
            assert await reading.organizations.first() == acme
    assert trips == ["_commit_or_undo"]


async def test_who_reads_sees_one_state_from_the_first_look_to_the_last(database: Database) -> None:
    async with database(reading=True) as reading:
        assert await reading.organizations.first() is None
        async with database() as writing:
            await writing.organizations.add(values.organization())
            await writing.commit()
        assert await reading.organizations.first() is None
    async with database(reading=True) as reading:
        assert await reading.organizations.first() is not None


async def test_connections_that_many_read_from_at_once_are_not_all_kept(database: Database) -> None:
    source = database.source
    assert isinstance(source, SqliteSource)
    transactions = [await source.begin(reading=True) for _ in range(MAX_KEPT + 3)]
    for one in transactions:
        await one.execute(text("select 1"))
    for one in transactions:
        await one.close()
    assert len(source._readers) == MAX_KEPT
    again = await source.begin(reading=True)
    assert len(source._readers) == MAX_KEPT - 1
    await again.close()


async def test_units_that_write_wait_for_each_other_but_not_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "QUEUE_SECONDS", 0)
    async with database() as first:
        await first.organizations.first()
        with pytest.raises(StoreUnavailableError):
            async with database():
                pass
    async with database() as next_one:
        assert await next_one.organizations.first() is None


async def test_what_was_begun_in_the_thread_ends_before_the_loop_goes_on(database: Database) -> None:
    """Somebody stops waiting for a commit: nobody touches the connection before the thread is done."""
    acme, held, release = values.organization(), threading.Event(), threading.Event()
    source = database.source
    assert isinstance(source, SqliteSource)
    assert source._writer._executor is not None
    connection = await writer(database)

    async def commit_held() -> None:
        async with database() as uow:
            await uow.organizations.add(acme)
            source._writer._executor.submit(lambda: (held.set(), release.wait(WAIT_MS / 1000)))
            await uow.commit()

    committing = asyncio.create_task(commit_held())
    await wait_until(held.is_set, "the thread is held before the commit")
    committing.cancel()
    looking = asyncio.create_task(first_organization(database))
    for _ in range(10):
        await asyncio.sleep(0)
    assert committing.done()
    assert connection.in_transaction, "the loop has ended it meanwhile"
    assert not looking.done()
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
    transaction = await database.source.begin()
    assert isinstance(transaction, SqliteUnit)
    transaction._how = "BEGIN NONSENSE"
    with pytest.raises(sqlite3.OperationalError):
        await transaction.execute(text("select 1"))
    await transaction.close()
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()


async def test_rows_come_with_their_names_and_changes_with_their_number(database: Database) -> None:
    async with statements(database) as db:
        await db.execute(text("create table heap (number integer)"))
        await db.execute(text("insert into heap values (:number)"), [{"number": 1}, {"number": 2}])
        changed = await db.execute(text("update heap set number = number + 1"))
        assert changed.rowcount == 2
        rows = (await db.execute(text("select number from heap order by number"))).mappings().all()
    assert [dict(row) for row in rows] == [{"number": 2}, {"number": 3}]


async def first_organization(database: Database) -> Organization | None:
    async with database() as uow:
        return await uow.organizations.first()


async def writer(database: Database) -> sqlite3.Connection:
    transaction = await database.source.begin()
    assert isinstance(transaction, SqliteTransaction)
    await transaction.close()
    return transaction._raw


def driver_timeout(connection: sqlite3.Connection) -> int:
    """In milliseconds."""
    return int(connection.execute("PRAGMA busy_timeout").fetchone()[0])
