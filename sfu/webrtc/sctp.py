"""SCTP over our DTLS, and data channels over that (RFC 8831, RFC 8832): aiortc's stack in our keeping.

    DTLS application data --> handle_packet --> sctp_guard --> aiortc --> Received (channel, message)
    send (channel, message) ---------------------------------> aiortc --> `transmit`, a packet each

aiortc's methods are coroutines because its DTLS transport's are. Ours never waits, so each of them is run to
its end at once, and a packet has had its effect when `handle_packet` returns. Timers are the loop's.

A peer that breaks the protocol loses the association (ABORT, RFC 9260 section 3.3.7), nothing else: what it
may make us hold and do is bounded here and in the guard, and nothing it sends raises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import structlog
from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import (
    SCTP_RTO_MAX,
    WEBRTC_BINARY,
    WEBRTC_DCEP,
    RTCSctpCapabilities,
    RTCSctpTransport,
)

from sfu.bucket import TokenBucket
from sfu.errors import SctpError
from sfu.webrtc.description import SCTP_PORT
from sfu.webrtc.sctp_guard import MAX_STREAMS, Summary, inspect

log = structlog.get_logger("sfu.sctp")

MAX_CHANNELS = 8
MAX_LABEL = 64
MAX_AHEAD = 256
"""Chunks taken beyond the first one that is missing; what comes later is sent again later."""
MAX_HELD = 2 * MAX_AHEAD
"""Chunks kept for messages that are not complete. Who is not malicious stays below."""
MAX_MALFORMED = 16
CHUNKS_PER_SECOND, CHUNK_BURST = 2000.0, 4000.0
RTO_INITIAL, RTO_MIN = 0.5, 0.3
"""Seconds. RFC 9260's 1 s is for paths across the ocean with nobody waiting; browsers use such as these."""


class SendOutcome(Enum):
    SENT = "sent"
    FULL = "full"
    """The receiver takes it too slowly, and as much as is allowed waits already."""
    TOO_LARGE = "too_large"
    """For what the receiver said it takes (a=max-message-size)."""
    NOT_OPEN = "not_open"


@dataclass(frozen=True, slots=True)
class Received:
    """One whole message. `binary` is False for one that was sent as a string."""

    label: str
    data: bytes
    binary: bool


class SctpAssociation:
    """The node's end of one client's data channels. Created in the loop it runs in.

    `remote_max_message` is the client's a=max-message-size, 0 for any size. `start` when DTLS is connected.
    """

    def __init__(
        self,
        transmit: Callable[[bytes], None],
        *,
        remote_port: int,
        remote_max_message: int,
        now: float,
    ) -> None:
        self._stack = _Stack(_Wire(transmit))
        self._remote_port = remote_port
        self._remote_max_message = remote_max_message
        self._chunks = TokenBucket(CHUNKS_PER_SECOND, CHUNK_BURST, now)
        self._closed = False
        self.malformed = 0
        self.dropped = 0
        """Packets left to be sent again: too many at once, or too far ahead."""

    def start(self) -> None:
        """Begin the association; the client does so too, and the two become one (RFC 8841 section 9.3)."""
        capabilities = RTCSctpCapabilities(maxMessageSize=self._remote_max_message)
        _run(self._stack.start(capabilities, self._remote_port))

    @property
    def closed(self) -> bool:
        return self._closed or self._stack.state == "closed"

    @property
    def held(self) -> int:
        """Chunks that wait for the rest of their message, or for an earlier one."""
        return self._stack.held

    def is_open(self, label: str) -> bool:
        return self._stack.channel(label) is not None

    def handle_packet(self, packet: bytes, now: float) -> list[Received]:
        """Take in one packet; the messages it completed come back. Never raises."""
        if self.closed or not self._may_pass(packet, now):
            return []
        try:
            _run(self._stack._handle_data(packet))
        except Exception as error:
            # The stack asserts and looks up what a peer that keeps to the protocol never contradicts.
            self._abort(f"{type(error).__name__} {error}")
            return []
        if self._stack.held > MAX_HELD or len(self._stack._data_channels) > MAX_CHANNELS:
            self._abort("it holds too many unfinished messages or channels")
        return self._stack.poll_received()

    def send(self, label: str, message: bytes, *, most_buffered: int) -> SendOutcome:
        """Queue one binary message on the open channel of that label, unless more than that would wait."""
        channel = self._stack.channel(label)
        if channel is None or self.closed:
            return SendOutcome.NOT_OPEN
        if self._remote_max_message and len(message) > self._remote_max_message:
            return SendOutcome.TOO_LARGE
        if channel.bufferedAmount + len(message) > most_buffered:
            return SendOutcome.FULL
        self._stack.push(channel, message)
        return SendOutcome.SENT

    def close_channel(self, label: str) -> None:
        """Reset the channel's stream; what still waited on it is not sent."""
        channel = self._stack.channel(label)
        if channel is not None:
            self._stack.discard(channel)
            channel.close()

    def close(self) -> None:
        """ABORT, and nothing more. Idempotent."""
        if self._closed:
            return
        self._closed = True
        _run(self._stack.stop())

    # --- inside --------------------------------------------------------------------------------------

    def _may_pass(self, packet: bytes, now: float) -> bool:
        try:
            summary = inspect(packet)
        except SctpError as error:
            self.malformed += 1
            if self.malformed > MAX_MALFORMED:
                self._abort(str(error))
            return False
        if not self._chunks.take(now, summary.chunks) or not self._stack.fits(summary):
            self.dropped += 1
            return False
        return True

    def _abort(self, why: str) -> None:
        log.info("a client broke SCTP and lost its data channels", reason=why)
        self.close()


