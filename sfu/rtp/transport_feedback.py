"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).

The receiver of packets that carry a transport-wide sequence number says which of them arrived, and when. The
message names a first sequence number and how many follow, gives each a status, packed into chunks of 16 bits,
and then for each that arrived the time since the one before, in steps of 250 microseconds.

    chunk:  0 ss nnnnnnnnnnnnn      n times the status s
            1 0 ssssssssssssss      14 statuses of one bit: lost, small delta
            1 1 ss ss ss ss ss ss ss    7 statuses of two bits: lost, small delta, large delta
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub

from sfu.errors import RtcpError
from sfu.rtp.rtcp_feedback import TRANSPORT_FEEDBACK, split_feedback
from sfu.rtp.rtcp_reports import header

FORMAT_TRANSPORT_CC = 15
TICK_US = 250
REFERENCE_US = 64_000
TICKS_PER_REFERENCE = REFERENCE_US // TICK_US
REFERENCE_MASK = (1 << 24) - 1
LOST, SMALL, LARGE = 0, 1, 2
MAX_RUN = (1 << 13) - 1
MAX_STATUSES = 8192
"""A message about more packets is refused: it would be minutes old, or made to keep us busy."""
MAX_ARRIVALS = 512
"""Packets that arrived per message built, which keeps one below 1,200 bytes."""


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """`reference_time` counts 64 ms and wraps at 2^24; `body` is chunks and deltas, read by `arrivals`."""

    sender_ssrc: int
    media_ssrc: int
    base_sequence: int
    status_count: int
    reference_time: int
    feedback_count: int
    body: bytes

    @classmethod
    def from_body(cls, data: bytes) -> TransportFeedback:
        sender_ssrc, media_ssrc, rest = split_feedback(data)
        if len(rest) < 8:
            raise RtcpError("transport-wide feedback is cut off")
        base_sequence, status_count, time_and_count = struct.unpack_from("!HHL", rest)
        if status_count > MAX_STATUSES:
            raise RtcpError("transport-wide feedback is about too many packets")
        reference_time, feedback_count = time_and_count >> 8, time_and_count & 0xFF
        return cls(
            sender_ssrc, media_ssrc, base_sequence, status_count, reference_time, feedback_count, rest[8:]
        )

    def arrivals(self) -> list[tuple[int, int | None]]:
        """Each packet as (sequence number, when it arrived), None for one that did not.

        Times are microseconds on the receiver's clock, modulo 2^24 * 64 ms. Raises `RtcpError`.
        """
        statuses, offset = self._statuses()
        ticks = self.reference_time * TICKS_PER_REFERENCE
        body = self.body
        arrivals: list[tuple[int, int | None]] = []
        for sequence, status in enumerate(statuses, self.base_sequence):
            if status == LOST:
                arrivals.append((sequence & 0xFFFF, None))
                continue
            end = offset + status
            if end > len(body):
                raise RtcpError("transport-wide feedback has too few deltas")
            ticks += int.from_bytes(body[offset:end], "big", signed=status == LARGE)
            offset = end
            arrivals.append((sequence & 0xFFFF, ticks * TICK_US))
        return arrivals

    def _statuses(self) -> tuple[list[int], int]:
        """The status of each packet, and where in the body the deltas begin."""
        statuses: list[int] = []
        offset = 0
        while len(statuses) < self.status_count:
            if offset + 2 > len(self.body):
                raise RtcpError("transport-wide feedback has too few chunks")
            chunk = int.from_bytes(self.body[offset : offset + 2], "big")
            offset += 2
            if chunk & 0x8000 == 0:
                statuses += [chunk >> 13] * (chunk & MAX_RUN)
            elif chunk & 0x4000 == 0:
                statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
            else:
                statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        del statuses[self.status_count :]
        if 3 in statuses:
            raise RtcpError("transport-wide feedback has a reserved status")
        return statuses, offset

    def to_bytes(self) -> bytes:
        data = struct.pack(
            "!LLHHL",
            self.sender_ssrc,
            self.media_ssrc,
            self.base_sequence,
            self.status_count,
            self.reference_time << 8 | self.feedback_count,
        )
        data += self.body
        padding = -len(data) % 4
        packet = header(TRANSPORT_FEEDBACK, FORMAT_TRANSPORT_CC, data + bytes(padding))
        if padding:
            packet = bytes([packet[0] | 0x20]) + packet[1:-1] + bytes([padding])
        return packet


