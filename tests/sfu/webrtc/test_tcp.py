"""ICE-TCP on real connections: framing, and what bounds those who mean harm or do not keep up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sfu.webrtc import tcp
from sfu.webrtc.tcp import MAX_FRAME, MAX_WRITE_BUFFER, TcpPath, TcpPort
from sfu.webrtc.udp import Path
from tests.support.wait import PATIENCE, wait_until

HELLO = b"\x00\x01hello"
"""What makes a client of whoever sends it, in the place of a STUN check."""


@dataclass
class Client:
    """The object behind a connection: what an `Association` is in the node."""

    rtp_in: list[bytes] = field(default_factory=list)
    rtcp_in: list[bytes] = field(default_factory=list)
    came_in: list[float] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)
    batches: int = 0

    def handle_other(self, data: bytes, path: Path, now: float) -> None:
        self.others.append(data)

    def handle_batch(self, now: float) -> None:
        self.batches += 1

    def is_voice(self, data: bytes) -> bool:
        return False


@dataclass
class Node:
    clients: list[tuple[Client, TcpPath]] = field(default_factory=list)
    strangers: list[bytes] = field(default_factory=list)
    lost: list[TcpPath] = field(default_factory=list)

    def handle_stranger(self, data: bytes, path: Path, now: float) -> None:
        self.strangers.append(data)
        if data == HELLO and isinstance(path, TcpPath):
            client = Client()
            self.clients.append((client, path))
            path.receiver = client

    def handle_path_lost(self, path: TcpPath) -> None:
        self.lost.append(path)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Node, TcpPort, Callable[[], socket.socket]]]:
    node = Node()
    port = TcpPort(node)
    await port.listen(["127.0.0.1"], 0)
    assert port._server is not None
    number = port._server.sockets[0].getsockname()[1]
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", number), timeout=5))
        return opened[-1]

    try:
        yield node, port, connect
    finally:
        for one in opened:
            one.close()
        await port.close()


def framed(*datagrams: bytes) -> bytes:
    return b"".join(len(data).to_bytes(2, "big") + data for data in datagrams)


async def ended(sock: socket.socket) -> bool:
    """Whether the other side has closed, however it did."""
    sock.setblocking(False)
    try:
        async with asyncio.timeout(PATIENCE):
            return not await asyncio.get_running_loop().sock_recv(sock, 1)
    except ConnectionError:
        return True


async def test_frames_are_put_together_however_they_are_cut() -> None:
    async with listening() as (node, _, connect):
        sock = connect()
        rtp, rtcp = b"\x80\x60" + b"r" * 1198, b"\x80\xc8" + b"s" * 26
        stream = framed(HELLO, rtp, b"", rtcp, b"\x16dtls", rtp)
        for byte in stream[:9]:
            sock.sendall(bytes([byte]))
            await asyncio.sleep(0)
        sock.sendall(stream[9:1000])
        sock.sendall(stream[1000:])
        await wait_until(lambda: bool(node.clients) and len(node.clients[0][0].rtp_in) == 2, "both packets")
        client = node.clients[0][0]
        assert (client.rtp_in, client.rtcp_in, client.others) == ([rtp, rtp], [rtcp], [b"\x16dtls"])
        assert node.strangers == [HELLO]


async def test_a_frame_longer_than_any_packet_ends_the_connection() -> None:
    async with listening() as (node, port, connect):
        good, bad = connect(), connect()
        for sock in (good, bad):
            sock.sendall(framed(HELLO))
        bad.sendall((MAX_FRAME + 1).to_bytes(2, "big"))
        assert await ended(bad)
        good.sendall(framed(b"\x80\x60" + b"x" * (MAX_FRAME - 2)))
        await wait_until(
            lambda: any(client.rtp_in for client, _ in node.clients), "the longest allowed frame"
        )
        assert (port.malformed, port.connections) == (1, 1)


async def test_a_connection_that_proves_nothing_is_closed_and_one_that_did_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "FIRST_CHECK_WITHIN", 0.2)
    async with listening() as (node, port, connect):
        client, silent, babbling, half = connect(), connect(), connect(), connect()
        client.sendall(framed(HELLO))
        babbling.sendall(framed(b"\x00\x01 no check", b"\x80\x60media"))
        half.sendall(b"\x10")
        assert await ended(silent)
        assert await ended(babbling)
        assert await ended(half)
        assert (port.connections, port.pending) == (1, 0)
        assert not any(path is node.clients[0][1] for path in node.lost)


async def test_a_flood_of_connections_turns_out_its_own_and_no_client() -> None:
    async with listening() as (node, port, connect):
        before = connect()
        before.sendall(framed(HELLO))
        await wait_until(lambda: len(node.clients) == 1, "the client")
        flood = [connect() for _ in range(150)]
        await wait_until(lambda: port.refused == 22, lambda: f"{port.refused} of the flood turned out")
        assert (port.pending, port.connections) == (128, 129)
        assert await ended(flood[0])

        # In the middle of the flood a newcomer gets in, and who was inside is there still.
        after = connect()
        after.sendall(framed(HELLO))
        await wait_until(lambda: len(node.clients) == 2, "the newcomer")
        before.sendall(framed(b"\x80\x60media"))
        await wait_until(lambda: node.clients[0][0].rtp_in == [b"\x80\x60media"], "media of the client")


def test_the_bounds_are_those_that_operators_are_told() -> None:
    assert (tcp.MAX_PENDING_PER_HOST, tcp.MAX_PENDING, tcp.FIRST_CHECK_WITHIN) == (128, 1024, 10.0)


async def test_floods_from_many_addresses_are_bounded_altogether(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MAX_PENDING", 5)
    async with listening() as (_, port, connect):
        for _ in range(20):
            connect()
        await wait_until(lambda: port.refused == 15, lambda: f"{port.refused} turned out")
        assert (port.pending, port.connections) == (5, 5)


async def test_when_every_place_is_taken_by_clients_a_newcomer_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "MAX_CONNECTIONS", 3)
    async with listening() as (node, port, connect):
        for _ in range(3):
            connect().sendall(framed(HELLO))
        await wait_until(lambda: len(node.clients) == 3, "three clients")
        assert await ended(connect())
        assert (port.connections, port.refused) == (3, 1)


async def test_what_a_slow_reader_does_not_take_is_dropped_and_the_newest_gets_through_later() -> None:
    async with listening() as (node, port, connect):
        sock = connect()
        sock.sendall(framed(HELLO))
        await wait_until(lambda: bool(node.clients), "the client")
        path = node.clients[0][1]
        packet = b"\x80\x60" + b"v" * 1198
        for _ in range(20_000):
            path.send(packet)
        transport = path._transport
        assert transport.get_write_buffer_size() <= MAX_WRITE_BUFFER + len(packet) + 2
        assert path.dropped == port.dropped > 10_000

        # It reads again: all that comes is whole frames, and new packets are taken again.
        sock.setblocking(False)
        received = bytearray()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while transport.get_write_buffer_size():
                received += await loop.sock_recv(sock, 1 << 20)
            path.send(b"\x80\x60the newest")
            while not received.endswith(b"the newest"):
                received += await loop.sock_recv(sock, 1 << 20)
        whole = len(received) - len(framed(b"\x80\x60the newest"))
        assert whole % len(framed(packet)) == 0
        assert whole // len(framed(packet)) == 20_000 - path.dropped


async def test_the_kernel_is_told_to_notice_a_peer_that_is_gone() -> None:
    async with listening() as (node, _, connect):
        connect().sendall(framed(HELLO))
        await wait_until(lambda: bool(node.clients), "the client")
        sock = node.clients[0][1]._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert 0 < sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000


async def test_a_connection_that_ends_is_forgotten() -> None:
    async with listening() as (node, port, connect):
        sock = connect()
        sock.sendall(framed(HELLO))
        await wait_until(lambda: bool(node.clients), "the client")
        sock.close()
        await wait_until(lambda: port.connections == 0, "the end of the connection")
        assert node.lost == [node.clients[0][1]]
