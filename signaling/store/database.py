"""The database behind the store: one engine, opened at start and closed last.

On SQLite there is one connection, and every unit of work begins with BEGIN IMMEDIATE: units queue for the
connection in the order they came, each sees a settled state, and none fails half-way because another wrote
first. Statements run in the loop; what waits, for the disk or for another process, in a thread
(`signaling.store.in_loop`). WAL with synchronous=FULL makes what was committed survive the process and the
machine. On any other database the usual pool is used, at isolation level SERIALIZABLE.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from signaling.errors import InvalidInputError
from signaling.store.in_loop import DRIVER, WAIT_MS
from signaling.store.migrate import migrate
from signaling.store.unit_of_work import SqlUnitOfWork

_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
DATABASE_FILE: Final = "rostrum.db"
"""In the data directory, where no other database is configured."""


class Database:
    """`database()` is a new unit of work. Make one with `Database.open`, end with `close`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and bring the schema up to date.

        `url` is SQLAlchemy's (`sqlite:///path`, `postgresql://user@host/name`); the async driver is added.
        Raises `InvalidInputError` for one that cannot be understood or a schema from a newer version.
        """
        parsed = parse_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = _sqlite_engine(parsed)
        else:
            engine = create_async_engine(parsed, isolation_level="SERIALIZABLE", pool_pre_ping=True)
        database = cls(engine)
        try:
            await migrate(engine)
        except BaseException:
            await database.close()
            raise
        return database

    def __call__(self) -> SqlUnitOfWork:
        return SqlUnitOfWork(self._engine)

    async def close(self) -> None:
        await self._engine.dispose()


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInputError(
            "database_url is not a database URL; write sqlite:///path/to/file or postgresql://user@host/name",
            field="database_url",
        ) from None
    if "+" not in parsed.drivername:
        parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    return parsed


def _sqlite_engine(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        _create_private(Path(url.database))
    engine = create_async_engine(url, module=DRIVER, pool_size=1, max_overflow=0, pool_timeout=30)
    event.listen(engine.sync_engine, "connect", _prepare_connection)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _create_private(path: Path) -> None:
    """Make the file ours alone before SQLite makes it everybody's; its -wal and -shm take the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare_connection(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not by the driver's guess
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={WAIT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=0",  # from here on, who has to wait does so in the driver's thread
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.connection.dbapi_connection.begin = "BEGIN IMMEDIATE"
