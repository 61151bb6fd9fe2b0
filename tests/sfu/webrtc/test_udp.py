"""A port between its socket and whoever its datagrams belong to."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sfu.webrtc.udp import Path, UdpPort
from tests.support.wait import wait_until

REPORT = b"\x80\xc9"
MEDIA = b"\x80\x60"


class Nobody:
    def handle_stranger(self, data: bytes, path: Path, now: float) -> None: ...


class Somebody:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.rtp_in: list[bytes] = []
        self.rtcp_in: list[bytes] = []
        self.got: list[bytes] = []

    def handle_other(self, data: bytes, path: Path, now: float) -> None: ...

    def handle_batch(self, now: float) -> None:
        self.got += self.rtp_in + self.rtcp_in
        self.rtp_in, self.rtcp_in = [], []


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        yield made


async def test_lone_datagrams_that_wait_are_handed_over_one_and_all(client: socket.socket) -> None:
    port, receiver = UdpPort.bind("127.0.0.1", 0, Nobody()), Somebody()
    port.attach(client.getsockname(), receiver)
    # Of two lengths, so that the kernel does not make one train of them.
    sent = [kind + bytes((number,)) * (1 + number % 2) for number in range(40) for kind in (REPORT, MEDIA)]
    for data in sent:
        client.sendto(data, ("127.0.0.1", port.number))
    await wait_until(lambda: len(receiver.got) >= len(sent), "all datagrams")
    assert sorted(receiver.got) == sorted(sent)
    assert [data for data in receiver.got if data[:2] == MEDIA] == [d for d in sent if d[:2] == MEDIA]
    port.close()
