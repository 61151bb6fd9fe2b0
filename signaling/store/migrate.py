"""Bringing the schema up to date at start.

alembic is only imported when there is something to do: a start with a database that is at `HEAD` costs one
query. A migration runs in one transaction, so a process that dies in it leaves the old schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from signaling.errors import InvalidInputError
from signaling.store.connection import Source

HEAD: Final = "0014"
"""The newest revision in `migrations/versions`; a test compares the two."""

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(7825113)")
"""On PostgreSQL. Processes that start together wait for each other here, until the one before has committed;
READ COMMITTED is what lets them see that it did. On SQLite BEGIN IMMEDIATE does both."""

MIGRATIONS: Final = Path(__file__).with_name("migrations")


async def migrate(source: Source) -> None:
    """Raises `InvalidInputError` when the database was written by a newer version of this program."""
    await source.run(_migrate)


def _migrate(connection: Connection) -> None:
    if revision_of(connection) == HEAD:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)
    present = revision_of(connection)
    if present == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise InvalidInputError(
            f"the database has schema revision {present!r}, which this version does not know: "
            "it was written by a newer version. Upgrade the program or use another database.",
            field="database_url",
        ) from None


def revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision
