"""The database behind the store: opened at start and closed last.

Embedded it is SQLite (`signaling.store.sqlite`); PostgreSQL (`signaling.store.postgres`) is for more than one
server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from signaling.errors import InvalidInputError, StoreUnavailableError
from signaling.store import sqlite
from signaling.store.connection import Source
from signaling.store.failures import told
from signaling.store.migrate import migrate
from signaling.store.sqlite import SqliteSource
from signaling.store.unit_of_work import SqlUnitOfWork

_POSTGRES_DRIVER: Final = "postgresql+asyncpg"
_DRIVERS: Final = {"sqlite": sqlite.DRIVER, "postgresql": _POSTGRES_DRIVER, "postgres": _POSTGRES_DRIVER}
"""By what stands before `://`, up to a `+`; there is one driver for each."""
DATABASE_FILE: Final = "rostrum.db"
"""In the data directory, where no other database is configured."""


class Database:
    """`database()` is a new unit of work. Make one with `Database.open`, end with `close`."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and bring the schema up to date.

        `url` is SQLAlchemy's (`sqlite:///path`, `postgresql://user@host/name`); the driver is added.
        Raises `InvalidInputError` for one that cannot be understood or a schema from a newer version, and
        `StoreUnavailableError` when the database does not answer.
        """
        database = cls(source_of(url))
        try:
            await migrate(database.source)
        except Exception as error:
            await database.close()
            ours = told(error)
            if isinstance(ours, StoreUnavailableError):
                raise StoreUnavailableError(f"the database does not answer: {reason(error)}") from error
            raise ours or error from error
        return database

    def __call__(self, *, reading: bool = False, apart: bool = False, alone: bool = False) -> SqlUnitOfWork:
        return SqlUnitOfWork(self.source, reading=reading, apart=apart, alone=alone)

    async def close(self) -> None:
        await self.source.close()


def source_of(url: str) -> Source:
    """Not connected yet. Raises `InvalidInputError`."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteSource.of(parsed)
    # It takes SQLAlchemy's asyncio and the ORM with it: a twelfth of the start, and nothing to SQLite.
    from signaling.store.postgres import PostgresSource

    return PostgresSource(parsed)


def reason(error: BaseException) -> str:
    """What the driver said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error) or type(error).__name__
    return said.rpartition(": ")[2] if said.startswith("<class") else said


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def parse_url(url: str) -> URL:
    """With the driver in it. Raises `InvalidInputError`, which does not repeat the URL: it may hold a
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
