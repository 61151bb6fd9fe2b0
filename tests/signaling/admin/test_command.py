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
from tests.signaling.rest.past import a_session
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


class Shell:
    """Commands against a server."""

    def __init__(self, world: World, folder: Path) -> None:
        key_file = folder / "key"
        key_file.write_text(world.api_key + "\n")
        self._where = (
            "--url",
            world.url,
            "--api-key-file",
            str(key_file),
            "--organization",
            world.organization_id,
            "--data-dir",
            str(folder),
        )

    async def run(self, *arguments: str, code: int = 0) -> str:
        result = await asyncio.to_thread(rostrum, *arguments, *self._where)
        assert result.exit_code == code, result.output
        return result.output

    async def asked(self, *arguments: str) -> dict[str, Any]:
        said = await self.run(*arguments, "--json")
        made: dict[str, Any] = json.loads(said[said.index("{") :])  # the server may log before it, here
        return made


async def test_every_noun_is_administered_by_the_same_commands(world: World, tmp_path: Path) -> None:
    shell = Shell(world, tmp_path)
    run, asked = shell.run, shell.asked

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


async def test_what_a_noun_has_besides(world: World, tmp_path: Path) -> None:
    shell = Shell(world, tmp_path)
    run, asked = shell.run, shell.asked
    org = world.organization_id
    said = ('configuration:={"max_duration_secs": 600}', 'locked:=["persist_chat"]')
    assert "persist_chat" in await run("orgs", "set-config", org, *said)
    assert (await asked("orgs", "config", org))["configuration"] == {"max_duration_secs": 600}
    sales = await asked("units", "create", "name=Sales")
    assert "max_participants" in await run(
        "units", "set-config", sales["id"], 'configuration:={"max_participants": 9}'
    )

    meeting = (await asked("meetings", "create", "title=Shell", f"unit_id={sales['id']}"))["id"]
    opened = await asked("meetings", "open", meeting, "max_participants:=4")
    assert opened["associated_id"] == meeting
    assert "max_participants" in await run("meetings", "open", meeting, "max_participants:=0", code=1)
    assert "unit" in await run("meetings", "config", meeting)
    assert "kicked_participants_count" in await run("meetings", "close", meeting)
    added = ("--meeting", meeting, "preset_name=group_call_host", "custom_participant_id=1")
    participant = (await asked("participants", "create", *added))["id"]
    assert "token" in await run("participants", "token", participant, "--meeting", meeting)

    session, peer = await a_session(world)
    assert peer in await run("sessions", "people", session)
    assert peer not in await run("sessions", "people", session, "search=nobody")
    for refused in (("end",), ("kick", "participants=all"), ("mute", f'participants:=["{peer}"]')):
        assert "has ended" in await run("sessions", refused[0], session, *refused[1:], code=1)

    webhook = ("name=ours", "url=https://hooks.example/", 'events:=["meeting.started"]')
    hook = (await asked("webhooks", "create", *webhook))["id"]
    sent = (await asked("webhooks", "test", hook))["id"]
    assert sent in await run("webhooks", "deliveries", hook, "event=webhook.test")
    assert "still to be delivered" in await run("webhooks", "resend", sent, code=1)
    app = (await asked("apps", "create", "name=staging"))["id"]
    assert "renamed" in await run("apps", "update", app, "name=renamed")
    assert "renamed" in await run("apps", "show", app)
    assert (await run("usage", "list", "start_date=2026-03-01", "end_date=2026-03-02")).startswith("DAY")


def test_the_help_has_every_noun_with_its_verbs() -> None:
    overview = rostrum("--help").output
    for noun in NOUNS:
        assert f"  {noun.name} " in overview
        listed = rostrum(noun.name, "--help").output
        assert all(f"  {verb} " in listed for verb in noun.verbs)
        assert all(f"  {action.name} " in listed for action in noun.actions)
        for action in noun.actions:
            assert ("FIELDS" in rostrum(noun.name, action.name, "--help").output) == bool(action.takes)
