from __future__ import annotations

import os
from pathlib import Path

import pytest

from signaling.config import load_settings
from signaling.errors import InvalidInputError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ROSTRUM_"):
            monkeypatch.delenv(name)


def toml(folder: Path, text: str) -> Path:
    path = folder / "rostrum.toml"
    path.write_text(text)
    return path


def test_the_defaults_are_those_of_the_manual() -> None:
    settings = load_settings({})
    assert (settings.port, settings.udp_port, settings.session_grace) == (8080, 40000, 60)
    assert (settings.resume_within, settings.token_ttl) == (30, 86400)
    assert settings.workers >= 1
    assert settings.data_dir == Path("data")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = toml(tmp_path, "port = 1001\nudp_port = 1002\nsession_grace = 3\n")
    monkeypatch.setenv("ROSTRUM_PORT", "2001")
    monkeypatch.setenv("ROSTRUM_UDP_PORT", "2002")
    settings = load_settings({"port": 3001}, path)
    assert (settings.port, settings.udp_port, settings.session_grace) == (3001, 2002, 3)


def test_the_file_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_CONFIG", str(toml(tmp_path, "port = 1001")))
    assert load_settings({}).port == 1001


def test_addresses_come_as_a_list_or_separated_by_commas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings({}, toml(tmp_path, 'announce = ["::1", "127.0.0.1"]')).announce == (
        "::1",
        "127.0.0.1",
    )
    monkeypatch.setenv("ROSTRUM_ANNOUNCE", "127.0.0.1, ::1")
    assert load_settings({}).announce == ("127.0.0.1", "::1")


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_PROT", "1")
    with pytest.raises(InvalidInputError, match=r"ROSTRUM_PROT.*ROSTRUM_PORT"):
        load_settings({})


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"'prot' in .*rostrum.toml"):
        load_settings({}, toml(tmp_path, "prot = 1"))


def test_a_bad_value_says_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match=r"--port: .*70000"):
        load_settings({"port": 70000})
    with pytest.raises(InvalidInputError, match=r"workers in .*rostrum.toml: "):
        load_settings({}, toml(tmp_path, 'workers = "many"'))
    monkeypatch.setenv("ROSTRUM_LOG_LEVEL", "loud")
    with pytest.raises(InvalidInputError, match="ROSTRUM_LOG_LEVEL: "):
        load_settings({})


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({"tls_cert": Path("a.pem")}, "together"),
        ({"udp_port": 65535, "workers": 2}, "no room"),
        ({"public_url": "example.com"}, "--public-url"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(flags: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        load_settings(flags)


def test_a_file_that_is_missing_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot read"):
        load_settings({}, tmp_path / "none.toml")
    with pytest.raises(InvalidInputError, match="not TOML"):
        load_settings({}, toml(tmp_path, "port: 1"))


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ({}, "http://127.0.0.1:8081"),
        ({"host": "::1"}, "http://[::1]:8081"),
        ({"tls_cert": Path("c"), "tls_key": Path("k")}, "https://127.0.0.1:8081"),
        ({"public_url": "https://meet.example/"}, "https://meet.example"),
    ],
)
def test_links_begin_with_how_the_server_is_reached(flags: dict[str, object], url: str) -> None:
    assert load_settings(flags).base_url(8081) == url


def test_each_worker_has_a_port_and_no_worker_still_needs_one() -> None:
    assert load_settings({"workers": 3, "udp_port": 5000}).udp_ports == (5000, 5001, 5002)
    assert load_settings({"workers": 0, "udp_port": 5000}).udp_ports == (5000,)


SECRET = "0123456789abcdef0123456789abcdef"


def test_the_turn_secret_comes_from_a_file_the_environment_or_a_flag_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    from_file = load_settings({"turn_secret_file": path, "turn_url": ("turn:t.example.org",)})
    monkeypatch.setenv("ROSTRUM_TURN_SECRET", SECRET)
    monkeypatch.setenv("ROSTRUM_TURN_URL", "turn:t.example.org, turns:t.example.org")
    from_environment = load_settings({})
    for settings in (from_file, from_environment):
        assert settings.turn_secret is not None
        assert settings.turn_secret.get_secret_value() == SECRET
        assert SECRET not in repr(settings)
    assert from_environment.turn_url == ("turn:t.example.org", "turns:t.example.org")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({"turn_url": ("turn:t.example.org",)}, "turn_url needs turn_secret"),
        ({"turn_url": ("stun:t.example.org",)}, "--turn-url: .* is not a turn: URL"),
        ({"stun_url": ("turn:t.example.org",)}, "--stun-url: .* is not a stun: URL"),
        ({"turn_url": ("t.example.org",)}, "--turn-url: .* is not the URL of a STUN or TURN server"),
        ({"turn_secret_file": Path("/nowhere/secret")}, "--turn-secret-file: cannot read"),
    ],
)
def test_turn_settings_that_cannot_work_are_refused(flags: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        load_settings(flags)


def test_a_bad_turn_secret_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidInputError, match="--turn-secret: it must be 16 or more") as refused:
        load_settings({"turn_secret": "hunter2 hunter2 hunter2"})
    assert "hunter2" not in refused.value.message
