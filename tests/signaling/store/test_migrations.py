"""From every schema there ever was to the present one, on both databases, with what is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Connection, Table, TableClause, column, insert, inspect, text
from sqlalchemy import table as table_clause

from signaling.domain.attendance import PeerEvent, PeerEventKind
from signaling.domain.configuration import Configuration
from signaling.domain.meeting_config import AiConfig
from signaling.domain.webhook_key import FIRST, StoredWebhookKeys
from signaling.store import tables
from signaling.store.attendances import attendance_values
from signaling.store.database import Database, source_of, sqlite_url
from signaling.store.migrate import HEAD, MIGRATIONS
from signaling.store.rows import values_of
from signaling.store.tables.columns import UtcDateTime
from tests.signaling import values


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


SCRIPTS = ScriptDirectory.from_config(configuration())
REVISIONS = sorted(script.revision for script in SCRIPTS.walk_revisions())

ACME = values.organization()
KEY = replace(values.api_key(ACME), platform=True)
"""The first organization's; before there were others it could do all there was."""
PRESET = values.preset(ACME)
SAID = Configuration(record_on_start=True, session_keep_alive_time_in_secs=5, ai_config=AiConfig())
MEETING = replace(values.meeting(ACME), configuration=SAID)
FORMER_MEETING = {
    "record_on_start": True,
    "live_stream_on_start": False,
    "persist_chat": False,
    "summarize_on_end": False,
    "session_keep_alive_time_in_secs": 5,
    "recording_config": None,
    "ai_config": {},
    "loudest_audio": None,
}
"""What the configuration was before it was one."""
PARTICIPANT = values.participant(MEETING)
SESSION = replace(values.session(MEETING), seconds_consumed=90.0)
ATTENDANCE = values.attendance(SESSION, "peer_1", PARTICIPANT.id)
GONE = values.attendance(SESSION, "peer_2", PARTICIPANT.id, seconds=2).left("left", values.at(92))
HAPPENED = (PeerEvent(PeerEventKind.DETACHED, values.at(5)), PeerEvent(PeerEventKind.RESUMED, values.at(7)))
FORMER_EVENTS = [[one.kind, one.at.isoformat()] for one in HAPPENED]
"""All that there was to say of an attendance besides its columns."""
ROWS: tuple[tuple[Table, dict[str, Any]], ...] = (
    (tables.organizations, values_of(ACME)),
    (tables.api_keys, values_of(KEY)),
    (tables.presets, values_of(PRESET) | {"name": PRESET.name}),
    (tables.meetings, values_of(MEETING) | FORMER_MEETING),
    (tables.participants, values_of(PARTICIPANT)),
    (tables.sessions, values_of(SESSION)),
    (tables.attendances, attendance_values(ATTENDANCE)),
    (tables.attendances, attendance_values(GONE) | {"events": FORMER_EVENTS}),
)
"""In the order of their references; all are tables since the first revision."""


FORMER_WEBHOOK_KEYS = table_clause(
    "webhook_keys", column("kind"), column("private_key"), column("created_at", UtcDateTime())
)


def test_head_is_the_newest_migration() -> None:
    assert SCRIPTS.get_heads() == [HEAD] == REVISIONS[-1:]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without anything."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "rostrum.db")
    return str(request.getfixturevalue("postgres").new_database())


@pytest.mark.parametrize("revision", REVISIONS)
async def test_what_was_written_under_any_revision_is_there_under_the_newest(
    empty: str, revision: str
) -> None:
    await written_under(revision, empty)
    database = await Database.open(empty)
    try:
        await check_all_there(
            database, with_events=revision >= "0007", with_webhook_keys="0009" <= revision < "0014"
        )
    finally:
        await database.close()


async def test_all_migrations_make_the_tables_that_the_store_knows(empty: str) -> None:
    await written_under(HEAD, empty)
    database = await Database.open(empty)
    try:
        assert await database.source.run(differences) == []
    finally:
        await database.close()


async def test_a_new_file_has_the_schema_that_all_migrations_make_one_after_the_other(tmp_path: Path) -> None:
    new, migrated = tmp_path / "new.db", tmp_path / "migrated.db"
    await (await Database.open(sqlite_url(new))).close()
    await written_under(HEAD, sqlite_url(migrated))
    made, grown = schema_in(new), schema_in(migrated)
    assert made == grown
    assert made.keys() == {"alembic_version", *tables.metadata.tables}


