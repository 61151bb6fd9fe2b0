"""The doctor on this machine, put into one bad situation after another."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from signaling.cli import main
from signaling.doctor.database import judge_skew
from signaling.doctor.report import Verdict
from signaling.preflight import lock_data_dir, prepare_data_dir
from signaling.store.examination import examine
from tests.support import coturn, netns
from tests.support.postgres import Postgres
from tests.support.server import free_ports
from tests.support.turn_world import NODE_V4, TURN_V4, TurnWorld, needs_turn, turn_world


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine in order."""
    monkeypatch.delenv("ROSTRUM_CONFIG", raising=False)
    web = tmp_path / "web"
    web.mkdir()
    (web / "index.html").write_text("<!doctype html>")
    port = free_ports(2)
    return [
        *("--data-dir", str(tmp_path / "data"), "--web-dir", str(web), "--announce", "127.0.0.1"),
        *("--port", str(port), "--udp-port", str(port + 1), "--workers", "1"),
    ]


def examined(*arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Exit code and findings."""
    done = CliRunner().invoke(main, ["doctor", "--json", *arguments])
    assert done.exit_code in (0, 1), done.output
    body: dict[str, Any] = json.loads(done.output)
    assert body["ok"] == (done.exit_code == 0)
    return done.exit_code, body["findings"]


def failures(findings: list[dict[str, str]]) -> dict[str, str]:
    return {one["check"]: one["found"] for one in findings if one["verdict"] == "fail"}


def test_a_machine_in_order_has_nothing_that_fails(base: list[str]) -> None:
    code, findings = examined(*base)
    assert (code, failures(findings)) == (0, {})
    looked_at = {one["check"] for one in findings}
    assert {"ports", "announced address", "clock", "UDP_SEGMENT", "database", "meeting page"} <= looked_at


def test_a_port_that_is_taken(base: list[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        code, findings = examined(*base, "--udp-port", port)
    assert code == 1
    assert port in failures(findings)["ports"]


def test_an_address_that_is_not_ours(base: list[str]) -> None:
    code, findings = examined(*base, "--announce", "203.0.113.9")
    assert code == 1
    assert "203.0.113.9 is not an address of this machine" in failures(findings)["announced address"]


def test_a_page_that_is_not_built_and_an_address_without_https(base: list[str], tmp_path: Path) -> None:
    _, findings = examined(*base, "--web-dir", str(tmp_path), "--public-url", "http://meet.example.org")
    assert {"meeting page", "address of the page"} <= set(failures(findings))


def test_a_database_that_is_none_and_one_of_a_newer_version(base: list[str], tmp_path: Path) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"not a database at all" * 100)
    _, findings = examined(*base, "--database-url", f"sqlite:///{junk}")
    assert "does not answer as one" in failures(findings)["database"]

    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as connection:
        connection.execute("create table alembic_version (version_num text)")
        connection.execute("insert into alembic_version values ('9999')")
    _, findings = examined(*base, "--database-url", f"sqlite:///{newer}")
    assert "newer version" in failures(findings)["database"]


def test_secrets_that_were_sealed_with_another_key_or_lie_open(base: list[str], tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["webhook-keys", "list", "--data-dir", str(tmp_path / "data")])
    assert made.exit_code == 0, made.output
    _, findings = examined(*base)
    assert "it opens the secrets in the database" in [one["found"] for one in findings]
    file = tmp_path / "data" / "secret.key"
    file.chmod(0o644)
    assert "others may read" in failures(examined(*base)[1])["secret key"]
    file.chmod(0o600)
    file.write_text("another secret key, just as long as it takes")
    assert "sealed with another one" in failures(examined(*base)[1])["secret key"]
    file.unlink()
    assert "there is none" in failures(examined(*base)[1])["secret key"]
    assert not file.exists(), "it changes nothing"


def test_a_database_of_several_servers(base: list[str], postgres: Postgres) -> None:
    url = postgres.new_database()
    _, findings = examined(*base, "--database-url", url, "--server-url", "http://127.0.0.1:9")
    found = {one["check"]: one for one in findings}
    assert found["database"]["found"].startswith("reachable, empty")
    assert found["clock against the database"]["verdict"] == "ok"
    assert found["secret key"]["verdict"] == "warn"
    assert found["server URL"]["found"].startswith("http://127.0.0.1:9 is 127.0.0.1")


@pytest.mark.parametrize("delay", [0.0, 4.0])
def test_a_database_that_is_slow_to_answer_is_not_taken_for_a_wrong_clock(
    postgres: Postgres, delay: float
) -> None:
    """Whether it was slow on the way there or back: its clock is ours."""
    for before in (delay, 0.0):
        wall = iter((-before, delay - before))
        found = asyncio.run(examine(postgres.new_database(), lambda wall=wall: time.time() + next(wall)))
        assert found.skew is not None
        assert judge_skew(found.skew).verdict is Verdict.OK
        assert found.skew.doubt >= delay / 2


def test_a_url_that_leads_to_nothing_while_the_server_runs(base: list[str], tmp_path: Path) -> None:
    prepare_data_dir(tmp_path / "data")
    with lock_data_dir(tmp_path / "data"):
        _, findings = examined(*base, "--server-url", f"http://127.0.0.1:{free_ports(1)}")
    assert "does not answer" in failures(findings)["server URL"]


def test_a_server_that_runs_has_its_ports_to_itself(base: list[str], tmp_path: Path) -> None:
    prepare_data_dir(tmp_path / "data")
    with lock_data_dir(tmp_path / "data"), socket.create_server(("127.0.0.1", 0)) as taken:
        code, findings = examined(*base, "--udp-port", str(taken.getsockname()[1]))
    assert (code, failures(findings)) == (0, {})
    assert any("that runs on this data directory" in one["found"] for one in findings)


def test_it_changes_nothing(base: list[str], tmp_path: Path) -> None:
    examined(*base)
    assert not (tmp_path / "data").exists()


def test_settings_that_cannot_be_used_end_in_code_2() -> None:
    done = CliRunner().invoke(main, ["doctor", "--announce", "here"])
    assert done.exit_code == 2
    assert "is not an IP address" in done.output


def test_a_turn_server_that_is_not_there(base: list[str]) -> None:
    arguments = ("--turn-url", f"turn:127.0.0.1:{free_ports(1)}", "--turn-secret", coturn.SECRET)
    code, findings = examined(*base, *arguments)
    assert code == 1
    assert any(check.startswith("TURN turn:127.0.0.1") for check in failures(findings))


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnWorld]:
    with turn_world(tmp_path_factory.mktemp("turn")) as world:
        yield world


def at_the_node(turn: TurnWorld, base: list[str], *arguments: str) -> list[dict[str, str]]:
    """Findings of a doctor that runs where the node would, beside coturn."""
    with netns.inside(turn.networks.server):
        return examined(*base, *arguments, "--turn-url", f"turn:{TURN_V4}")[1]


@needs_turn
def test_a_turn_server_that_relays_to_us_and_to_nobody_else(turn: TurnWorld, base: list[str]) -> None:
    base[base.index("127.0.0.1")] = NODE_V4
    findings = at_the_node(turn, base, "--turn-secret", coturn.SECRET)
    said = [one["found"] for one in findings if one["check"].startswith("TURN")]
    assert f"relays to our media port at {NODE_V4}, and back" in said
    assert "it refuses to relay to loopback and private addresses" in said
    assert failures(findings) == {}


@needs_turn
def test_a_turn_server_with_another_secret(turn: TurnWorld, base: list[str]) -> None:
    findings = at_the_node(turn, base, "--turn-secret", "another-secret-altogether")
    assert failures(findings) == {f"TURN turn:{TURN_V4}": "it does not take our credentials"}


@needs_turn
def test_a_turn_server_that_does_not_relay_to_the_announced_address(turn: TurnWorld, base: list[str]) -> None:
    base[base.index("127.0.0.1")] = TURN_V4
    findings = at_the_node(turn, base, "--turn-secret", coturn.SECRET)
    assert f"it does not relay to {TURN_V4}" in failures(findings)[f"TURN turn:{TURN_V4}"]


@needs_turn
def test_a_turn_server_that_relays_into_private_networks(tmp_path: Path, base: list[str]) -> None:
    base[base.index("127.0.0.1")] = NODE_V4

    def unprotected(text: str) -> str:
        return "\n".join(line for line in text.splitlines() if "peer-ip" not in line) + "\n"

    with turn_world(tmp_path / "turn", change=unprotected) as world:
        findings = at_the_node(world, base, "--turn-secret", coturn.SECRET)
    assert "169.254.169.254" in failures(findings)[f"TURN turn:{TURN_V4}"]
