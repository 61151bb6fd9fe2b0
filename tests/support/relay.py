"""A UDP relay between clients and a node that loses, delays, reorders and slows down, the same way each time.

Not every kernel has netem, so tests put this in the path: clients send to the relay's address (bots by
`route`, others by an SDP through `rewrite`), and for each client the relay has a socket of its own towards
the node, which therefore sees one address per client, as behind a NAT.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Address = tuple[str, int]
BUFFER = 4 << 20
REORDER_BY = 0.02
"""Seconds by which a datagram that is overtaken comes later than its turn."""
STEP = 1e-6


@dataclass(frozen=True, slots=True)
class Bursts:
    """Loss that comes in bursts (Gilbert and Elliott): before each datagram the line turns bad with the
    probability `begin`, and good again with `end`; while it is bad, it loses `loss` of them."""

    begin: float
    end: float
    loss: float = 1.0


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens to the datagrams of one direction.

    `loss` and `reorder` are probabilities, `delay` and `jitter` seconds, `rate` bits per second. Jitter alone
    keeps the order, as queues on the way do. With a rate, all clients of the direction share one line, which
    holds `queue` seconds of backlog and drops what comes beyond. With `media_only`, STUN and DTLS pass
    untouched.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    reorder: float = 0.0
    rate: float | None = None
    queue: float = 0.5
    bursts: Bursts | None = None
    media_only: bool = True

    def concerns(self, data: bytes) -> bool:
        return not self.media_only or (bool(data) and 128 <= data[0] < 192)


CLEAR = Impairment()


@dataclass(slots=True)
class _Direction:
    """One direction's state: its chance, its line, its counts."""

    impairment: Impairment
    chance: random.Random
    passed: int = 0
    octets: int = 0
    """Of those that passed."""
    lost: int = 0
    line_free_at: float = 0.0
    last_at: float = 0.0
    bad: bool = False

    def release_at(self, data: bytes, now: float) -> float | None:
        """When this datagram goes on; None if it is lost."""
        rule = self.impairment
        if not rule.concerns(data):
            return now
        if self.chance.random() < rule.loss or self._is_burst():
            self.lost += 1
            return None
        at = now + rule.delay + self.chance.random() * rule.jitter
        if rule.rate is not None:
            start = max(at, self.line_free_at)
            if start - at > rule.queue:
                self.lost += 1
                return None
            self.line_free_at = at = start + len(data) * 8 / rule.rate
        self.passed += 1
        self.octets += len(data)
        if self.chance.random() < rule.reorder:
            return at + REORDER_BY
        if at > now:
            # The loop does not keep the order of timers that are due at one time.
            self.last_at = at = max(at, self.last_at + STEP)
        return at

    def backlog(self, now: float) -> float:
        """Seconds until what waits at the line has left it."""
        return max(0.0, self.line_free_at - now)

    def _is_burst(self) -> bool:
        bursts = self.impairment.bursts
        if bursts is None:
            return False
        self.bad = self.chance.random() < (1.0 - bursts.end if self.bad else bursts.begin)
        return self.bad and self.chance.random() < bursts.loss


@dataclass(slots=True)
class _Client:
    address: Address
    socket: socket.socket


@dataclass(slots=True)
class UdpRelay:
    """Relays between any number of clients and `target`. Use `open`, then `close`."""

    target: Address
    up: _Direction
    down: _Direction
    _socket: socket.socket
    _clients: dict[Address, _Client] = field(default_factory=dict)
    _blocked: bool = False
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @classmethod
    def open(
        cls, target: Address, *, seed: int, up: Impairment = CLEAR, down: Impairment = CLEAR
    ) -> UdpRelay:
        """Listen on a free loopback port in the running loop."""
        sock = _new_socket()
        sock.bind(("127.0.0.1", 0))
        relay = cls(
            target, _Direction(up, random.Random(seed)), _Direction(down, random.Random(seed + 1)), sock
        )
        asyncio.get_running_loop().add_reader(sock.fileno(), relay._handle_up)
        return relay

    @property
    def address(self) -> Address:
        name = self._socket.getsockname()
        return str(name[0]), int(name[1])

    def route(self, address: str, port: int) -> Address:
        """For a bot's `route`: the relay instead of the node, whatever candidate is meant."""
        return self.address

    def rewrite(self, sdp: str) -> str:
        """An SDP whose UDP candidates all name the relay, and which has no TCP ones."""
        host, port = self.address
        lines = [
            re.sub(r"^(a=candidate:\S+ \d udp \d+) \S+ \d+", rf"\1 {host} {port}", line, flags=re.IGNORECASE)
            for line in sdp.splitlines()
            if not re.match(r"a=candidate:\S+ \d tcp ", line, flags=re.IGNORECASE)
        ]
        return "\r\n".join(lines) + "\r\n"

    def impair(self, *, up: Impairment | None = None, down: Impairment | None = None) -> None:
        """Change what happens from now on."""
        if up is not None:
            self.up.impairment = up
        if down is not None:
            self.down.impairment = down

    def schedule(self, down: Iterable[tuple[float, Impairment]]) -> None:
        """Change what happens downwards at these times, in seconds from now."""
        loop = asyncio.get_running_loop()
        self._timers += [loop.call_later(after, self._impair_down, rule) for after, rule in down]

    def block(self, *, blocked: bool) -> None:
        """Let nothing through at all, or let it again."""
        self._blocked = blocked

    def rebind(self) -> None:
        """Give every client a new address towards the node, as a NAT that forgot does."""
        for client in self._clients.values():
            self._forget(client)
        self._clients.clear()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self.rebind()

    def _impair_down(self, rule: Impairment) -> None:
        self.impair(down=rule)

    def _forget(self, client: _Client) -> None:
        asyncio.get_running_loop().remove_reader(client.socket.fileno())
        client.socket.close()

    def _handle_up(self) -> None:
        while (got := receive(self._socket)) is not None:
            data, address = got
            client = self._clients.get(address)
            if client is None:
                client = self._admit(address)
            self._pass(self.up, data, client.socket.send)

    def _handle_down(self, client: _Client) -> None:
        while client.socket.fileno() >= 0 and (got := receive(client.socket)) is not None:
            self._pass(self.down, got[0], lambda data: self._socket.sendto(data, client.address))

    def _pass(self, direction: _Direction, data: bytes, send: Callable[[bytes], int]) -> None:
        if self._blocked:
            return
        loop = asyncio.get_running_loop()
        at = direction.release_at(data, loop.time())
        if at is None:
            return
        if at <= loop.time():
            _try_send(send, data)
        else:
            loop.call_at(at, _try_send, send, data)

    def _admit(self, address: Address) -> _Client:
        sock = _new_socket()
        sock.connect(self.target)
        client = self._clients[address] = _Client(address, sock)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._handle_down, client)
        return client


def _new_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    return sock


def receive(sock: socket.socket) -> tuple[bytes, Address] | None:
    """What has arrived; None where nothing has."""
    try:
        data, address = sock.recvfrom(65535)
    except OSError:
        # Nothing more to read, or an ICMP error of an earlier datagram: lost, as on any network.
        return None
    return data, (str(address[0]), int(address[1]))


def _try_send(send: Callable[[bytes], int], data: bytes) -> None:
    try:
        send(data)
    except OSError:
        # A full socket or a closed one loses the datagram, as any network may.
        return
