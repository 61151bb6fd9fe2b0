from __future__ import annotations

from ipaddress import ip_address

import pytest
from click.testing import CliRunner

from signaling.cli import main
from signaling.config import Settings, load_settings
from signaling.errors import InvalidInputError
from signaling.turn_config import SPECIAL_PURPOSE, TurnLimits, turnserver_conf

SECRET = "0123456789abcdef0123456789abcdef"


def settings(*urls: str) -> Settings:
    return load_settings({"turn_url": urls, "turn_secret": SECRET, "announce": ("203.0.113.7",)})


def lines(*urls: str, limits: TurnLimits | None = None) -> list[str]:
    text = turnserver_conf(settings(*urls), [ip_address("203.0.113.7")], limits or TurnLimits())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_ports_and_realm_are_those_of_the_urls() -> None:
    made = lines("turn:turn.example.org:80", "turns:turn.example.org:443?transport=tcp")
    assert {"listening-port=80", "tls-listening-port=443", "realm=turn.example.org"} <= set(made)
    assert "no-tls" not in made
    assert "no-tls" in lines("turn:turn.example.org")


def test_only_the_announced_addresses_are_allowed_and_everything_else_is_denied() -> None:
    made = lines("turn:turn.example.org")
    assert [line for line in made if line.startswith("allowed-peer-ip")] == ["allowed-peer-ip=203.0.113.7"]
    denied = {line.partition("=")[2] for line in made if line.startswith("denied-peer-ip")}
    assert "0.0.0.0-255.255.255.255" in denied
    assert set(SPECIAL_PURPOSE) <= denied


def test_ranges_are_written_lowest_first_in_one_ip_version() -> None:
    for text in SPECIAL_PURPOSE:
        low, high = map(ip_address, text.split("-"))
        assert low.version == high.version
        assert int(low) <= int(high)


def test_quotas_follow_from_what_a_client_may_need_or_are_given() -> None:
    assert "user-quota=24" in lines(*(f"turn:turn.example.org:{port}" for port in (80, 443, 3478)))
    assert "user-quota=5" in lines("turn:turn.example.org", limits=TurnLimits(user_quota=5))


def test_a_server_on_loopback_has_nothing_to_relay_to() -> None:
    with pytest.raises(InvalidInputError, match="announced on loopback only"):
        turnserver_conf(settings("turn:turn.example.org"), [ip_address("127.0.0.1"), ip_address("::1")])


def test_the_command_takes_the_settings_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_TURN_SECRET", SECRET)
    arguments = ["turn-config", "--turn-url", "turn:turn.example.org", "--announce", "203.0.113.7=127.0.0.1"]
    done = CliRunner().invoke(main, [*arguments, "--max-bps", "1000"])
    assert done.exit_code == 0, done.output
    made = done.output.splitlines()
    assert {f"static-auth-secret={SECRET}", "allowed-peer-ip=203.0.113.7", "max-bps=1000"} <= set(made)


def test_without_a_turn_server_in_the_settings_the_command_says_what_it_needs() -> None:
    done = CliRunner().invoke(main, ["turn-config"])
    assert done.exit_code == 2
    assert "--turn-url" in done.output
