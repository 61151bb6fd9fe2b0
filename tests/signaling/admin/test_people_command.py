from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from signaling.cli import main
from signaling.services.bootstrap import Bootstrap
from signaling.store.database import Database, sqlite_url
from signaling.testing import FakeClock


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ROSTRUM_CONFIG", raising=False)
    return tmp_path / "data"


def rostrum(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["users", *arguments, "--data-dir", str(data)])


def token_in(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return next(line for line in result.output.splitlines() if line.startswith("password token")).rpartition(
        " "
    )[2]


def test_the_first_account_comes_from_the_shell_and_gets_back_in_from_there(data: Path) -> None:
    made = rostrum(data, "create", "Ada@example.org", "--platform-admin")
    assert "ada@example.org: platform_admin" in made.output
    again = rostrum(data, "reset-password", "ada@example.org")
    assert len(token_in(made)) == 43 and token_in(again) != token_in(made)
    assert rostrum(data, "create", "ada@example.org", "--platform-admin").exit_code == 2
    assert rostrum(data, "reset-password", "bob@example.org").exit_code == 2


def test_an_administrator_is_one_of_the_first_organization_unless_another_is_named(data: Path) -> None:
    assert rostrum(data, "create", "ada@example.org").exit_code == 2, "there is none yet"

    async def furnish() -> str:
        database = await Database.open(sqlite_url(data / "rostrum.db"))
        made = await Bootstrap(database, FakeClock()).create("org", "0" * 64)
        await database.close()
        return made.id

    asyncio.run(furnish())
    assert "organization_admin" in rostrum(data, "create", "ada@example.org").output
    assert rostrum(data, "create", "bob@example.org", "--organization", "nobody's").exit_code == 2
