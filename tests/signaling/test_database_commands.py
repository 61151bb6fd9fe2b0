from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from signaling.cli import main
from signaling.domain.organization import Organization
from signaling.preflight import lock_data_dir
from signaling.store.database import Database, sqlite_url
from signaling.store.migrate import HEAD
from tests.signaling import values
from tests.support.postgres import Postgres


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data directory."""
    monkeypatch.delenv("ROSTRUM_CONFIG", raising=False)
    (tmp_path / "data").mkdir(mode=0o700)
    return tmp_path / "data"


def rostrum(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data-dir", str(data)])


def furnish(data: Path, name: str) -> Organization:
    async def add() -> Organization:
        database = await Database.open(sqlite_url(data / "rostrum.db"))
        acme = values.organization(name)
        async with database() as uow:
            await uow.organizations.add(acme)
            await uow.commit()
        await database.close()
        return acme

    return asyncio.run(add())


def names_in(data: Path) -> set[str]:
    connection = sqlite3.connect(data / "rostrum.db")
    found = {row[0] for row in connection.execute("SELECT name FROM organizations")}
    connection.close()
    return found


def test_the_schema_is_looked_at_and_brought_up_to_date(data: Path, postgres: Postgres) -> None:
    for options in ((), ("--database-url", postgres.new_database())):
        before = rostrum(data, "db", "current", *options)
        assert (before.exit_code, before.output.split()[0]) == (1, "empty")
        upgraded = rostrum(data, "db", "upgrade", *options)
        assert (upgraded.exit_code, upgraded.output) == (0, f"empty -> {HEAD}\n")
        after = rostrum(data, "db", "current", *options)
        assert (after.exit_code, after.output.split()[0]) == (0, HEAD)


def test_a_database_that_is_not_there_is_one_line(data: Path) -> None:
    done = rostrum(data, "db", "current", "--database-url", f"postgresql://a:secret@/b?host={data}")
    assert done.exit_code == 2
    assert "does not answer" in done.output
    assert "secret" not in done.output


def test_a_backup_is_taken_while_somebody_writes_and_has_what_was_committed(data: Path) -> None:
    furnish(data, "Acme")
    writer = sqlite3.connect(data / "rostrum.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM organizations")
    done = rostrum(data, "backup", str(data / "backup"))
    writer.execute("ROLLBACK")
    writer.close()
    assert done.exit_code == 0, done.output
    assert (data / "backup").stat().st_mode & 0o077 == 0
    furnish(data, "Later")
    assert rostrum(data, "restore", "--replace", str(data / "backup")).exit_code == 0
    assert names_in(data) == {"Acme"}
    aside = sqlite3.connect(data / "rostrum.db.replaced")
    assert aside.execute("SELECT count(*) FROM organizations").fetchone() == (2,)
    aside.close()
    assert furnish(data, "Goes on").name in names_in(data)


def test_nothing_is_overwritten_unasked(data: Path) -> None:
    furnish(data, "Acme")
    assert rostrum(data, "backup", str(data / "backup")).exit_code == 0
    again = rostrum(data, "backup", str(data / "backup"))
    assert again.exit_code == 2
    assert "is there already" in again.output
    there = rostrum(data, "restore", str(data / "backup"))
    assert there.exit_code == 2
    assert "--replace" in there.output


def test_the_database_of_a_running_server_is_left_alone(data: Path) -> None:
    furnish(data, "Acme")
    assert rostrum(data, "backup", str(data / "backup")).exit_code == 0
    furnish(data, "Later")
    with lock_data_dir(data):
        refused = rostrum(data, "restore", "--replace", str(data / "backup"))
    assert refused.exit_code == 2
    open_elsewhere = sqlite3.connect(data / "rostrum.db")
    open_elsewhere.execute("SELECT * FROM organizations").fetchone()
    in_use = rostrum(data, "restore", "--replace", str(data / "backup"))
    open_elsewhere.close()
    assert in_use.exit_code == 2, in_use.output
    assert names_in(data) == {"Acme", "Later"}


def test_what_is_no_backup_replaces_nothing(data: Path) -> None:
    furnish(data, "Acme")
    assert rostrum(data, "backup", str(data / "good")).exit_code == 0
    good = (data / "good").read_bytes()
    (data / "text").write_text("hello")
    (data / "cut").write_bytes(good[: len(good) // 2])
    (data / "newer").write_bytes(good)
    newer = sqlite3.connect(data / "newer")
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    for name in ("text", "cut", "newer", "missing"):
        refused = rostrum(data, "restore", "--replace", str(data / name))
        assert refused.exit_code == 2, (name, refused.output)
        assert refused.output.startswith("rostrum: ")
    assert names_in(data) == {"Acme"}
    assert not (data / "rostrum.db.replaced").exists()


def test_only_the_embedded_database_is_backed_up_by_us(data: Path) -> None:
    done = rostrum(data, "backup", str(data / "backup"), "--database-url", "postgresql://a@b/c")
    assert done.exit_code == 2
    assert "pg_dump" in done.output
