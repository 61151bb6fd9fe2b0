"""ICE-TCP, passive side (RFC 6544), framed by RFC 4571: for clients whose network lets no UDP through.

Each frame is a 16-bit length and a datagram. A connection says nothing until a valid STUN check came over it
and is closed when that does not happen soon, so holding one open costs an attacker more than it costs us.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

from sfu.clock import monotonic
from sfu.webrtc.udp import Address, PortListener, Receiver

MAX_FRAME = 4096
"""Bytes; a WebRTC packet is never larger than one MTU."""
MAX_WRITE_BUFFER = 512 * 1024
"""Bytes queued towards a slow receiver before packets are dropped."""
MAX_CONNECTIONS = 4096
FIRST_CHECK_WITHIN = 10.0
"""Seconds a connection may stay without a valid check."""


class TcpListener(PortListener, Protocol):
    def handle_path_lost(self, path: TcpPath) -> None: ...


class TcpPath:
    """The path to one client through one TCP connection."""

    __slots__ = ("_transport", "address", "dropped", "receiver")
    reliable = True

    def __init__(self, transport: asyncio.Transport, address: Address) -> None:
        self._transport = transport
        self.address = address
        self.receiver: Receiver | None = None
        self.dropped = 0

    def send(self, data: bytes) -> None:
        """Frame and queue one datagram; dropped when the client does not keep up."""
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > MAX_WRITE_BUFFER:
            self.dropped += 1
            return
        self._transport.write(len(data).to_bytes(2, "big") + data)

    def close(self) -> None:
        self._transport.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._buffer = bytearray()
        self._path: TcpPath | None = None
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer: tuple[Any, ...] = self._transport.get_extra_info("peername")
        if not self._port.admit(self._transport):
            return
        self._path = TcpPath(self._transport, ("tcp", *peer))
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
        if self._transport is not None:
            self._port.forget(self._transport)
        if self._path is not None:
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
    """A listening TCP port in the running loop."""

    def __init__(self, listener: TcpListener) -> None:
        self.listener = listener
        self.malformed = 0
        self.refused = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    async def listen(self, host: str, port: int) -> None:
        """Raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port)

    def admit(self, transport: asyncio.Transport) -> bool:
        if len(self._connections) >= MAX_CONNECTIONS:
            self.refused += 1
            transport.abort()
            return False
        self._connections.add(transport)
        return True

    def forget(self, transport: asyncio.Transport) -> None:
        self._connections.discard(transport)

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for transport in list(self._connections):
            transport.abort()
        await self._server.wait_closed()
        self._server = None
