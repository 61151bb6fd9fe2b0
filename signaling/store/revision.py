"""What schema a database has, looked up without changing anything in it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from signaling.store.database import parse_url, reason
from signaling.store.migrate import revision_of
from signaling.store.postgres import PostgresSource


async def schema_revision(url: str) -> str | None:
    """The revision; None for an empty database, or an SQLite file that is not there yet.

    Raises `InvalidInputError` for a URL that cannot be understood, `OSError` for a database that does not
    answer or is none, `ImportError` where its driver is not installed.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not is_there(parsed.database):
        return None
    try:
        if parsed.get_backend_name() == "sqlite":
            with create_engine(parsed).connect() as connection:
                return revision_of(connection)
        source = PostgresSource(parsed)
        try:
            return await source.run(revision_of)
        finally:
            await source.close()
    except SQLAlchemyError as error:
        raise OSError(f"the database does not answer as one: {reason(error)}") from error
    except OSError as error:
        raise OSError(f"the database does not answer: {reason(error)}") from error


def is_there(file: str | None) -> bool:
    return bool(file) and Path(str(file)).exists()
