"""What is only so on PostgreSQL: units side by side, connections that go, processes that start together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import TextClause, func, insert, select, text

from signaling.domain.meeting import Meeting
from signaling.domain.organization import Organization
from signaling.domain.preset import PresetRecord, merged
from signaling.errors import ContendedError, InvalidInputError, OutcomeUnknownError, StoreUnavailableError
from signaling.services.ports import UnitOfWork
from signaling.services.transaction import MAX_ATTEMPTS, committed
from signaling.store import postgres as postgres_store
from signaling.store.database import Database
from signaling.store.prepared import Prepared
from signaling.store.rows import values_of
from signaling.store.tables import organizations
from signaling.testing.store import statements
from tests.signaling import values
from tests.support.postgres import Postgres
from tests.support.wait import PATIENCE

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url)
    async with statements(opened) as db:
        await db.execute(text("TRUNCATE organizations, users CASCADE"))
    yield opened
    await opened.close()


async def furnished(database: Database) -> tuple[Organization, Meeting, PresetRecord]:
    acme = values.organization()
    meeting, preset = values.meeting(acme), values.preset(acme)
    async with database() as uow:
        await uow.organizations.add(acme)
        await uow.meetings.add(meeting)
        await uow.presets.add(preset)
        await uow.commit()
    return acme, meeting, preset


async def test_of_two_units_that_each_overlook_what_the_other_does_one_fails(database: Database) -> None:
    """One renames a preset that nobody has; the other, meanwhile, makes a participant that has it."""
    acme, meeting, preset = await furnished(database)

    async with AsyncExitStack() as stack:
        renaming = await stack.enter_async_context(database())
        adding = await stack.enter_async_context(database())
        assert not str(await renaming.presets.use_of(acme.id, preset.name))
        assert await adding.presets.has(acme.id, preset.name)
        await renaming.presets.save(replace(preset, preset=merged(preset.preset, {"name": "other"})))
        await adding.participants.add(values.participant(meeting, preset.name))
        await renaming.commit()
        with pytest.raises(ContendedError):
            await adding.commit()


async def test_what_is_overtaken_is_done_again_from_the_start(database: Database) -> None:
    acme, meeting, _ = await furnished(database)
    seen: list[str | None] = []

    async def change(uow: UnitOfWork) -> None:
        found = await uow.meetings.get(acme.id, meeting.id)
        assert found is not None
        seen.append(found.title)
        if len(seen) == 1:
            async with database() as other:
                await other.meetings.save(replace(meeting, title="theirs"))
                await other.commit()
        await uow.meetings.save(replace(found, title=f"{found.title} and ours"))

    await committed(database, change)
    assert seen == ["Weekly", "theirs"]
    async with database(reading=True) as uow:
        found = await uow.meetings.get(acme.id, meeting.id)
    assert found is not None and found.title == "theirs and ours"


async def test_it_is_tried_so_often_and_no_more(database: Database) -> None:
    attempts = 0

    async def hopeless(_uow: UnitOfWork) -> None:
        nonlocal attempts
        attempts += 1
        raise ContendedError

    with pytest.raises(ContendedError) as refused:
        await committed(database, hopeless)
    assert attempts == MAX_ATTEMPTS
    assert refused.value.retry_after is not None


@pytest.mark.parametrize("apart", [False, True])
async def test_who_only_reads_can_write_nothing(database: Database, apart: bool) -> None:
    with pytest.raises(Exception, match="read-only"):
        async with database(reading=True, apart=apart) as uow:
            await uow.organizations.add(values.organization())


async def test_who_reads_sees_one_state_and_who_asks_apart_the_latest(database: Database) -> None:
    seen = []
    for apart in (False, True):
        acme = values.organization()
        async with database(reading=True, apart=apart) as uow:
            assert await uow.organizations.get(acme.id) is None
            async with database() as other:
                await other.organizations.add(acme)
                await other.commit()
            seen.append(await uow.organizations.get(acme.id) is not None)
    assert seen == [False, True]


@pytest.mark.parametrize("prepared", [False, True])
async def test_a_connection_is_used_again_but_not_where_somebody_gave_up_in_the_middle(
    database: Database, prepared: bool
) -> None:
    pid = text("SELECT pg_backend_pid()")
    asleep = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(%'")

    async def ask(what: TextClause) -> int:
        async with statements(database) as db:
            return int(await db.scalar(what))

    async def wait() -> None:
        async with statements(database) as db:
            gave_up.append(await db.scalar(pid))
            await db.execute(insert(organizations).values(values_of(values.organization())))
            if prepared:
                await db.rows(Prepared(select(func.pg_sleep(30))), {})
            else:
                await db.execute(select(func.pg_sleep(30)))

    gave_up: list[int] = []
    assert await ask(pid) == await ask(pid)
    waiting = asyncio.create_task(wait())
    async with asyncio.timeout(PATIENCE):
        while not await ask(asleep):
            pass
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with statements(database) as db, statements(database) as another:
        assert not {await one.scalar(pid) for one in (db, another)} & set(gave_up)
    async with database(reading=True) as uow:
        assert await uow.organizations.first() is None, "what was begun is undone"


async def test_more_units_than_there_may_be_connections_wait_for_each_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(postgres_store.MAX_CONNECTIONS):
            await stack.enter_async_context(database(reading=True))
        monkeypatch.setattr(postgres_store, "WAIT_SECONDS", 0.01)
        with pytest.raises(StoreUnavailableError):
            async with database(reading=True):
                pass
        monkeypatch.setattr(postgres_store, "WAIT_SECONDS", 30)
        waiting = asyncio.create_task(furnished(database))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_text_that_it_cannot_take_is_the_callers_fault(database: Database) -> None:
    acme = values.organization()
    for name in ("a\0b", "x" * 300):
        with pytest.raises(InvalidInputError):
            async with database() as uow:
                await uow.organizations.add(replace(acme, name=name))
    with pytest.raises(InvalidInputError):
        async with database(reading=True) as uow:
            await uow.meetings.get(acme.id, "\0")


async def test_a_database_that_went_away_is_told_and_used_again_when_it_is_back(
    database: Database, postgres: Postgres
) -> None:
    acme, *_ = await furnished(database)
    async with AsyncExitStack() as stack:
        begun = await stack.enter_async_context(database())
        await begun.organizations.first()
        with pytest.raises(StoreUnavailableError):
            postgres.stop()
            try:
                await begun.organizations.add(values.organization("lost"))
                await begun.commit()
            except Exception as error:
                await stack.__aexit__(type(error), error, None)
                raise
    try:
        with pytest.raises(StoreUnavailableError):
            async with database(reading=True) as uow:
                await uow.organizations.first()
    finally:
        postgres.start()
    async with database(reading=True) as uow:
        assert await uow.organizations.first() == acme


async def test_what_was_read_counts_though_the_connection_goes_before_it_is_given_back(
    database: Database, postgres: Postgres
) -> None:
    acme, *_ = await furnished(database)
    async with database(reading=True) as uow:
        assert await uow.organizations.first() == acme
        postgres.stop()  # while the loop stands still: nobody has noticed when the unit ends
        postgres.start()
    for _ in range(30):  # more than there are connections
        async with database(reading=True) as uow:
            assert await uow.organizations.first() == acme


@pytest.mark.parametrize("method", ["execute", "fetch", "prepare"])
async def test_a_connection_that_the_driver_is_confused_about_is_a_database_that_is_away_and_used_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """As it is where PostgreSQL is killed while it says something: of the three one begins, one asks what is
    prepared, and one what SQLAlchemy puts together."""
    acme, meeting, _ = await furnished(database)
    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, method, confused)
        with pytest.raises(StoreUnavailableError):
            async with database(reading=True, apart=method == "prepare") as uow:
                if method == "fetch":
                    await uow.organizations.get(acme.id)
                await uow.meetings.list(acme.id)
    source = database.source
    assert isinstance(source, postgres_store.PostgresSource)
    assert not source._free
    async with database(reading=True) as uow:
        assert await uow.meetings.get(acme.id, meeting.id) == meeting


async def test_whether_it_was_committed_is_not_known_where_the_driver_is_confused_then(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database() as uow:
        await uow.organizations.add(values.organization("late"))
        with monkeypatch.context() as patched, pytest.raises(OutcomeUnknownError):
            patched.setattr(asyncpg.Connection, "execute", confused)
            await uow.commit()


async def confused(*_: object, **__: object) -> object:
    raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")


async def test_who_comes_after_a_restart_notices_nothing(
    database: Database, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.store.postgres.TRUSTED_FOR", 0)
    acme, *_ = await furnished(database)
    postgres.stop()
    postgres.start()
    async with database(reading=True) as uow:
        assert await uow.organizations.first() == acme


async def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match=r"does not answer: .*No such file"):
        await Database.open(f"postgresql://nobody:secret@/nothing?host={tmp_path}")


async def test_a_database_that_is_not_there_is_named(postgres: Postgres) -> None:
    with pytest.raises(StoreUnavailableError, match="nowhere"):
        await Database.open(postgres.url("nowhere"))


PROCESS = """
import asyncio, sys
from dataclasses import replace
from signaling.errors import ConflictError
from signaling.services.transaction import committed
from signaling.store import postgres as postgres_store
from signaling.store.database import Database
from tests.signaling import values

async def main(url):
    database = await Database.open(url)
    acme = replace(values.organization(), id="acme")
    meeting = replace(values.meeting(acme), id="meeting")
    for add in (lambda uow: uow.organizations.add(acme), lambda uow: uow.meetings.add(meeting)):
        try:
            await committed(database, add)
        except ConflictError:
            pass

    async def begin():
        try:
            await committed(database, lambda uow: uow.sessions.add(values.session(meeting)))
        except ConflictError:
            return 0
        return 1

    print(sum(await asyncio.gather(*(begin() for _ in range(50)))))
    await database.close()

asyncio.run(main(sys.argv[1]))
"""


async def test_two_processes_that_start_together_make_one_schema_and_one_session(postgres: Postgres) -> None:
    """Both migrate an empty database; then each begins a session of one meeting, 50 times at once."""
    url = postgres.new_database()
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        for _ in range(2)
    ]
    begun = [int((await process.communicate())[0]) for process in processes]
    assert sum(begun) == 1
