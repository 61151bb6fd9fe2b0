"""The databases that the store works on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from signaling.store.database import Database, sqlite_url
from signaling.store.tables import metadata
from signaling.testing.store import statements
from tests.support import unhurried
from tests.support.postgres import Postgres, cluster_or_skip

__all__ = ["unhurried"]

_DELETES = " ".join(f"DELETE FROM {table.name};" for table in reversed(metadata.sorted_tables))
EMPTY = f"DO $$ BEGIN {_DELETES} END $$"
"""For PostgreSQL: to truncate tables that hold next to nothing takes it 30 ms more."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One for all tests of this process that ask for it."""
    with cluster_or_skip() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """A database for one test after the other; `emptied` empties it."""
    return postgres.new_database()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """On SQLite."""
    opened = await Database.open(sqlite_url(tmp_path / "rostrum.db"))
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Every test with this runs on SQLite and on PostgreSQL; the database is empty."""
    async for database in opened(request, tmp_path):
        yield database


async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """The database that the fixture's parameter names; SQLite where it has none."""
    if getattr(request, "param", "sqlite") == "sqlite":
        database = await Database.open(sqlite_url(tmp_path / "rostrum.db"))
    else:
        database = await Database.open(request.getfixturevalue("postgres_url"))
        async with statements(database) as db:
            await db.execute(text(EMPTY))
    yield database
    await database.close()
