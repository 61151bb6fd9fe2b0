"""The database behind the store: one engine, opened at start and closed last.

On SQLite there is one connection, and every unit of work begins with BEGIN IMMEDIATE: units queue for the
connection in the order they came, each sees a settled state, and none fails half-way because another wrote
first. Statements run in the loop; what waits, for the disk or for another process, in a thread
(`signaling.store.in_loop`). WAL with synchronous=FULL makes what was committed survive the process and the
machine.

On PostgreSQL there is a pool of connections, and units run side by side at isolation level SERIALIZABLE:
each sees what it would see if it ran alone, or fails and is run again (`signaling.services.transaction`).
Those that only read do so at REPEATABLE READ, where nothing fails.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from signaling.errors import InvalidInputError, StoreUnavailableError
from signaling.store.failures import told
from signaling.store.in_loop import DRIVER, WAIT_MS
from signaling.store.migrate import migrate
from signaling.store.unit_of_work import SqlUnitOfWork

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
"""By what stands before `://`, up to a `+`; there is one driver for each."""
_POSTGRES: Final = {
    "pool_size": 10,
    "max_overflow": 10,
    "pool_timeout": 30,
    "pool_recycle": 1800,
    "pool_pre_ping": True,
    "isolation_level": "SERIALIZABLE",
    "connect_args": {
        "timeout": 10,
        "command_timeout": 30,
        "server_settings": {"application_name": "rostrum", "idle_in_transaction_session_timeout": "30000"},
    },
}
"""Seconds, but for the last one: that many milliseconds after a process hung within a transaction, what it
keeps others from is free again. A connection that the server or the network ended is replaced when it is
taken from the pool."""
DATABASE_FILE: Final = "rostrum.db"
"""In the data directory, where no other database is configured."""


class Database:
    """`database()` is a new unit of work. Make one with `Database.open`, end with `close`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reader = (
            engine
            if engine.dialect.name == "sqlite"
            else engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        )

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and bring the schema up to date.

        `url` is SQLAlchemy's (`sqlite:///path`, `postgresql://user@host/name`); the async driver is added.
        Raises `InvalidInputError` for one that cannot be understood or a schema from a newer version, and
        `StoreUnavailableError` when the database does not answer.
        """
        database = cls(engine_for(url))
        try:
            await migrate(database._engine)
        except Exception as error:
            await database.close()
            ours = told(error)
            if isinstance(ours, StoreUnavailableError):
                raise StoreUnavailableError(f"the database does not answer: {reason(error)}") from error
            raise ours or error from error
        return database

    def __call__(self, *, reading: bool = False) -> SqlUnitOfWork:
        engine = self._reader if reading else self._engine
        return SqlUnitOfWork(engine, prepare=_take_no_lock if reading and engine is self._engine else None)

    async def close(self) -> None:
        await self._engine.dispose()


def engine_for(url: str) -> AsyncEngine:
    """Not connected yet. Raises `InvalidInputError`."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    return create_async_engine(parsed, **_POSTGRES)


def reason(error: BaseException) -> str:
    """What the driver said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error) or type(error).__name__
    return said.rpartition(": ")[2] if said.startswith("<class") else said


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def parse_url(url: str) -> URL:
    """With the async driver in it. Raises `InvalidInputError`, which does not repeat the URL: it may hold a
    password."""
    try:
        parsed = make_url(url)
        return parsed.set(drivername=_DRIVERS[parsed.drivername.partition("+")[0]])
    except (ArgumentError, KeyError):
        raise InvalidInputError(
            "database_url is not a URL of SQLite or PostgreSQL; write sqlite:///path/to/file or "
            "postgresql://user@host/name",
            field="database_url",
        ) from None


def _sqlite_engine(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        _create_private(Path(url.database))
    # isolation_level: transactions are begun by us, not by the driver's guess.
    engine = create_async_engine(
        url,
        module=DRIVER,
        connect_args={"isolation_level": None},
        pool_size=1,
        max_overflow=0,
        pool_timeout=30,
    )
    event.listen(engine.sync_engine, "connect", prepare_connection)
    return engine


def _create_private(path: Path) -> None:
    """Make the file ours alone before SQLite makes it everybody's; its -wal and -shm take the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def prepare_connection(connection: Any, _record: object = None) -> None:
    """Of a new connection to SQLite, what every unit of work relies on."""
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
    connection.begin = connection.begins_with = "BEGIN IMMEDIATE"


def _take_no_lock(db: AsyncConnection) -> None:
    """On SQLite: who only reads waits for nobody who writes."""
    assert db.sync_connection is not None
    connection: Any = db.sync_connection.connection.dbapi_connection
    connection.begin = "BEGIN"
