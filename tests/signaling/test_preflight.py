from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from signaling.addresses import AnnouncedAddress, parse_announced
from signaling.config import load_settings
from signaling.errors import InvalidInputError
from signaling.preflight import (
    check_announced,
    check_ports,
    load_tls,
    lock_data_dir,
    media_hosts,
    own_addresses,
    prepare_data_dir,
)
from tests.support.server import free_ports


@pytest.fixture(params=[socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def taken(request: pytest.FixtureRequest) -> Iterator[tuple[socket.SocketKind, int]]:
    """The port before it is free."""
    with socket.socket(socket.AF_INET, request.param) as held:
        held.bind(("127.0.0.1", free_ports(2) + 1))
        if request.param == socket.SOCK_STREAM:
            held.listen()
        yield request.param, held.getsockname()[1]


def test_a_taken_port_is_named_with_its_flag(taken: tuple[socket.SocketKind, int]) -> None:
    kind, port = taken
    flags = {"host": "127.0.0.1", "announce": ("127.0.0.1",), "port": 0, "udp_port": 0}
    name = "port" if kind == socket.SOCK_STREAM else "udp_port"
    with pytest.raises(InvalidInputError, match=f"--{name.replace('_', '-')}: .*{port}.* is taken"):
        check_ports(load_settings(flags | {name: port}))


def test_the_port_of_a_later_worker_is_looked_at_too(taken: tuple[socket.SocketKind, int]) -> None:
    _, port = taken
    flags = {"port": 0, "udp_port": port - 1, "workers": 2, "announce": ("127.0.0.1",)}
    with pytest.raises(InvalidInputError, match=f"--udp-port.*{port}.* is taken"):
        check_ports(load_settings(flags))


def test_a_host_that_is_not_ours_is_refused() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    settings = load_settings({"host": "203.0.113.9", "port": free, "udp_port": 0})
    with pytest.raises(InvalidInputError, match=r"--host: 203.0.113.9 is not an address.*127.0.0.1"):
        check_ports(settings)


def test_an_address_that_is_not_ours_is_refused_unless_it_is_said_to_be_external() -> None:
    with pytest.raises(InvalidInputError, match=r"127.0.0.1.*--announce-external"):
        check_announced([parse_announced("203.0.113.9")], external_allowed=False)
    check_announced([parse_announced("203.0.113.9")], external_allowed=True)
    check_announced([AnnouncedAddress(own) for own in own_addresses()], external_allowed=False)


def test_an_address_behind_nat_is_allowed_where_it_is_mapped_to_one_of_ours() -> None:
    check_announced([parse_announced("203.0.113.9=127.0.0.1")], external_allowed=False)
    for external in (False, True):
        with pytest.raises(InvalidInputError, match=r"--announce: 192\.0\.2\.1 is not an address of this"):
            check_announced([parse_announced("203.0.113.9=192.0.2.1")], external_allowed=external)


def test_media_listens_on_loopback_only_when_it_is_announced_there_only() -> None:
    assert media_hosts(load_settings({"announce": ("127.0.0.1",)})) == ("127.0.0.1",)
    assert media_hosts(load_settings({"announce": ("127.0.0.1", "::1")})) == ("127.0.0.1", "::1")


def test_tls_files_that_cannot_be_read_or_used_are_named(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    with pytest.raises(InvalidInputError, match="--tls-cert: cannot read"):
        load_tls(tmp_path / "none.pem", junk)
    with pytest.raises(InvalidInputError, match="--tls-key: cannot read"):
        load_tls(junk, tmp_path / "none.pem")
    with pytest.raises(InvalidInputError, match="not a certificate"):
        load_tls(junk, junk)
    assert load_tls(None, None) is None


def test_the_data_directory_is_for_its_owner_and_for_one_server(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    prepare_data_dir(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    held = lock_data_dir(folder)
    with pytest.raises(InvalidInputError, match="another server"):
        lock_data_dir(folder)
    held.close()
    lock_data_dir(folder).close()


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(InvalidInputError, match="--data-dir"):
        prepare_data_dir(tmp_path / "data")
