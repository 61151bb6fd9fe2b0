"""Somebody on the path between a bot and its node, who reads every datagram and sends what they like.

Clients connect through `route`. Towards the node the intruder has one socket, so what it injects there comes
from the very address that ICE has validated: the best that an attacker on the network can do.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.relay import Address, receive

Watch = Callable[[bytes], None]


@dataclass(slots=True)
class Intruder:
    """Between one client and `node`. `passed` are the datagrams of the client, in order."""

    node: Address
    passed: list[bytes] = field(default_factory=list)
    on_up: Watch = lambda data: None
    """Called with each datagram of the client before it is passed on."""
    _near: socket.socket = field(default_factory=lambda: _bound())
    _far: socket.socket = field(default_factory=lambda: _bound())
    _client: Address | None = None

    @classmethod
    def open(cls, node: Address) -> Intruder:
        intruder = cls(node)
        loop = asyncio.get_running_loop()
        loop.add_reader(intruder._near.fileno(), intruder._handle_up)
        loop.add_reader(intruder._far.fileno(), intruder._handle_down)
        return intruder

    def route(self, address: str, port: int) -> Address:
        """For a bot's `route`."""
        name = self._near.getsockname()
        return str(name[0]), int(name[1])

    def inject(self, data: bytes) -> None:
        """Send to the node from the client's address, as the node knows it."""
        self._far.sendto(data, self.node)

    def inject_from_elsewhere(self, data: bytes) -> None:
        with _bound() as stranger:
            stranger.sendto(data, self.node)

    def close(self) -> None:
        for sock in (self._near, self._far):
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    def _handle_up(self) -> None:
        while (got := receive(self._near)) is not None:
            data, self._client = got
            self.on_up(data)
            self.passed.append(data)
            self.inject(data)

    def _handle_down(self) -> None:
        while (got := receive(self._far)) is not None:
            if self._client is not None:
                self._near.sendto(got[0], self._client)


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", 0))
    return sock
