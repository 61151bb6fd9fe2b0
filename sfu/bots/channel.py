"""The way to one server address: a connected UDP socket, or a TCP connection with RFC 4571 framing.

Everything that arrives is handed over as *trains*: one buffer with datagrams of `size` bytes each, the last
perhaps shorter, which is how UDP_GRO delivers a burst. Bursts go out with UDP_SEGMENT in the same shape.

With a train comes when it arrived. Of UDP the kernel says that (SO_TIMESTAMPNS), so that a receiver which is
late to read does not take its own lateness for the network's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Protocol, cast

SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
MAX_SEGMENTS = 60
MAX_SEGMENT_BYTES = 60_000
READS_PER_TURN = 32
RECEIVE_BUFFER = 4 << 20
SO_RCVBUFFORCE = 33

SO_TIMESTAMPNS = 35
"""Of Linux, but for a few architectures that nobody runs this on; also the type of its ancillary data."""
ANCILLARY = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(4)

_parse_timespec = struct.Struct("@ll").unpack_from

TrainHandler = Callable[[bytes, int, int], None]
"""Takes a buffer, the size of each datagram in it, and when it arrived: CLOCK_REALTIME in nanoseconds."""


class Channel(Protocol):
    """A way to the server."""

    dropped: int

    def send(self, data: bytes) -> None: ...

    def send_burst(self, datagrams: Sequence[bytes]) -> None: ...

    def close(self) -> None: ...


class UdpChannel:
    """A connected, non-blocking UDP socket in the running loop."""

    def __init__(self, address: str, port: int, handler: TrainHandler, *, batching: bool = True) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.dropped = 0
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._batching = batching and _enable_gro(self.socket)
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self.socket.connect((address, port))
        self._loop.add_reader(self.socket.fileno(), self._handle_readable)

    @property
    def local_address(self) -> tuple[str, int]:
        name = self.socket.getsockname()
        return str(name[0]), int(name[1])

    def send(self, data: bytes) -> None:
        """Send one datagram; a socket that would block drops it, as a network would."""
        try:
            self.socket.send(data)
        except OSError:
            self.dropped += 1

    def send_burst(self, datagrams: Sequence[bytes]) -> None:
        """Send datagrams of one size (the last may be shorter) with as few calls as possible."""
        if not self._batching or len(datagrams) == 1:
            for datagram in datagrams:
                self.send(datagram)
            return
        size = len(datagrams[0])
        step = min(MAX_SEGMENTS, MAX_SEGMENT_BYTES // size)
        control = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", size))]
        for start in range(0, len(datagrams), step):
            part = datagrams[start : start + step]
            try:
                self.socket.sendmsg(part, control)
            except OSError:
                self.dropped += len(part)

    def close(self) -> None:
        if self.socket.fileno() >= 0:
            self._loop.remove_reader(self.socket.fileno())
            self.socket.close()

    def _handle_readable(self) -> None:
        receive = self.socket.recvmsg
        for _ in range(READS_PER_TURN):
            try:
                data, ancillary, _, _ = receive(65535, ANCILLARY)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionRefusedError:
                # ICMP port unreachable: the server is not there (yet); checks go on until they time out.
                continue
            if not data:
                continue
            size, arrived_ns = len(data), 0
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = _parse_timespec(value)
                    arrived_ns = seconds * 1_000_000_000 + nanoseconds
                elif level == SOL_UDP and kind == UDP_GRO:
                    size = int.from_bytes(value[:2], "little") or size
            self._handler(data, size, arrived_ns or time.time_ns())
            if self.socket.fileno() < 0:
                return


class TcpChannel(asyncio.Protocol):
    """A TCP connection to a passive candidate (RFC 6544), every packet behind its length (RFC 4571)."""

    MAX_BACKLOG = 1 << 20

    def __init__(self, handler: TrainHandler) -> None:
        self.dropped = 0
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    @classmethod
    async def connect(cls, address: str, port: int, handler: TrainHandler) -> TcpChannel:
        _, channel = await asyncio.get_running_loop().create_connection(lambda: cls(handler), address, port)
        return channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        buffer, now_ns = self._buffer + data, time.time_ns()
        position = 0
        while position + 2 <= len(buffer):
            size = int.from_bytes(buffer[position : position + 2], "big")
            if position + 2 + size > len(buffer):
                break
            if size:
                self._handler(buffer[position + 2 : position + 2 + size], size, now_ns)
            position += 2 + size
        self._buffer = buffer[position:]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.get_write_buffer_size() > self.MAX_BACKLOG:
            self.dropped += 1
            return
        self._transport.write(len(data).to_bytes(2, "big") + data)

    def send_burst(self, datagrams: Sequence[bytes]) -> None:
        for datagram in datagrams:
            self.send(datagram)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _enable_gro(sock: socket.socket) -> bool:
    try:
        sock.setsockopt(SOL_UDP, UDP_GRO, 1)
        sock.getsockopt(SOL_UDP, UDP_SEGMENT)
    except OSError:
        return False
    return True