def build_transport_feedback(
    sender_ssrc: int,
    media_ssrc: int,
    feedback_count: int,
    arrivals: Sequence[tuple[int, int]],
    *,
    base: int | None = None,
) -> list[bytes]:
    """Print feedback about packets given as (extended sequence number, arrival in microseconds), in order.

    Sequence numbers between two that arrived are reported lost, and so are those from `base` (extended) to
    the first: give the number after the last one reported, so that no loss falls between two messages. More
    than one message comes out when the times or the numbers do not fit one; `feedback_count` goes on from
    message to message.
    """
    messages: list[bytes] = []
    start = 0
    while start < len(arrivals):
        first = arrivals[start][0]
        if base is not None and 0 < first - base < MAX_STATUSES:
            first = base
        reference = arrivals[start][1] // REFERENCE_US
        ticks = reference * TICKS_PER_REFERENCE
        count, body, end = _complete(arrivals, start, first, ticks) or _collect(arrivals, start, first, ticks)
        feedback = TransportFeedback(
            sender_ssrc=sender_ssrc,
            media_ssrc=media_ssrc,
            base_sequence=first & 0xFFFF,
            status_count=count,
            reference_time=reference & REFERENCE_MASK,
            feedback_count=(feedback_count + len(messages)) & 0xFF,
            body=body,
        )
        messages.append(feedback.to_bytes())
        base = arrivals[end - 1][0] + 1
        start = end
    return messages


def _complete(
    arrivals: Sequence[tuple[int, int]], start: int, first: int, ticks: int
) -> tuple[int, bytes, int] | None:
    """The same as `_collect`, of the usual message: nothing is missing, all came soon after one another."""
    taken = arrivals[start : start + MAX_ARRIVALS]
    count = len(taken)
    if taken[0][0] != first or taken[-1][0] != first + count - 1:
        return None
    times = [time_us // TICK_US for _, time_us in taken]
    try:
        deltas = bytes(map(sub, times, [ticks, *times]))
    except ValueError:
        return None
    return count, (SMALL << 13 | count).to_bytes(2, "big") + deltas, start + count


def _collect(
    arrivals: Sequence[tuple[int, int]], start: int, first: int, ticks: int
) -> tuple[int, bytes, int]:
    """Of as many arrivals as fit one message: the number of statuses, chunks and deltas, and the index of the
    first arrival left over."""
    statuses: list[int] = []
    deltas: list[bytes] = []
    index = start
    for sequence, time_us in arrivals[start : start + MAX_ARRIVALS]:
        delta = time_us // TICK_US - ticks
        gap = sequence - first - len(statuses)
        assert gap >= 0, "arrivals come in the order of their numbers, each once"
        if not -0x8000 <= delta <= 0x7FFF or len(statuses) + gap >= MAX_STATUSES:
            break
        is_small = 0 <= delta <= 0xFF
        statuses += [LOST] * gap
        statuses.append(SMALL if is_small else LARGE)
        deltas.append(delta.to_bytes(1, "big") if is_small else delta.to_bytes(2, "big", signed=True))
        ticks += delta
        index += 1
    return len(statuses), _encode_statuses(statuses) + b"".join(deltas), index


def _encode_statuses(statuses: list[int]) -> bytes:
    """Pack statuses into chunks: a long run as one, anything else bit by bit."""
    chunks: list[int] = []
    position, count = 0, len(statuses)
    while position < count:
        status = statuses[position]
        run = 1
        while run < MAX_RUN and position + run < count and statuses[position + run] == status:
            run += 1
        window = statuses[position : position + 14]
        if run >= len(window) or (status == LARGE and run >= 7):
            chunks.append(status << 13 | run)
            position += run
        elif LARGE not in window:
            chunks.append(0x8000 | _pack_bits(window, 14, 1))
            position += 14
        else:
            chunks.append(0xC000 | _pack_bits(window[:7], 7, 2))
            position += 7
    return struct.pack(f"!{len(chunks)}H", *chunks)


def _pack_bits(window: list[int], size: int, bits: int) -> int:
    packed = 0
    for status in window + [LOST] * (size - len(window)):
        packed = packed << bits | status
    return packed
