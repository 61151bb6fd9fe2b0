"""What schema a database has, looked up without changing anything in it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from signaling.store.database import engine_for, parse_url, reason
from signaling.store.migrate import revision_of


async def schema_revision(url: str) -> str | None:
    """The revision; None for an empty database, or an SQLite file that is not there yet.

    Raises `InvalidInputError` for a URL that cannot be understood, `OSError` for a database that does not
    answer or is none, `ImportError` where its driver is not installed.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not _is_there(parsed.database):
        return None
    engine = create_async_engine(parsed) if parsed.get_backend_name() == "sqlite" else engine_for(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(revision_of)
    except SQLAlchemyError as error:
        raise OSError(f"the database does not answer as one: {reason(error)}") from error
    except OSError as error:
        raise OSError(f"the database does not answer: {reason(error)}") from error
    finally:
        await engine.dispose()


def _is_there(file: str | None) -> bool:
    return bool(file) and Path(str(file)).exists()
