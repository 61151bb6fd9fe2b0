"""A node's ports on real sockets: several hosts, both IP versions, one number."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from sfu.clock import utc_now
from sfu.config import NodeConfig
from sfu.ports import NodePorts, local_addresses
from sfu.webrtc.association import LEFT_AFTER
from sfu.webrtc.association import Association as RealAssociation
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.stun import BINDING_REQUEST, USERNAME, build_stun
from sfu.webrtc.udp import Path, UdpPath
from tests.support.server import free_ports
from tests.support.wait import PATIENCE

BOTH = ("127.0.0.1", "::1")


class Association:
    """Takes what a stranger sends and answers with the address it came from."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.rtp_in: list[bytes] = []
        self.came_in: list[float] = []
        self.rtcp_in: list[bytes] = []

    def handle_stun(self, data: bytes, path: Path, now: float) -> None:
        self.paths.append(path)
        path.send(b"to " + str(path.address[0]).encode())

    def handle_other(self, data: bytes, path: Path, now: float) -> None: ...

    def handle_batch(self, now: float) -> None: ...

    def is_voice(self, data: bytes) -> bool:
        return False

    def handle_late(self, packets: int, now: float) -> None: ...


async def started(*hosts: str) -> tuple[NodePorts, Association]:
    ports, association = NodePorts(NodeConfig("nd_1", hosts=hosts, udp_port=0, announce=hosts)), Association()
    await ports.start()
    ports.associations["ours"] = association  # type: ignore[assignment]
    return ports, association


def check() -> bytes:
    return build_stun(BINDING_REQUEST, os.urandom(12), [(USERNAME, b"ours:theirs")])


async def answer_over_udp(host: str, port: int) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        # Connected: an answer from any other address than the one asked is not taken.
        client.connect((host, port))
        client.send(check())
        async with asyncio.timeout(PATIENCE):
            return await loop.sock_recv(client, 100)


async def test_each_address_answers_from_itself_on_the_same_number() -> None:
    ports, association = await started(*BOTH, "127.0.0.2")
    try:
        assert await answer_over_udp("127.0.0.1", ports.number) == b"to 127.0.0.1"
        assert await answer_over_udp("127.0.0.2", ports.number) == b"to 127.0.0.1"
        assert await answer_over_udp("::1", ports.number) == b"to ::1"
        assert len(association.paths) == 3
    finally:
        await ports.close()


async def test_tcp_is_there_on_the_same_number_for_both_ip_versions() -> None:
    ports, association = await started(*BOTH)
    try:
        for host in BOTH:
            reader, writer = await asyncio.open_connection(host, ports.number)
            data = check()
            writer.write(len(data).to_bytes(2, "big") + data)
            async with asyncio.timeout(PATIENCE):
                assert await reader.readexactly(2 + 6) == b"\x00\x06to tcp"
            writer.close()
        assert len(association.paths) == 2
    finally:
        await ports.close()


async def test_what_a_path_sends_with_is_the_socket_it_came_in_by() -> None:
    ports, association = await started(*BOTH)
    try:
        for host in BOTH:
            await answer_over_udp(host, ports.number)
        families = []
        for path in association.paths:
            sendto, sendmsg = ports.socket_calls(path)
            assert sendto is not None
            families.append(sendto.__self__.family)  # type: ignore[attr-defined]
            assert sendmsg.__self__ is sendto.__self__  # type: ignore[attr-defined]
        assert families == [socket.AF_INET, socket.AF_INET6]
    finally:
        await ports.close()


async def test_the_end_of_a_path_that_is_ours_is_known_also_behind_a_wildcard() -> None:
    config = NodeConfig(
        "nd_1", hosts=("127.0.0.2", "::"), udp_port=0, announce=("198.51.100.7", "2001:db8::7")
    )
    ports, association = NodePorts(config), Association()
    await ports.start()
    ports.associations["ours"] = association  # type: ignore[assignment]
    try:
        await answer_over_udp("127.0.0.2", ports.number)
        await answer_over_udp("::1", ports.number)
        reader, writer = await asyncio.open_connection("127.0.0.2", ports.number)
        data = check()
        writer.write(len(data).to_bytes(2, "big") + data)
        async with asyncio.timeout(PATIENCE):
            await reader.readexactly(2 + 6)
        ours = [("127.0.0.2", ports.number), ("2001:db8::7", ports.number), ("127.0.0.2", ports.number)]
        assert [ports.local_of(path) for path in association.paths] == ours
        writer.close()
    finally:
        await ports.close()


async def test_a_number_that_is_taken_on_one_host_leaves_nothing_bound() -> None:
    # Of the numbers that the system deals out, a client somewhere may have the same one on the other host.
    with socket.create_server(("::1", free_ports(1)), family=socket.AF_INET6) as taken:
        number = taken.getsockname()[1]
        ports = NodePorts(NodeConfig("nd_1", hosts=BOTH, udp_port=number))
        with pytest.raises(OSError, match=r"."):
            await ports.start()
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as free:
                free.bind(("127.0.0.1", number))


class Listener:
    """Of an association: keeps the path that it was told of last."""

    path: Path | None = None

    def handle_path(self, path: Path) -> None:
        self.path = path

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


async def test_an_address_that_is_dealt_out_again_is_its_new_clients() -> None:
    """As a NAT does, and any system with its ports: what a client that left had is the next one's."""
    ports = NodePorts(NodeConfig("nd_1", hosts=("127.0.0.1",), udp_port=0, announce=("127.0.0.1",)))
    await ports.start()
    certificate, listeners = Certificate.generate(utc_now()), {"old": Listener(), "new": Listener()}
    for name, listener in listeners.items():
        ports.associations[name] = RealAssociation(
            ports=ports,
            certificate=certificate,
            local_ufrag=name,
            local_pwd=f"the password of {name}",
            listener=listener,  # type: ignore[arg-type]
            consent_timeout=30.0,
            now=0.0,
        )
    (port,) = ports._udp
    address = ("127.0.0.1", 50_000)

    def check_of(name: str, now: float) -> object:
        username = f"{name}:theirs".encode()
        data = build_stun(
            BINDING_REQUEST, os.urandom(12), [(USERNAME, username)], key=f"the password of {name}".encode()
        )
        holder, path = port.receivers.get(address), UdpPath(port, address)
        if holder is None:
            ports.handle_stranger(data, path, now)
        else:
            holder.handle_other(data, path, now)
        return port.receivers[address]

    try:
        old, new = ports.associations["old"], ports.associations["new"]
        assert check_of("old", 0.0) is old
        assert check_of("new", LEFT_AFTER) is old, "who is here keeps it"
        assert check_of("old", LEFT_AFTER) is old
        assert check_of("new", 2 * LEFT_AFTER + 0.1) is new
        assert new.path is not None and old.path is None
        assert listeners["old"].path is not None and listeners["old"].path.address == ()
        old.close()
        assert port.receivers == {address: new}, "and keeps it when the old one's place is given up"
    finally:
        await ports.close()


def test_a_wildcard_is_reached_at_the_addresses_of_its_ip_version() -> None:
    assert all(":" not in address for address in local_addresses(("0.0.0.0",)))
    assert all(":" in address for address in local_addresses(("::",)))
    assert local_addresses(("127.0.0.1", "::1")) == BOTH
