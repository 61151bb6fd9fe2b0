"""What a database has, looked up without changing anything in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError

from signaling.store.database import parse_url, reason
from signaling.store.migrate import revision_of
from signaling.store.postgres import PostgresSource

T = TypeVar("T")


async def schema_revision(url: str) -> str | None:
    """The revision; None for an empty database, or an SQLite file that is not there yet. Raises as
    `look_at`."""
    return await look_at(url, revision_of)


async def look_at(url: str, look: Callable[[Connection], T]) -> T | None:
    """What there is to see; None for an SQLite file that is not there yet.

    Raises `InvalidInputError` for a URL that cannot be understood, `OSError` for a database that does not
    answer or is none, `ImportError` where its driver is not installed.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not _is_there(parsed.database):
        return None
    try:
        if parsed.get_backend_name() == "sqlite":
            with create_engine(parsed).connect() as connection:
                return look(connection)
        source = PostgresSource(parsed)
        try:
            return await source.run(look)
        finally:
            await source.close()
    except SQLAlchemyError as error:
        raise OSError(f"the database does not answer as one: {reason(error)}") from error
    except OSError as error:
        raise OSError(f"the database does not answer: {reason(error)}") from error


def _is_there(file: str | None) -> bool:
    return bool(file) and Path(str(file)).exists()
