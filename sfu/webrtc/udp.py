"""One UDP port for every client of a node.

The port drains its socket in one go when it becomes readable, sorts the datagrams by the association they
belong to, and hands each association its share as one batch. Demultiplexing goes by remote address; only a
datagram from an address that is not known yet is looked into (STUN with our username fragment, RFC 7983).

A worker that gets too little of a core reads what came long ago, and would send on what nobody can use any
more. So the kernel says when it got each datagram, and what waited too long is dropped unopened
(`sfu.webrtc.lateness`). A client that sends far more than it may is thinned out by the kernel already
(`sfu.webrtc.sieve`).

Bursts come in as one `recvmsg` and go out as one `sendmsg` (`sfu.webrtc.trains`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

from sfu.clock import monotonic, realtime
from sfu.histogram import Histogram
from sfu.webrtc.lateness import LATE_AFTER, Lateness
from sfu.webrtc.sieve import Sieve
from sfu.webrtc.trains import (
    SO_TIMESTAMPNS,
    SOL_UDP,
    TIME_BYTES,
    UDP_GRO,
    supports_segmentation,
    train_size,
    try_enable_times,
    try_enable_trains,
    unpack_time,
)

log = structlog.get_logger("sfu.udp")

Address = tuple[Any, ...]
SocketCalls = tuple[Callable[[bytes, Address], int] | None, Callable[..., int]]

RECEIVE_CALLS_PER_TURN = 64
"""Upper bound of recvmsg calls before the loop gets its turn again."""
AT_ONCE = 100e-6
"""Seconds between two turns of a loop that had nothing to wait for."""
SOON = 500e-6
"""Seconds within which a datagram is read by a loop that has time. One that waited longer is not alone."""
CLOCK_WAS_SET = -1.0
"""Seconds that a datagram can come after it is asked for within one turn. What seems to come later than that
came before the system's clock was set back."""
BUFFER_BYTES = 8 << 20
TRANSPORT_FEEDBACK = 205
MAX_LOGGED_FAILURES = 100
DELAY_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
"""Seconds."""


class Receiver(Protocol):
    """What a port needs of the object behind a remote address (an `Association`)."""

    rtp_in: list[bytes]
    rtcp_in: list[bytes]
    came_in: list[float]
    """When each of `rtp_in` came, by the loop's clock. Those that nothing is said of came just now."""

    def handle_other(self, data: bytes, path: Path, now: float) -> None:
        """A datagram that is neither RTP nor RTCP: STUN, DTLS or rubbish."""
        ...

    def handle_batch(self, now: float) -> None:
        """Work off `rtp_in` (with `came_in`) and `rtcp_in`, sorted in by the port."""
        ...

    def is_voice(self, data: bytes) -> bool:
        """Whether an RTP packet, not opened yet, says that it is audio: the last to be dropped."""
        ...

    def handle_late(self, packets: int, now: float) -> None:
        """So many of its packets waited for too long and were dropped unopened."""
        ...


class Path(Protocol):
    """A way back to one remote address, over UDP or TCP."""

    @property
    def address(self) -> Address: ...

    @property
    def reliable(self) -> bool: ...

    def send(self, data: bytes) -> None: ...


class PortListener(Protocol):
    def handle_stranger(self, data: bytes, path: Path, now: float) -> None:
        """A datagram from an address that belongs to nobody."""
        ...


class UdpPath:
    """The path to one address through the node's UDP socket."""

    __slots__ = ("address", "port")
    reliable = False

    def __init__(self, port: UdpPort, address: Address) -> None:
        self.port = port
        self.address = address

    def send(self, data: bytes) -> None:
        self.port.send(data, self.address)


