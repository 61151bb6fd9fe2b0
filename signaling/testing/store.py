"""The store for tests: SQLite in memory, without a thread and without a file.

The repositories are those of `signaling.store`, so that nothing is ever said twice; only what would wait for
a disk is done at once. What many tests would do again is done once a process: the schema is a copy of a
template's pages, and statements that one test had compiled are there for the next.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import AsyncAdaptedQueuePool, create_engine, make_url
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from signaling.store.database import Database, prepare_connection
from signaling.store.in_loop import DRIVER, InLoopConnection
from signaling.store.tables import metadata

_URL: Final = "sqlite+aiosqlite://"


class MemoryStore(Database):
    """`store()` is a new unit of work; units run one after the other, as with every SQLite database of ours.

    Connects on first use. It need not be closed: it goes with the last reference to it.
    """

    def __init__(self, pages: bytes | None = None) -> None:
        """Empty, or with what another one had whose `pages` these are."""
        pattern = _pattern()
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        weakref.finalize(self, connection.close)
        self._connection = connection

        def connect() -> Any:
            connection.deserialize(pages or pattern.pages)
            adapted = InLoopConnection(DRIVER, _AtOnce(connection))
            prepare_connection(adapted)
            return adapted

        pool = AsyncAdaptedQueuePool(
            connect, pool_size=1, max_overflow=0, timeout=30, dialect=pattern.dialect
        )
        engine = Engine(
            pool, pattern.dialect, make_url(_URL), execution_options={"compiled_cache": pattern.compiled}
        )
        super().__init__(AsyncEngine(engine))

    def pages(self) -> bytes:
        """All that was committed."""
        pages: bytes = self._connection.serialize()
        return pages


class _AtOnce:
    """In the place of aiosqlite's connection: the caller's thread is the connection's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._conn = self._connection = connection

    async def _execute(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    async def close(self) -> None:
        self._conn.close()

    def stop(self) -> None:
        self._conn.close()


@dataclass(frozen=True, slots=True)
class _Pattern:
    pages: bytes
    """A database with the schema and nothing else."""
    dialect: Dialect
    compiled: dict[Any, Any] = field(default_factory=dict)
    """Statements, by SQLAlchemy's keys for them, of which the dialect is a part."""


@cache
def _pattern() -> _Pattern:
    dialect = create_async_engine(_URL, module=DRIVER).dialect
    engine = create_engine("sqlite://")
    with engine.begin() as db:
        metadata.create_all(db)
        dialect.initialize(db)
    with engine.connect() as db:
        driver: Any = db.connection.dbapi_connection
        pages: bytes = driver.serialize()
    engine.dispose()
    return _Pattern(pages, dialect)