class _Wire:
    """What aiortc knows as an RTCDtlsTransport. The node is always the passive side of DTLS."""

    state = "connected"
    _role = "server"

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit

    async def _send_data(self, packet: bytes) -> None:
        self._transmit(packet)

    def _register_data_receiver(self, receiver: RTCSctpTransport) -> None:
        """Packets are handed to the stack directly."""

    def _unregister_data_receiver(self, receiver: RTCSctpTransport) -> None:
        """As above."""


class _Stack(RTCSctpTransport):
    """aiortc's association with our bounds, and with messages collected instead of emitted."""

    def __init__(self, wire: _Wire) -> None:
        super().__init__(cast(RTCDtlsTransport, wire), SCTP_PORT)
        self._inbound_streams_max = MAX_STREAMS
        self._outbound_streams_count = MAX_STREAMS
        self._rto = RTO_INITIAL
        self._received: list[Received] = []

    @property
    def held(self) -> int:
        return sum(len(stream.reassembly) for stream in self._inbound_streams.values())

    def channel(self, label: str) -> RTCDataChannel | None:
        """The newest open channel of that label."""
        for channel in reversed(self._data_channels.values()):
            if channel.label == label and channel.readyState == "open":
                return channel
        return None

    def poll_received(self) -> list[Received]:
        received, self._received = self._received, []
        return received

    def push(self, channel: RTCDataChannel, message: bytes) -> None:
        channel._addBufferedAmount(len(message))
        self._data_channel_queue.append((channel, WEBRTC_BINARY, message))
        _run(self._data_channel_flush())

    def discard(self, channel: RTCDataChannel) -> None:
        self._data_channel_queue = deque(item for item in self._data_channel_queue if item[0] is not channel)

    def fits(self, summary: Summary) -> bool:
        """Whether the packet can be meant for the state that we are in."""
        established = self._association_state == self.State.ESTABLISHED
        if summary.init and established:
            # A belated repetition of the one that this association began with.
            return False
        last = self._last_received_tsn
        if last is None:
            return not (summary.tsns or summary.acknowledged or summary.forwarded)
        if any(MAX_AHEAD < (tsn - last) % 2**32 < 2**31 for tsn in summary.tsns):
            return False
        sent = (self._local_tsn - 1 - self._last_sacked_tsn) % 2**32
        for cumulative, gap in summary.acknowledged:
            ahead = (cumulative - self._last_sacked_tsn) % 2**32
            if ahead < 2**31 and ahead + gap > sent:
                return False
        return True

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if pp_id == WEBRTC_DCEP:
            await self._data_channel_receive(stream_id, pp_id, data)
            return
        channel = self._data_channels.get(stream_id)
        if channel is not None and len(channel.label) <= MAX_LABEL:
            self._received.append(Received(channel.label, data, pp_id == WEBRTC_BINARY))

    def _update_rto(self, R: float) -> None:  # noqa: N803 as aiortc names it
        super()._update_rto(R)
        assert self._srtt is not None
        assert self._rttvar is not None
        self._rto = max(RTO_MIN, min(self._srtt + 4 * self._rttvar, SCTP_RTO_MAX))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits to its end."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise AssertionError("over a transport that never waits, SCTP waited")