class UdpPort:
    """A bound, non-blocking UDP socket in the running loop.

    Counters are plain attributes, read by the node's statistics.
    """

    def __init__(
        self,
        sock: socket.socket,
        listener: PortListener,
        late_after: float = LATE_AFTER,
        wall: Callable[[], float] = realtime,
    ) -> None:
        self.socket = sock
        self.listener = listener
        self.receivers: dict[Address, Receiver] = {}
        self.datagrams_received = 0
        self.bytes_received = 0
        self.strangers = 0
        self.send_blocked = 0
        self.send_errors = 0
        self.failures = 0
        self.late = 0
        """Packets of media that were dropped because they had waited for too long."""
        self.late_at = float("-inf")
        """When that happened last."""
        self.late_feedback = 0
        """Transport-wide feedback and requests for repairs that were."""
        self.queued_at = float("-inf")
        """When anything was read last that had waited for longer than feedback may."""
        self.sieve = Sieve(sock)
        self.delays = Histogram(DELAY_BOUNDS)
        """Seconds from reading media to having handed all its copies to the socket, by packets read: taken
        once for the batch of a client."""
        self.seconds_reading = self.seconds_media = self.seconds_feedback = 0.0
        """Spent on reading and checks, on batches with media, and on those of reports and requests alone."""
        self.gro = try_enable_trains(sock)
        self.segmentation = supports_segmentation(sock)
        try_enable_times(sock)
        self._wall = wall
        self._lateness = Lateness(late_after)
        self._left_at = 0.0
        self._recvmsg = sock.recvmsg
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._handle_readable)
        self._closed = False

    @classmethod
    def bind(
        cls,
        host: str,
        port: int,
        listener: PortListener,
        late_after: float = LATE_AFTER,
        wall: Callable[[], float] = realtime,
    ) -> UdpPort:
        """Bind in the running loop. Raises `OSError` when the port is taken or the address is not ours."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if family == socket.AF_INET6:
                # IPv4 has a socket of its own, whose addresses need no mapping.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
            # Root may exceed net.core.rmem_max; anyone else keeps what the line above got.
            for force_option in (33, 32):  # SO_RCVBUFFORCE, SO_SNDBUFFORCE
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, force_option, BUFFER_BYTES)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return cls(sock, listener, late_after, wall)

    @property
    def number(self) -> int:
        return int(self.socket.getsockname()[1])

    def address_of(self, host: str, port: int) -> Address:
        """A remote address in the form in which this socket reports senders.

        Raises `OSError` for a host that is no address of this socket's family.
        """
        family = self.socket.family
        flags = socket.AI_NUMERICHOST | (socket.AI_V4MAPPED if family == socket.AF_INET6 else 0)
        found = socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM, 0, flags)
        return tuple(found[0][4])

    def attach(self, address: Address, receiver: Receiver) -> None:
        self.receivers[address] = receiver

    def detach(self, address: Address, receiver: Receiver) -> None:
        if self.receivers.get(address) is receiver:
            del self.receivers[address]
            self.sieve.thin(address, 1.0)

    def send(self, data: bytes, address: Address) -> None:
        """Send one datagram; a full socket drops it, as the network would."""
        try:
            self.socket.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            self.send_blocked += 1
        except OSError:
            self.send_errors += 1

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self.socket.fileno())
        self.socket.close()
        self.receivers.clear()

    def _handle_readable(self) -> None:
        now = monotonic()
        wall = self._wall()
        lateness = self._lateness
        shedding = lateness.shedding
        # Whether datagrams waited while the last ones were worked off, so that more may be waiting still.
        behind = now - self._left_at < AT_ONCE
        recvmsg = self._recvmsg
        receivers = self.receivers
        late_after = lateness.short
        touched: dict[int, Receiver] = {}
        age = 0.0
        for turn in range(RECEIVE_CALLS_PER_TURN):
            try:
                data, ancillary, _, address = recvmsg(65535, 64)
            except (BlockingIOError, InterruptedError):
                if lateness.shedding:
                    lateness.handle_short_queue()
                break
            except OSError:
                # An ICMP error of an earlier send is reported here; the socket stays usable.
                self.send_errors += 1
                continue
            self.bytes_received += len(data)
            receiver = receivers.get(address)
            if receiver is None:
                self._handle_stranger(data, ancillary, address, now)
                continue
            size = len(data)
            came = now
            for level, kind, value in ancillary:
                if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET and len(value) == TIME_BYTES:
                    seconds, nanoseconds = unpack_time(value)
                    age = wall - seconds - 1e-9 * nanoseconds
                    if age > CLOCK_WAS_SET:
                        came = now - age
                elif kind == UDP_GRO and level == SOL_UDP:
                    size = int.from_bytes(value[:2], "little") or size
            if age > late_after:
                touched[id(receiver)] = receiver
                self._take_late(receiver, data, size, address, age, now)
                age = 0.0
                continue
            if shedding:
                shedding = False
                lateness.handle_short_queue()
            if size >= len(data):
                self.datagrams_received += 1
                if len(data) < 2:
                    continue
                if 128 <= data[0] < 192:
                    touched[id(receiver)] = receiver
                    if not 192 <= data[1] <= 223:
                        receiver.rtp_in.append(data)
                        receiver.came_in.append(came)
                        continue
                    receiver.rtcp_in.append(data)
                else:
                    self._handle_other(receiver, data, address, now)
                if turn == 0 and not behind and age < SOON:
                    # Feedback and checks mostly come alone, so asking for more would mostly be in vain; if
                    # there is more, the loop comes back at once.
                    break
                continue
            for start in range(0, len(data), size):
                self.datagrams_received += 1
                part = data[start : start + size]
                if len(part) < 2:
                    continue
                if 128 <= part[0] < 192:
                    touched[id(receiver)] = receiver
                    if not 192 <= part[1] <= 223:
                        receiver.rtp_in.append(part)
                        receiver.came_in.append(came)
                    else:
                        receiver.rtcp_in.append(part)
                else:
                    self._handle_other(receiver, part, address, now)
        begun = monotonic()
        self.seconds_reading += begun - now
        for receiver in touched.values():
            packets = len(receiver.rtp_in)
            try:
                receiver.handle_batch(now)
            except Exception:
                self._note_failure()
            done = monotonic()
            if packets:
                self.delays.observe(done - now, packets)
                self.seconds_media += done - begun
            else:
                self.seconds_feedback += done - begun
            begun = done
        self._left_at = begun

    def _take_late(
        self, receiver: Receiver, data: bytes, size: int, address: Address, age: float, now: float
    ) -> None:
        """What waited for too long for some: reports and checks are taken all the same."""
        self.queued_at = now
        for_picture, for_voice = self._lateness.judge(age)
        dropped = 0
        for start in range(0, len(data), size):
            self.datagrams_received += 1
            part = data[start : start + size]
            if len(part) < 2:
                continue
            if not 128 <= part[0] < 192:
                self._handle_other(receiver, part, address, now)
            elif 192 <= part[1] <= 223:
                if part[1] == TRANSPORT_FEEDBACK:
                    self.late_feedback += 1
                    dropped += 1
                else:
                    receiver.rtcp_in.append(part)
            elif for_picture or (for_voice and receiver.is_voice(part)):
                receiver.rtp_in.append(part)
                receiver.came_in.append(now - age)
            else:
                self.late += 1
                self.late_at = now
                dropped += 1
        if dropped:
            receiver.handle_late(dropped, now)

    def _handle_other(self, receiver: Receiver, data: bytes, address: Address, now: float) -> None:
        try:
            receiver.handle_other(data, UdpPath(self, address), now)
        except Exception:
            self._note_failure()

    def _note_failure(self) -> None:
        """A defect of ours that one client's packets brought out: the others get theirs all the same."""
        self.failures += 1
        if self.failures <= MAX_LOGGED_FAILURES:
            log.exception("a client's packets failed", failures=self.failures)

    def _handle_stranger(
        self, data: bytes, ancillary: Sequence[tuple[int, int, bytes]], address: Address, now: float
    ) -> None:
        size = train_size(ancillary, len(data)) or 1
        for start in range(0, len(data), size):
            self.datagrams_received += 1
            self.strangers += 1
            self.listener.handle_stranger(data[start : start + size], UdpPath(self, address), now)


def no_socket(*_arguments: object) -> int:
    """Stands where a path has no socket of its own to send with."""
    raise OSError("this path has no socket of its own")
