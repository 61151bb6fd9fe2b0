"""ICE-TCP, passive side (RFC 6544), framed by RFC 4571: for clients whose network lets no UDP through.

Each frame is a 16-bit length and a datagram. A connection says nothing until a valid STUN check came over it,
and until then it is *pending*: it is closed when the check does not come soon, or sooner when too many others
come, from its own address or altogether. Whoever proved to be a client is never closed for a newcomer, so a
flood of connections costs an attacker more than it costs us, and clients nothing.

Nothing queues without bound. A receiver that does not keep up has its packets dropped, as a full router
would; the kernel holds back what it has not sent yet (TCP_NOTSENT_LOWAT), so what is queued is fresh. A peer
that went without a word is noticed by the kernel (TCP_USER_TIMEOUT, keep-alives) and its connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

from sfu.clock import monotonic
from sfu.webrtc.udp import Address, PortListener, Receiver

MAX_FRAME: Final = 4096
"""Bytes; a WebRTC packet is never larger than one MTU."""
MAX_WRITE_BUFFER: Final = 256 * 1024
"""Bytes queued towards a slow receiver before packets are dropped: under a second of video."""
MAX_CONNECTIONS: Final = 4096
MAX_PENDING: Final = 1024
MAX_PENDING_PER_HOST: Final = 128
"""An office behind one address that comes back at once is many connections too."""
FIRST_CHECK_WITHIN: Final = 10.0
"""Seconds a connection may stay without a valid check."""
BACKLOG: Final = 1024

_KEEPALIVE: Final = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
_USER_TIMEOUT_MS: Final = 30_000
_NOT_SENT_LOW_WATER: Final = 64 * 1024
_TCP_NOTSENT_LOWAT: Final = 25


class TcpListener(PortListener, Protocol):
    def handle_path_lost(self, path: TcpPath) -> None: ...


class TcpPath:
    """The path to one client through one TCP connection."""

    __slots__ = ("_port", "_receiver", "_transport", "address", "dropped")
    reliable = True

    def __init__(self, port: TcpPort, transport: asyncio.Transport, address: Address) -> None:
        self._port = port
        self._transport = transport
        self._receiver: Receiver | None = None
        self.address = address
        self.dropped = 0

    @property
    def host(self) -> str:
        return str(self.address[1])

    @property
    def local(self) -> tuple[Any, ...]:
        """Our end of it, as sockets name it."""
        name: tuple[Any, ...] | None = self._transport.get_extra_info("sockname")
        return name or ("", 0)

    @property
    def receiver(self) -> Receiver | None:
        """Whose packets come over it; None until a valid check told."""
        return self._receiver

    @receiver.setter
    def receiver(self, receiver: Receiver | None) -> None:
        self._receiver = receiver
        if receiver is not None:
            self._port.settle(self)

    def send(self, data: bytes) -> None:
        """Frame and queue one datagram; dropped when the client does not keep up."""
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > MAX_WRITE_BUFFER:
            self.dropped += 1
            self._port.dropped += 1
            return
        self._transport.write(len(data).to_bytes(2, "big") + data)

    def close(self) -> None:
        self._transport.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._buffer = bytearray()
        self._path: TcpPath | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast(asyncio.Transport, transport)
        peer: tuple[Any, ...] | None = made.get_extra_info("peername")
        if peer is None:
            made.abort()  # gone already
            return
        path = TcpPath(self._port, made, ("tcp", *peer))
        if not self._port.admit(path):
            made.abort()
            return
        _watch_over(made.get_extra_info("socket"))
        self._path = path
        self._deadline = asyncio.get_running_loop().call_later(FIRST_CHECK_WITHIN, self._expire)

    def data_received(self, data: bytes) -> None:
        path = self._path
        if path is None:
            return
        buffer = self._buffer
        buffer += data
        now = monotonic()
        position = 0
        touched: dict[int, Receiver] = {}
        while len(buffer) - position >= 2:
            length = buffer[position] << 8 | buffer[position + 1]
            if length > MAX_FRAME:
                self._port.malformed += 1
                path.close()
                return
            end = position + 2 + length
            if len(buffer) < end:
                break
            self._handle_frame(bytes(buffer[position + 2 : end]), path, now, touched)
            position = end
        del buffer[:position]
        for receiver in touched.values():
            receiver.handle_batch(now)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._path is not None:
            self._port.forget(self._path)
            self._port.listener.handle_path_lost(self._path)

    def _handle_frame(self, data: bytes, path: TcpPath, now: float, touched: dict[int, Receiver]) -> None:
        if len(data) < 2:
            return
        receiver = path.receiver
        if receiver is None:
            self._port.listener.handle_stranger(data, path, now)
        elif 128 <= data[0] < 192:
            (receiver.rtcp_in if 192 <= data[1] <= 223 else receiver.rtp_in).append(data)
            touched[id(receiver)] = receiver
        else:
            receiver.handle_other(data, path, now)

    def _expire(self) -> None:
        if self._path is not None and self._path.receiver is None:
            self._path.close()


class TcpPort:
    """A listening TCP port in the running loop. Counters are plain attributes."""

    def __init__(self, listener: TcpListener) -> None:
        self.listener = listener
        self.malformed = 0
        """Connections closed for a frame that was too long."""
        self.refused = 0
        """Connections closed for others, before they had shown to be a client."""
        self.dropped = 0
        """Packets not sent to clients that do not keep up."""
        self._server: asyncio.Server | None = None
        self._paths: set[TcpPath] = set()
        self._pending: dict[str, dict[TcpPath, None]] = {}
        """By remote host; oldest first, as dictionaries are."""
        self._pending_count = 0

    async def listen(self, hosts: Sequence[str], port: int) -> None:
        """Raises `OSError` when the port is taken on one of the hosts."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), hosts, port, backlog=BACKLOG)

    @property
    def connections(self) -> int:
        return len(self._paths)

    @property
    def pending(self) -> int:
        """Connections over which no valid check came yet."""
        return self._pending_count

    def admit(self, path: TcpPath) -> bool:
        """Whether there is room, if need be at the cost of whoever has been pending for longest."""
        of_host = self._pending.get(path.host, {})
        if len(of_host) >= MAX_PENDING_PER_HOST:
            self._turn_out(next(iter(of_host)))
        elif self._pending_count >= MAX_PENDING:
            crowd = max(self._pending.values(), key=len)
            self._turn_out(next(iter(crowd)))
        elif len(self._paths) >= MAX_CONNECTIONS:
            self.refused += 1
            return False
        self._paths.add(path)
        self._pending.setdefault(path.host, {})[path] = None
        self._pending_count += 1
        return True

    def settle(self, path: TcpPath) -> None:
        """The other side has shown to be a client."""
        of_host = self._pending.get(path.host)
        if of_host is None or path not in of_host:
            return
        del of_host[path]
        self._pending_count -= 1
        if not of_host:
            del self._pending[path.host]

    def forget(self, path: TcpPath) -> None:
        self._paths.discard(path)
        self.settle(path)

    def _turn_out(self, path: TcpPath) -> None:
        self.refused += 1
        self.forget(path)
        path.close()

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for path in list(self._paths):
            path.close()
        await self._server.wait_closed()
        self._server = None


def _watch_over(sock: socket.socket) -> None:
    """Options that not every system has; without them, ICE notices a dead peer, only later."""
    wanted = [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *((socket.IPPROTO_TCP, getattr(socket, name, None), value) for name, value in _KEEPALIVE),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", None), _USER_TIMEOUT_MS),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_NOTSENT_LOWAT", _TCP_NOTSENT_LOWAT), _NOT_SENT_LOW_WATER),
    ]
    for level, option, value in wanted:
        if option is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(level, option, value)
