"""Units of work that wait at the same time are committed together: what that does to none of them."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from signaling.errors import ConflictError, ContendedError, StoreUnavailableError
from signaling.services.ports import UnitOfWork
from signaling.services.transaction import committed
from signaling.store import sqlite_writer
from signaling.store.database import Database
from signaling.store.sqlite import SqliteSource
from signaling.store.unit_of_work import SqlUnitOfWork
from signaling.testing.store import statements
from tests.signaling import values
from tests.support.wait import wait_until

TABLES = (
    "create table parents (id integer primary key)",
    "create table log (seq integer primary key autoincrement, unit integer, seen integer, "
    "parent integer references parents (id) deferrable initially deferred)",
    "create trigger takes_all_with_it before insert on log when new.unit < 0 "
    "begin select raise(rollback, 'all of it is undone'); end",
)


@pytest.fixture
async def logged(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """With a table to write into, whose reference to another one is looked at by COMMIT. However slow the
    machine is, a transaction is not open for too long."""
    monkeypatch.setattr(sqlite_writer, "MAX_SECONDS", 3600.0)
    async with statements(database) as db:
        for table in TABLES:
            await db.execute(text(table))
    return database


async def test_those_that_wait_at_the_same_time_are_one_commit(logged: Database, trips: list[str]) -> None:
    await together(logged, *(note(logged, number) for number in range(20)))
    assert trips == ["_commit_or_undo"]
    assert await log_of(logged) == [(number, number) for number in range(20)]


async def test_those_that_come_in_the_same_turn_of_the_loop_are_one_commit(
    logged: Database, trips: list[str]
) -> None:
    await asyncio.gather(*(note(logged, number) for number in range(5)))
    assert trips == ["_commit_or_undo"] * 2, "the first thought that it was alone"
    await asyncio.gather(*(note(logged, number) for number in range(5)))
    assert trips == ["_commit_or_undo"] * 3


async def test_who_wants_to_be_alone_is_not_taken_along(logged: Database, trips: list[str]) -> None:
    await together(logged, note(logged, 5), note(logged, 6))
    trips.clear()
    await asyncio.gather(note(logged, 1), note(logged, 2), note(logged, 3, alone=True), note(logged, 4))
    assert len(trips) == 3


async def test_who_is_alone_waits_for_nobody(logged: Database, trips: list[str]) -> None:
    for number in range(3):
        await note(logged, number)
    assert trips == ["_commit_or_undo"] * 3


async def test_nobody_goes_on_before_the_commit_and_then_in_order(logged: Database, tmp_path: Path) -> None:
    told: list[int] = []
    async with held_thread(logged):
        noting = await queued(logged, *(note(logged, number, told=told) for number in range(3)))
        await written(logged, 3)
        assert not any(one.done() for one in noting)
        assert (told, on_disk(tmp_path)) == ([], [])
    await asyncio.gather(*noting)
    assert told == [0, 1, 2]
    assert on_disk(tmp_path) == [0, 1, 2]


async def test_who_fails_takes_back_its_own_and_nothing_else(logged: Database, trips: list[str]) -> None:
    done = await together(
        logged, note(logged, 1), note(logged, 2, then=fail), note(logged, 3), note(logged, 4)
    )
    assert [type(one) for one in done] == [type(None), Failed, type(None), type(None)]
    assert trips == ["_commit_or_undo"]
    assert await log_of(logged) == [(1, 0), (3, 1), (4, 2)]


async def test_where_the_first_fails_the_others_are_committed(logged: Database, trips: list[str]) -> None:
    done = await together(logged, note(logged, 1, then=fail), note(logged, 2), note(logged, 3))
    assert [type(one) for one in done] == [Failed, type(None), type(None)]
    assert trips == ["_commit_or_undo"]
    assert await log_of(logged) == [(2, 0), (3, 1)]


async def test_where_the_last_fails_the_others_are_committed(logged: Database, trips: list[str]) -> None:
    done = await together(logged, note(logged, 1), note(logged, 2), note(logged, 3, then=fail))
    assert [type(one) for one in done] == [type(None), type(None), Failed]
    assert trips == ["_commit_or_undo"]
    assert await log_of(logged) == [(1, 0), (2, 1)]


async def test_a_unit_reads_what_it_wrote_itself(logged: Database) -> None:
    seen: list[int] = []

    async def look(uow: SqlUnitOfWork) -> None:
        seen.append(await count(uow))

    await together(logged, *(note(logged, number, then=look) for number in range(3)))
    assert seen == [1, 2, 3]


async def test_an_answer_that_follows_from_what_is_not_committed_waits_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "MAX_SECONDS", 3600.0)
    acme = values.organization()
    async with held_thread(database):
        first, second = await queued(database, add(database, acme), add(database, acme))
        await wait_until(lambda: together_in(database) == 2, "both have had their turn")
        assert not second.done(), "there may be none if the commit fails"
    await first
    with pytest.raises(ConflictError):
        await second


async def test_an_answer_that_follows_from_what_was_never_committed_is_not_given(
    database: Database, tmp_path: Path
) -> None:
    acme = values.organization()
    with full_disk(tmp_path):
        done = await together(database, add(database, acme), add(database, acme))
    assert [type(one) for one in done] == [StoreUnavailableError, StoreUnavailableError]
    await add(database, acme)


async def test_a_commit_that_fails_fails_for_all_and_leaves_nothing(
    logged: Database, trips: list[str], tmp_path: Path
) -> None:
    with full_disk(tmp_path):
        done = await together(logged, note(logged, 1), note(logged, 2, then=fail), note(logged, 3))
    assert [type(one) for one in done] == [StoreUnavailableError] * 3
    assert trips == ["_commit_or_undo"]
    assert on_disk(tmp_path) == []
    await note(logged, 4)
    assert await log_of(logged) == [(4, 0)]


async def test_a_constraint_that_commit_looks_at_fails_for_all(logged: Database, tmp_path: Path) -> None:
    before = driver(logged)
    done = await together(logged, note(logged, 1), note(logged, 2, parent=99), note(logged, 3))
    assert [type(one) for one in done] == [sqlite3.IntegrityError] * 3
    assert driver(logged) is before, "another connection is for where it cannot even be rolled back"
    assert on_disk(tmp_path) == []
    await note(logged, 4)
    assert await log_of(logged) == [(4, 0)]


async def test_those_who_lose_their_changes_through_another_do_them_again(logged: Database) -> None:
    done = await together(logged, note(logged, 1), note(logged, -1), note(logged, 2))
    assert [type(one) for one in done] == [ContendedError, ContendedError, type(None)]
    assert await log_of(logged) == [(2, 0)]

    async def written_again(number: int) -> None:
        await committed(logged, lambda uow: insert(uow, number))

    again = await together(logged, written_again(3), written_again(-1), written_again(4))
    assert [type(one) for one in again] == [type(None), IntegrityError, type(None)]
    assert sorted(number for number, _ in await log_of(logged)) == [2, 3, 4]


async def test_a_unit_that_was_undone_writes_and_commits_nothing_more(logged: Database) -> None:
    async with logged() as uow:
        with pytest.raises(Exception, match="all of it is undone"):
            await insert(uow, -1)
        with pytest.raises(StoreUnavailableError, match="undid"):
            await insert(uow, 1)
        with pytest.raises(StoreUnavailableError, match="undid"):
            await uow.commit()
    assert await log_of(logged) == []


async def test_a_full_disk_fails_for_who_fills_it(logged: Database) -> None:
    connection = driver(logged)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 3}")

    async def fill(uow: UnitOfWork) -> None:
        filler = text("insert into log (unit, seen) values (5, zeroblob(1000000))")
        await db_of(uow).execute(filler)

    done = await together(
        logged,
        committed(logged, lambda uow: insert(uow, 1)),
        committed(logged, fill),
        committed(logged, lambda uow: insert(uow, 2)),
    )
    assert [type(one) for one in done] == [type(None), StoreUnavailableError, type(None)]
    assert sorted(number for number, _ in await log_of(logged)) == [1, 2]


async def test_who_stops_waiting_for_the_commit_takes_nothing_from_others(logged: Database) -> None:
    async with held_thread(logged):
        noting = await queued(logged, *(note(logged, number) for number in range(3)))
        await written(logged, 3)
        noting[0].cancel()
        noting[2].cancel()
        await asyncio.sleep(0)
        assert noting[0].cancelled() or noting[0].cancelling()
    done = await asyncio.gather(*noting, return_exceptions=True)
    assert [type(one) for one in done] == [asyncio.CancelledError, type(None), asyncio.CancelledError]
    assert await log_of(logged) == [(0, 0), (1, 1), (2, 2)], "a commit that was begun is carried out"


async def test_who_stops_waiting_for_its_turn_keeps_nobody_from_theirs(logged: Database) -> None:
    async with held_thread(logged):
        first = asyncio.create_task(note(logged, 0))
        await written(logged, 1)
        waiting = [asyncio.create_task(note(logged, number)) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    await first
    waiting[1].cancel()  # its turn may have come in this moment
    await asyncio.gather(*waiting, return_exceptions=True)
    await note(logged, 4)
    assert [number for number, _ in await log_of(logged)] in ([0, 3, 4], [0, 2, 3, 4])


async def test_who_is_cancelled_as_its_turn_comes_hands_it_on(logged: Database) -> None:
    source = source_of(logged)
    await source._writer.turn()
    second = asyncio.create_task(note(logged, 2))
    third = asyncio.create_task(note(logged, 3))
    await asyncio.sleep(0)
    source._writer.undo(shared=False)
    second.cancel()
    await third
    assert second.cancelled()
    assert await log_of(logged) == [(3, 0)]


async def test_so_many_are_committed_together_and_no_more(
    logged: Database, trips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "MAX_TOGETHER", 2)
    await together(logged, *(note(logged, number) for number in range(5)))
    assert len(trips) == 3
    monkeypatch.setattr(sqlite_writer, "MAX_SECONDS", 0.0)
    await together(logged, *(note(logged, number) for number in range(5)))
    assert len(trips) == 3 + 5


async def test_nobody_waits_for_ever_for_a_database_that_was_closed(logged: Database, tmp_path: Path) -> None:
    await together(logged, note(logged, 5), note(logged, 6))
    noting = [asyncio.create_task(note(logged, number)) for number in range(2)]
    await wait_until_next_turn(lambda: together_in(logged) == 2)
    await logged.close()
    for one in noting:
        with pytest.raises(RuntimeError):
            await one
    assert on_disk(tmp_path) == [5, 6]


async def test_who_is_alone_by_its_own_wish_is_committed_with_nobody(
    logged: Database, trips: list[str]
) -> None:
    order: list[int] = []

    async def noted(number: int) -> None:
        await note(logged, number, alone=number == 2)
        order.append(len(trips))

    await together(logged, *(noted(number) for number in range(5)))
    assert order == [1, 1, 2, 3, 3]
    assert await log_of(logged) == [(number, number) for number in range(5)]


# --- what they are made of -------------------------------------------------------------------------------


class Failed(Exception):  # noqa: N818 - a test's own
    pass


async def fail(_: SqlUnitOfWork) -> None:
    raise Failed


async def note(
    database: Database,
    number: int,
    *,
    parent: int | None = None,
    then: Callable[[SqlUnitOfWork], Awaitable[None]] | None = None,
    told: list[int] | None = None,
    alone: bool = False,
) -> None:
    """A unit that writes down its number, and how many it found before it."""
    async with database(alone=alone) as uow:
        await insert(uow, number, parent)
        if told is not None:
            uow.after_commit(lambda: told.append(number))
        if then is not None:
            await then(uow)
        await uow.commit()


async def insert(uow: UnitOfWork, number: int, parent: int | None = None) -> None:
    statement = text("insert into log (unit, seen, parent) select :unit, count(*), :parent from log")
    await db_of(uow).execute(statement, {"unit": number, "parent": parent})


async def count(uow: UnitOfWork) -> int:
    return int(await db_of(uow).scalar(text("select count(*) from log")))


async def add(database: Database, organization: Any) -> None:
    async with database() as uow:
        await uow.organizations.add(organization)
        await uow.commit()


async def together(database: Database, *units: Coroutine[Any, Any, None]) -> list[BaseException | None]:
    """What becomes of units that wait at the same time, in this order."""
    return await asyncio.gather(*await queued(database, *units), return_exceptions=True)


async def queued(database: Database, *units: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    writer = source_of(database)._writer
    await writer.turn()
    tasks = [asyncio.create_task(one) for one in units]
    await wait_until(lambda: len(writer._queue) == len(tasks), "all wait for their turn")
    writer.undo(shared=False)
    return tasks


async def log_of(database: Database) -> list[tuple[int, int]]:
    async with database(reading=True) as uow:
        rows = await db_of(uow).execute(text("select unit, seen from log order by seq"))
        return [(row.unit, row.seen) for row in rows]


def on_disk(folder: Path) -> list[int]:
    """As another process sees it."""
    other = sqlite3.connect(folder / "rostrum.db")
    try:
        return [row[0] for row in other.execute("select unit from log order by seq")]
    finally:
        other.close()


def db_of(uow: UnitOfWork) -> Any:
    assert isinstance(uow, SqlUnitOfWork)
    return uow._db


def source_of(database: Database) -> SqliteSource:
    assert isinstance(database.source, SqliteSource)
    return database.source


def driver(database: Database) -> sqlite3.Connection:
    return source_of(database)._writer._raw


def together_in(database: Database) -> int:
    return len(source_of(database)._writer._together)


async def wait_until_next_turn(condition: Callable[[], bool]) -> None:
    for _ in range(10):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("not in ten turns of the loop")


async def written(database: Database, number: int) -> None:
    await wait_until(lambda: together_in(database) == number, f"{number} wait for the commit")


@asynccontextmanager
async def held_thread(database: Database) -> AsyncIterator[None]:
    """The commit waits for the end of this, as for a slow disk."""
    executor, release = source_of(database)._writer._executor, threading.Event()
    assert executor is not None
    held = executor.submit(release.wait, 30)
    try:
        yield
    finally:
        release.set()
        await asyncio.wrap_future(held)


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """The log that COMMIT appends to can grow no more."""
    size = (folder / "rostrum.db-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