def schema_in(path: Path) -> dict[str, list[str]]:
    """By table, in no order that means anything: columns, references, indexes, how many checks; without the
    numbers that SQLite gives them."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        written = {row["name"]: row["sql"] or "" for row in db.execute("SELECT name, sql FROM sqlite_master")}
        names = [row["name"] for row in db.execute("PRAGMA table_list") if row["type"] == "table"]
        return {name: sorted(described(db, name, written)) for name in names if name in written}


def described(db: sqlite3.Connection, table: str, written: Mapping[str, str]) -> Iterator[str]:
    for row in db.execute(f"PRAGMA table_xinfo({table})"):
        yield f"column {tuple(row)[1:]}"
    for row in db.execute(f"PRAGMA foreign_key_list({table})"):
        yield f"reference {tuple(row)[1:]}"
    for row in db.execute(f"PRAGMA index_list({table})"):
        keys = [one for one in db.execute(f"PRAGMA index_xinfo({row['name']})") if one["key"]]
        columns = [(one["name"], one["desc"], one["coll"]) for one in keys]
        name = row["name"] if row["origin"] == "c" else "of a constraint"
        where = written[row["name"]].partition(" WHERE ")[2]
        yield f"index {name}: unique {row['unique']}, {columns} {where}"
    yield f"checks: {written[table].count('CHECK')}"


async def written_under(revision: str, url: str) -> None:
    def write(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for table, row in ROWS:
            known = {column["name"] for column in inspect(connection).get_columns(table.name)}
            there = {name: value for name, value in row.items() if name in known}
            connection.execute(insert(_written(table, there)).values(there))
        if inspect(connection).has_table("webhook_keys"):
            for kind in ("ed25519", "rsa"):
                row = {"kind": kind, "private_key": f"sealed {kind}", "created_at": values.at(5)}
                connection.execute(insert(FORMER_WEBHOOK_KEYS).values(row))

    source = source_of(url)
    await source.run(write)
    await source.close()


def _written(table: Table, names: Iterable[str]) -> TableClause:
    """With the columns of these names, also those that it no longer has."""
    types = {name: table.c[name].type if name in table.c else _FORMER_TYPES.get(name) for name in names}
    return table_clause(table.name, *(column(name, one) for name, one in types.items()))


_FORMER_TYPES = {"ai_config": JSON(), "recording_config": JSON(none_as_null=True)}


def differences(connection: Connection) -> list[Any]:
    found = list(compare_metadata(MigrationContext.configure(connection), tables.metadata))
    if connection.dialect.name != "sqlite":
        return found
    other_than_references = [one for one in found if one[0] not in ("add_fk", "remove_fk")]
    return other_than_references + sorted(references_here(connection) ^ references_meant())


def references_here(connection: Connection) -> set[tuple[str, ...]]:
    """SQLAlchemy does not see what those do on SQLite that came with a column of a table that there was."""
    return {
        (table, row["from"], row["table"], row["to"], row["on_delete"])
        for table in tables.metadata.tables
        for row in connection.execute(text(f"PRAGMA foreign_key_list({table})")).mappings()
    }


def references_meant() -> set[tuple[str, ...]]:
    return {
        (table.name, key.parent.name, key.column.table.name, key.column.name, key.ondelete or "NO ACTION")
        for table in tables.metadata.tables.values()
        for key in table.foreign_keys
    }


async def check_all_there(database: Database, *, with_events: bool, with_webhook_keys: bool) -> None:
    async with database() as uow:
        assert await uow.organizations.get(ACME.id) == ACME
        assert list(await uow.organizations.keys(ACME.id)) == [KEY]
        assert await uow.presets.get(ACME.id, PRESET.id) == PRESET
        meeting = await uow.meetings.get(ACME.id, MEETING.id)
        assert meeting is not None
        assert replace(meeting, short=None) == MEETING
        assert await uow.participants.get(ACME.id, MEETING.id, PARTICIPANT.id) == PARTICIPANT
        session = await uow.sessions.active_for(MEETING.id)
        assert session is not None
        assert session.seconds_consumed == pytest.approx(90.0, abs=0.01)
        assert replace(session, seconds_consumed=90.0) == SESSION
        gone = replace(GONE, events=HAPPENED if with_events else ())
        assert list(await uow.sessions.attendances(SESSION.id)) == [ATTENDANCE, gone]
        keys = [StoredWebhookKeys(FIRST, "sealed ed25519", "sealed rsa", values.at(5), values.at(5))]
        assert list(await uow.webhook_keys.all()) == (keys if with_webhook_keys else [])
