"""Bringing the schema up to date at start.

An empty SQLite database gets the present schema at once; a test holds it against what all migrations make one
after the other. On PostgreSQL a new database is rare, and references bear names there, which differ by how
they came to be: it gets all migrations. alembic is only imported for them: a start with a database that is at
`HEAD` costs one query. All of it is one transaction, so a process that dies in it leaves what was there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from signaling.errors import InvalidInputError
from signaling.store.connection import Source
from signaling.store.tables import metadata

HEAD: Final = "0018"
"""The newest revision in `migrations/versions`; a test compares the two."""

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(7825113)")
"""On PostgreSQL. Processes that start together wait for each other here, until the one before has committed;
READ COMMITTED is what lets them see that it did. On SQLite BEGIN IMMEDIATE does both."""

MIGRATIONS: Final = Path(__file__).with_name("migrations")

_version: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where alembic notes the revision, as it makes it; of no interest to anything but this module."""


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
    if present is None and connection.dialect.name == "sqlite" and not inspect(connection).get_table_names():
        _make(connection)
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


def _make(connection: Connection) -> None:
    """The present schema, as if alembic had brought it up to `HEAD`."""
    _version.create(connection)
    metadata.create_all(connection, checkfirst=False)
    connection.execute(_version.insert().values(version_num=HEAD))


def revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision
