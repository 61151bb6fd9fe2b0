"""The store for tests: SQLite in memory, without a thread and without a file.

The repositories are those of `signaling.store`, so that nothing is ever said twice; only what would wait for
a disk is done at once. What many tests would do again is done once a process: the schema is a copy of a
template's pages, and statements that one test had compiled are there for the next.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.engine import Dialect, Engine

from signaling.store.connection import Statements
from signaling.store.database import Database
from signaling.store.sqlite import DRIVER, OF_DIALECT, SqliteSource, prepare_connection
from signaling.store.tables import metadata

_URL: Final = f"{DRIVER}://"


class MemoryStore(Database):
    """`store()` is a new unit of work; units run one after the other.

    Connects on first use. It need not be closed: it goes with the last reference to it.
    """

    def __init__(self, pages: bytes | None = None) -> None:
        """Empty, or with what another one had whose `pages` these are."""
        pattern = _pattern()
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection = connection

        def connect() -> Any:
            connection.deserialize(pages or pattern.pages)
            prepare_connection(connection)
            return connection

        engine = Engine(
            NullPool(connect, dialect=pattern.dialect),
            pattern.dialect,
            make_url(_URL),
            execution_options={"compiled_cache": pattern.compiled},
        )
        source = SqliteSource(engine, executor=None, only=True)
        weakref.finalize(self, source.dispose)
        super().__init__(source)

    def pages(self) -> bytes:
        """All that was committed."""
        pages: bytes = self._connection.serialize()
        return pages


@asynccontextmanager
async def statements(database: Database) -> AsyncIterator[Statements]:
    """Those that no repository has, in one transaction that is committed in the end."""
    transaction = await database.source.begin()
    try:
        yield transaction
        await transaction.commit()
    finally:
        await transaction.close()


@dataclass(frozen=True, slots=True)
class _Pattern:
    pages: bytes
    """A database with the schema and nothing else."""
    dialect: Dialect
    compiled: dict[Any, Any] = field(default_factory=dict)
    """Statements, by SQLAlchemy's keys for them, of which the dialect is a part."""


@cache
def _pattern() -> _Pattern:
    engine = create_engine(_URL, **OF_DIALECT)
    with engine.begin() as db:
        metadata.create_all(db)
    with engine.connect() as db:
        driver: Any = db.connection.dbapi_connection
        pages: bytes = driver.serialize()
    engine.dispose()
    return _Pattern(pages, engine.dialect)
