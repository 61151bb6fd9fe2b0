"""The RTCP a bot sends and understands: reports, key frame requests, NACK, and transport-wide feedback.

Formats of RFC 3550 section 6.4, RFC 4585 section 6, and draft-holmer-rmcat-transport-wide-cc-extensions-01
section 3.1. Written apart from the server's RTCP so that the two check each other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import sub

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE = 200, 201, 202, 203
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK, EXTENDED_REPORT = 205, 206, 207
NACK_FORMAT, TRANSPORT_CC_FORMAT = 1, 15
PLI_FORMAT, FIR_FORMAT = 1, 4
REFERENCE_TIME, DELAYS = 4, 5
"""Blocks of an extended report (RFC 3611 section 4)."""

NTP_EPOCH_OFFSET = 2_208_988_800
REFERENCE_UNIT_US = 64_000
DELTA_UNIT_US = 250
NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA = 0, 1, 2
MAX_RUN = 0x1FFF
VECTOR_LENGTH = 7


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    """What a receiver says of one SSRC (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int = 0
    last_report: int = 0
    """The middle 32 bits of the time in the last sender report, 0 before the first, ..."""
    delay: int = 0
    """... and how long ago that came, in 1/65536 s."""


def sender_report(ssrc: int, unix_time: float, rtp_time: int, packets: int, octets: int) -> bytes:
    """An SR without report blocks, followed by an SDES with a CNAME."""
    ntp = int((unix_time + NTP_EPOCH_OFFSET) * 2**32) & 0xFFFF_FFFF_FFFF_FFFF
    report = struct.pack(
        "!BBHIQIII",
        0x80,
        SENDER_REPORT,
        6,
        ssrc,
        ntp,
        rtp_time & 0xFFFF_FFFF,
        packets & 0xFFFF_FFFF,
        octets & 0xFFFF_FFFF,
    )
    return report + struct.pack("!BBHIBB", 0x81, SOURCE_DESCRIPTION, 3, ssrc, 1, 3) + b"bot\0\0\0"


def receiver_report(own_ssrc: int, reports: Sequence[ReceptionReport]) -> bytes:
    """An RR with at most 31 blocks."""
    blocks = reports[:31]
    packet = struct.pack("!BBHI", 0x80 | len(blocks), RECEIVER_REPORT, 1 + 6 * len(blocks), own_ssrc)
    for one in blocks:
        lost = max(-0x80_0000, min(one.packets_lost, 0x7F_FFFF)) & 0xFF_FFFF
        packet += struct.pack(
            "!IIIIII",
            one.ssrc,
            (one.fraction_lost & 0xFF) << 24 | lost,
            one.highest_sequence & 0xFFFF_FFFF,
            one.jitter,
            one.last_report,
            one.delay,
        )
    return packet


def reference_time(own_ssrc: int, ntp: int) -> bytes:
    """An extended report that asks how long ago it came (RFC 3611 section 4.4)."""
    return struct.pack("!BBHIBBHQ", 0x80, EXTENDED_REPORT, 4, own_ssrc, REFERENCE_TIME, 0, 2, ntp)


def delays(own_ssrc: int, asker: int, last: int, delay: int) -> bytes:
    """The answer to it (RFC 3611 section 4.5)."""
    block = struct.pack("!BBHIII", DELAYS, 0, 3, asker, last, delay)
    return struct.pack("!BBHI", 0x80, EXTENDED_REPORT, 5, own_ssrc) + block


def question_in(body: bytes) -> tuple[int, int] | None:
    """(who asks, middle 32 bits of the time) of an extended report's body, None where nothing is asked."""
    if len(body) < 16 or body[4] != REFERENCE_TIME:
        return None
    return int.from_bytes(body[:4], "big"), int.from_bytes(body[10:14], "big")


def delay_in(body: bytes, own_ssrc: int, last: int) -> int | None:
    """The delay since we asked at `last`, in 1/65536 s, by an extended report's body."""
    if len(body) < 8 or body[4] != DELAYS:
        return None
    for asker, asked, delay in struct.iter_unpack("!III", body[8 : 8 + (len(body) - 8) // 12 * 12]):
        if (asker, asked) == (own_ssrc, last):
            return int(delay)
    return None


def picture_loss(own_ssrc: int, media_ssrc: int) -> bytes:
    return struct.pack("!BBHII", 0x80 | PLI_FORMAT, PAYLOAD_FEEDBACK, 2, own_ssrc, media_ssrc)


def negative_acknowledgement(own_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """A generic NACK of 16-bit sequence numbers, packed into (first, bitmask of the next 16)."""
    pairs: list[list[int]] = []
    for sequence in sequences:
        distance = (sequence - pairs[-1][0]) & 0xFFFF if pairs else 0
        if pairs and 1 <= distance <= 16:
            pairs[-1][1] |= 1 << (distance - 1)
        else:
            pairs.append([sequence & 0xFFFF, 0])
    header = struct.pack(
        "!BBHII", 0x80 | NACK_FORMAT, TRANSPORT_FEEDBACK, 2 + len(pairs), own_ssrc, media_ssrc
    )
    return header + b"".join(struct.pack("!HH", first, mask) for first, mask in pairs)


def transport_feedback(
    own_ssrc: int, media_ssrc: int, count: int, arrivals: Sequence[tuple[int, int]]
) -> bytes:
    """Transport-wide feedback on (sequence number, arrival in microseconds), in the order of arrival.

    `count` is the feedback's own number. The packets span less than half the sequence space.
    """
    body = _complete_feedback(arrivals) or _sparse_feedback(arrivals)
    reference, base, symbols, chunks, deltas = body
    packet = struct.pack("!IIHH", own_ssrc, media_ssrc, base, symbols)
    packet += struct.pack("!I", (reference & 0xFF_FFFF) << 8 | (count & 0xFF)) + chunks + deltas
    padding = -len(packet) % 4
    first = 0x80 | TRANSPORT_CC_FORMAT | (0x20 if padding else 0)
    if padding:
        packet += bytes(padding - 1) + bytes((padding,))
    return struct.pack("!BBH", first, TRANSPORT_FEEDBACK, len(packet) // 4) + packet


_Feedback = tuple[int, int, int, bytes, bytes]
"""Reference time, base sequence number, number of symbols, status chunks, deltas."""


def _complete_feedback(arrivals: Sequence[tuple[int, int]]) -> _Feedback | None:
    """The usual case, quickly: every packet came, in order, none much later than the one before."""
    base, start = arrivals[0]
    count = len(arrivals)
    if count > MAX_RUN or [sequence for sequence, _ in arrivals] != [
        number & 0xFFFF for number in range(base, base + count)
    ]:
        return None
    reference = start // REFERENCE_UNIT_US
    ticks = [reference * REFERENCE_UNIT_US // DELTA_UNIT_US]
    ticks += [arrival // DELTA_UNIT_US for _, arrival in arrivals]
    try:
        deltas = bytes(map(sub, ticks[1:], ticks))
    except ValueError:
        return None
    return reference, base, count, struct.pack("!H", SMALL_DELTA << 13 | count), deltas


def _sparse_feedback(arrivals: Sequence[tuple[int, int]]) -> _Feedback:
    """Any arrivals, with gaps and in any order."""
    base = min(arrivals, key=lambda one: (one[0] - arrivals[0][0] + 0x8000) & 0xFFFF)[0]
    times: dict[int, int] = {}
    for sequence, arrival in arrivals:
        times.setdefault((sequence - base) & 0xFFFF, arrival)
    reference = min(times.values()) // REFERENCE_UNIT_US
    clock = reference * REFERENCE_UNIT_US
    symbols: list[int] = []
    deltas = bytearray()
    for offset in range(max(times) + 1):
        time = times.get(offset)
        if time is None:
            symbols.append(NOT_RECEIVED)
            continue
        delta = (time - clock) // DELTA_UNIT_US
        clock += delta * DELTA_UNIT_US
        if 0 <= delta <= 0xFF:
            symbols.append(SMALL_DELTA)
            deltas.append(delta)
        else:
            symbols.append(LARGE_DELTA)
            deltas += struct.pack("!h", max(-0x8000, min(delta, 0x7FFF)))
    chunks = b"".join(_status_chunks(symbols))
    return reference, base, len(symbols), chunks, bytes(deltas)


def _status_chunks(symbols: Sequence[int]) -> Iterator[bytes]:
    """Runs of seven or more of a symbol as run lengths, the rest in vectors of seven two-bit symbols."""
    position = 0
    while position < len(symbols):
        symbol = symbols[position]
        end = position + 1
        while end < len(symbols) and symbols[end] == symbol and end - position < MAX_RUN:
            end += 1
        if end - position >= VECTOR_LENGTH or end == len(symbols):
            yield struct.pack("!H", symbol << 13 | (end - position))
            position = end
            continue
        word = 0x8000 | 0x4000
        for index, one in enumerate(symbols[position : position + VECTOR_LENGTH]):
            word |= one << (12 - 2 * index)
        yield struct.pack("!H", word)
        position += VECTOR_LENGTH


def split_compound(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The (count or format, packet type, body) of each packet of a compound one; stops where it is broken."""
    position = 0
    while position + 4 <= len(data):
        first, kind, words = struct.unpack_from("!BBH", data, position)
        end = position + 4 + 4 * words
        if end > len(data):
            return
        yield first & 0x1F, kind, data[position + 4 : end]
        position = end


def nacked_sequences(body: bytes) -> list[int]:
    """The sequence numbers of a NACK's body (after both SSRCs)."""
    found = []
    for position in range(8, len(body) - 3, 4):
        first, mask = struct.unpack_from("!HH", body, position)
        found.append(first)
        found += [(first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    return found
