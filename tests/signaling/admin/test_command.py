"""The administration from the shell: of a server by its URL, and of a data directory without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from signaling.admin.nouns import NOUNS, Verb
from signaling.app import Server
from signaling.cli import main
from signaling.config import Settings
from signaling.credentials import Credentials
from signaling.testing import MemoryStore
from tests.signaling.rest.world import World, rest_world


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of a server that was started once, and does not run."""
    monkeypatch.delenv("ROSTRUM_CONFIG", raising=False)
    folder = tmp_path / "data"

    async def once() -> None:
        own = Settings(host="127.0.0.1", port=0, udp_port=0, workers=0, data_dir=folder)
        async with Server(own):
            pass

    asyncio.run(once())
    yield folder


def rostrum(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_without_a_server_the_services_run_for_as_long_as_a_command_takes(data: Path) -> None:
    before = Credentials.read(data)
    listed = rostrum("meetings", "list", "--data-dir", str(data))
    assert listed.exit_code == 0, listed.output
    assert listed.output.splitlines()[0].startswith("ID") and "Demo webinar" in listed.output
    assert Credentials.read(data) == before, "where the server is says who serves, not a command"


def test_nobody_is_asked_where_nobody_is_named(tmp_path: Path) -> None:
    for arguments in (
        ("--data-dir", str(tmp_path)),
        ("--url", "http://127.0.0.1:1"),
        ("--url", "http://127.0.0.1:1", "--api-key", "rk_0", "--organization", "org"),
    ):
        refused = rostrum("orgs", "list", *arguments)
        assert refused.exit_code == 2 and refused.output.startswith("rostrum: "), refused.output


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with rest_world(tmp_path, MemoryStore()) as made:
        yield made


async def test_every_noun_is_administered_by_the_same_commands(world: World, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(world.api_key + "\n")
    where = (
        "--url",
        world.url,
        "--api-key-file",
        str(key_file),
        "--organization",
        world.organization_id,
        "--data-dir",
        str(tmp_path),
    )

    async def run(*arguments: str, code: int = 0) -> str:
        result = await asyncio.to_thread(rostrum, *arguments, *where)
        assert result.exit_code == code, result.output
        return result.output

    async def asked(*arguments: str) -> dict[str, Any]:
        said = await run(*arguments, "--json")
        made: dict[str, Any] = json.loads(said[said.index("{") :])  # the server may log before it, here
        return made

    made = await asked("meetings", "create", "title=Shell", "persist_chat:=true")
    assert made["title"] == "Shell" and made["persist_chat"] is True
    assert "Renamed" in await run("meetings", "update", made["id"], "title=Renamed")
    assert "Renamed" in await run("meetings", "list", "search=Renam")
    assert "Renamed" not in await run("meetings", "list", "search=Other")
    participant = ("preset_name=group_call_host", "custom_participant_id=1")
    assert "token" in await run("participants", "create", "--meeting", made["id"], *participant)
    sales = await asked("units", "create", "name=Sales")
    assert "Sales" in await run("units", "show", sales["id"])
    assert f"{sales['id']} is gone" in await run("units", "delete", sales["id"])
    app = await asked("apps", "create", "name=staging")
    assert f"{app['id']} is gone" in await run("apps", "delete", app["id"], "--force")
    beta = await asked("orgs", "create", "name=Beta")
    assert f"{beta['id']} is gone" in await run("orgs", "delete", beta["id"])
    assert "keys of the platform" in (await run("orgs", "delete", world.organization_id, code=1)).casefold()
    assert "rk_" in await run("keys", "create", "name=CI", 'scopes:=["meetings:read"]')
    assert "rostrum: There is no unit" in await run("units", "show", sales["id"], code=1)
    assert "not JSON" in await run("meetings", "create", "title:=x", code=2)
    for noun in NOUNS:
        if Verb.LIST in noun.verbs:
            meeting = ("--meeting", made["id"]) if noun.of_meeting else ()
            assert (await run(noun.name, "list", *meeting)).startswith("ID")


def test_the_help_has_every_noun_with_its_verbs() -> None:
    overview = rostrum("--help").output
    for noun in NOUNS:
        assert f"  {noun.name} " in overview
        listed = rostrum(noun.name, "--help").output
        assert all(f"  {verb} " in listed for verb in noun.verbs)
