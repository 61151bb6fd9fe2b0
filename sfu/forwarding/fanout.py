"""The hot path: one batch of packets of one encoding, sealed and sent to every leg.

Written for speed, and only here. What each trick is for:

- A batch is prepared once for all receivers (`Batch`): parsed headers, forwarded extensions, and the runs of
  equal size that may share one UDP_SEGMENT call.
- A header is a number. The batch holds each packet's difference to its first one; a leg adds its own first
  header and prints the sum in 20 bytes. One addition replaces the packing of nine fields. Extension elements
  have one-byte or two-byte heads by the codec (`Shape`), which only moves the last field.
- The outgoing index (rollover counter and sequence number in one integer) is the incoming extended sequence
  plus an offset; the leg's AES-GCM takes it as it is, with the SSRC's part of the nonce inside.
- The payload `bytes` are shared by all legs, the RTX history included; the AEAD call is the only copy.
- A header without a transport-wide number, as of voices without video, ends in what all receivers get: one
  `pack` makes it.
- A run is joined before it is sent: the kernel copies one long buffer faster than many short ones. A lone
  packet goes by `sendto`, which parses fewer arguments than `sendmsg`.
- No enum, no property, no dictionary of strings inside the loop; nothing is allocated that is not sent.

What each gains is in docs/performance.md; `make bench` measures the whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from sfu.forwarding.batch import Batch, Packet
from sfu.forwarding.departure import Departure
from sfu.forwarding.leg import (
    MARKER_SHIFT,
    ONE_BYTE,
    SEQUENCE_SHIFT,
    TIMESTAMP_SHIFT,
    TWO_BYTE,
    UNNUMBERED,
    WORDS_SHIFT,
    Leg,
    Shape,
)
from sfu.forwarding.numbers import NO_NUMBERS, TAIL
from sfu.rtp.extensions import renumber_wide
from sfu.webrtc.srtp_cm import Unprotectable
from sfu.webrtc.trains import segment_control

EXTENDED, BARE = 0x90, 0x80
"""First byte of a header: version 2, with and without the extension bit."""
PADDING = bytes(4)
TOGETHER = 32
"""Legs that are said to be sent to at one time: half a millisecond's worth."""
EXTENSION_OVERHEAD = 8
"""Extension header and one word, which `overhead` of a leg without TWCC does not count."""

_pack_fixed = struct.Struct("!BBHII").pack
_pack_profile = struct.Struct("!HH").pack
_unnumbered: dict[int, Callable[..., bytes]] = {}
"""What packs a header and the extension after it, by the length of that."""

_departure = Departure()

_controls: dict[int, list[tuple[int, int, bytes]]] = {}
MAX_PACKERS = 256
MAX_PROTECTED = 1500
"""Bytes of extensions and payload that libsrtp's binding takes, with room; AES-GCM has no such limit."""

_NO_CONTROL: list[tuple[int, int, bytes]] = []


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """libsrtp does not know what to make of an index: too far from the last one it sealed."""


def forward(batch: Batch, legs: Sequence[Leg], now: float) -> tuple[int, list[Leg] | None]:
    """Send a batch to every leg.

    Returns the number of packets handed to the network, and the legs whose socket would not take theirs
    (None for none): they lost packets here and a video leg needs a key frame.

    The last of many get theirs much later than the first. So when it left is noted anew for every few of
    them: else the estimator of their path would see a queue where there is none.
    """
    if len(legs) <= TOGETHER:
        return _forward(batch, legs, now, now)
    forwarded, blocked = 0, None
    for start in range(0, len(legs), TOGETHER):
        some, stuck = _forward(batch, legs[start : start + TOGETHER], now, _departure.at(now))
        forwarded += some
        if stuck is not None:
            blocked = stuck if blocked is None else blocked + stuck
    return forwarded, blocked


def _forward(batch: Batch, legs: Sequence[Leg], now: float, left: float) -> tuple[int, list[Leg] | None]:
    count = len(batch.packets)
    if count == 1:
        return _forward_single(batch, legs, now, left)
    blocked: list[Leg] | None = None
    forwarded = 0
    for leg in legs:
        if _send(leg, batch, now, left):
            forwarded += count
        else:
            blocked = [leg] if blocked is None else [*blocked, leg]
    return forwarded, blocked


def _forward_single(
    batch: Batch, legs: Sequence[Leg], now: float, left: float
) -> tuple[int, list[Leg] | None]:
    """`forward` for a batch of one packet, which audio and paced video mostly are: all in one loop.

    It saves the calls in between. A leg that is not the usual kind takes the usual way.
    """
    blocked: list[Leg] | None = None
    forwarded = 0
    first, marker, timestamp, words, tail, payload = batch.packets[0]
    difference = marker << MARKER_SHIFT | words - 1 << WORDS_SHIFT
    plain = batch.plain
    octets = len(payload)
    shape = batch.shape
    head, transport_shift = shape.head, shape.transport_sequence_shift
    sizes = batch.sizes
    bare = shape is ONE_BYTE and batch.numbers is NO_NUMBERS
    extension = b"" if plain else _unnumbered_extension(words, tail)
    lead = BARE if plain else EXTENDED
    pack = _unnumbered.get(len(extension)) or _unnumbered_packer(len(extension))
    for leg in legs:
        egress = leg.egress
        encrypt = leg.encrypt
        sendto = egress.sendto
        own = leg.shape
        if encrypt is None or sendto is None or not (own is shape or (bare and own is UNNUMBERED)):
            sent = _send(leg, batch, now, left)
        else:
            index = first + leg.index_offset
            stamp = (timestamp + leg.timestamp_offset) & 0xFFFFFFFF
            if own is UNNUMBERED:
                header = pack(lead, marker | leg.payload_type, index & 0xFFFF, stamp, leg.ssrc, extension)
                datagram = header + encrypt(index, payload, header)
            else:
                transport_sequence = egress.transport_sequence
                egress.transport_sequence = transport_sequence + 1
                egress.sent.append((transport_sequence, left, sizes))
                header = (
                    leg.header_base + difference
                    | (index & 0xFFFF) << SEQUENCE_SHIFT
                    | stamp << TIMESTAMP_SHIFT
                    | (transport_sequence & 0xFFFF) << transport_shift
                ).to_bytes(20, "big")
                if leg.picture_offset or leg.tl0_offset:
                    moved_tail, moved = batch.moved_for(leg)[0]
                    header = header[:head] + moved_tail
                    datagram = header + encrypt(index, moved, header)
                else:
                    if not plain:
                        header = header[:head] + tail
                    datagram = header + encrypt(index, payload, header)
            if index > leg.highest_index:
                leg.highest_index = index
                leg.last_timestamp = stamp
                leg.last_sent_at = now
            leg.packets += 1
            leg.octets += octets
            egress.datagrams += 1
            try:
                sendto(datagram, egress.address)
            except OSError:
                egress.blocked += 1
                sent = False
            else:
                sent = True
        if sent:
            forwarded += 1
        else:
            blocked = [leg] if blocked is None else [*blocked, leg]
    return forwarded, blocked


def send(leg: Leg, batch: Batch, now: float) -> bool:
    """Seal a batch for one leg and send it. False when the socket was full, or libsrtp lost count."""
    return _send(leg, batch, now, now)


def _send(leg: Leg, batch: Batch, now: float, left: float) -> bool:
    """`send`, of packets that came at `now` and leave at `left`."""
    egress = leg.egress
    if leg.encrypt is None and batch.largest > MAX_PROTECTED:
        fitting = [packet for packet in batch.packets if len(packet[5]) + len(packet[4]) <= MAX_PROTECTED]
        leg.oversized += len(batch.packets) - len(fitting)
        return _send(leg, Batch(fitting, batch.shape, batch.numbers), now, left) if fitting else True
    count = len(batch.packets)
    shape = batch.shape
    try:
        if leg.shape is shape:
            first = batch.first + leg.index_offset
            timestamp = (batch.first_timestamp + leg.timestamp_offset) & 0xFFFFFFFF
            transport_sequence = egress.transport_sequence
            if (
                batch.rows is None
                or (first & 0xFFFF) + batch.span > 0xFFFF
                or (transport_sequence & 0xFFFF) + count > 0x10000
                or timestamp + batch.timestamp_span > 0xFFFFFFFF
            ):
                # A field would overflow into its neighbour.
                buffers = _seal_field_by_field(leg, batch)
            else:
                header = (
                    leg.header_base
                    | (first & 0xFFFF) << SEQUENCE_SHIFT
                    | timestamp << TIMESTAMP_SHIFT
                    | (transport_sequence & 0xFFFF) << shape.transport_sequence_shift
                )
                rows = batch.rows
                if leg.picture_offset or leg.tl0_offset:
                    rows = [
                        (*row[:2], *fields) for row, fields in zip(rows, batch.moved_for(leg), strict=True)
                    ]
                buffers = _seal(leg, rows, first, header, shape.head, plain=batch.plain)
            egress.transport_sequence = transport_sequence + count
            egress.sent.append((transport_sequence, left, batch.sizes))
        elif shape is TWO_BYTE and not leg.wide_by_field:
            return _send(leg, batch.narrow(), now, left)
        else:
            buffers = _seal_field_by_field(leg, batch)
            if leg.extended:
                egress.sent.append((egress.transport_sequence, left, batch.sizes))
                egress.transport_sequence += count
    except _Refused:
        return False
    index = batch.first + batch.span + leg.index_offset
    if index > leg.highest_index:
        leg.highest_index = index
        leg.last_timestamp = (batch.last_timestamp + leg.timestamp_offset) & 0xFFFFFFFF
        leg.last_sent_at = now
    leg.packets += count
    leg.octets += batch.octets
    egress.datagrams += count
    return _transmit(leg, batch, buffers)


def _seal(
    leg: Leg, rows: Sequence[tuple[int, int, bytes, bytes]], first: int, base: int, head: int, *, plain: bool
) -> list[bytes]:
    """The innermost loop. AES-GCM gives header and ciphertext in turn, AES-CM whole datagrams."""
    buffers: list[bytes] = []
    append = buffers.append
    encrypt = leg.encrypt
    if encrypt is None:
        protect = leg.protect
        assert protect is not None
        try:
            for difference, _, tail, payload in rows:
                append(protect((base + difference).to_bytes(20, "big")[:head] + tail + payload))
        except Unprotectable as error:
            raise _refused(leg, [first + row[1] for row in rows[: len(buffers)]]) from error
        return buffers
    if plain:
        for difference, distance, _, payload in rows:
            header = (base + difference).to_bytes(20, "big")
            append(header)
            append(encrypt(first + distance, payload, header))
    else:
        for difference, distance, tail, payload in rows:
            header = (base + difference).to_bytes(20, "big")[:head] + tail
            append(header)
            append(encrypt(first + distance, payload, header))
    return buffers


def _transmit(leg: Leg, batch: Batch, buffers: list[bytes]) -> bool:
    egress = leg.egress
    stride = 2 if leg.encrypt is not None else 1
    sendto = egress.sendto
    if sendto is None:
        return _send_whole(leg, buffers, stride)
    overhead = leg.overhead
    if not leg.extended and not batch.plain:
        overhead += EXTENSION_OVERHEAD
    try:
        if len(batch.packets) == 1:
            sendto(b"".join(buffers), egress.address)
        elif len(batch.runs) == 1:
            egress.sendmsg((b"".join(buffers),), _control(batch.runs[0], overhead), 0, egress.address)
        else:
            for run in batch.runs:
                part = b"".join(buffers[run[0] * stride : run[1] * stride])
                egress.sendmsg((part,), _control(run, overhead), 0, egress.address)
    except (BlockingIOError, InterruptedError):
        egress.blocked += 1
        return False
    except OSError:
        return _send_single(leg, buffers, stride)
    return True


def _control(run: tuple[int, int, int], overhead: int) -> list[tuple[int, int, bytes]]:
    first, end, size = run
    if end - first == 1:
        return _NO_CONTROL
    size += overhead
    control = _controls.get(size)
    if control is None:
        control = _controls[size] = segment_control(size)
    return control


def _seal_field_by_field(leg: Leg, batch: Batch) -> list[bytes]:
    """For receivers without transport-wide sequence numbers or with extension ids of their own, and for
    batches in which a field wraps."""
    buffers: list[bytes] = []
    sequence = leg.egress.transport_sequence
    shape = batch.shape
    identifier = leg.egress.transport_tag >> 4
    packets = batch.packets if leg.numbering is None else batch.renumbered(leg.numbering)
    if leg.picture_offset or leg.tl0_offset:
        packets = _moved(packets, batch, leg)
    for source, marker, timestamp, words, tail, payload in packets:
        index = source + leg.index_offset
        fixed = (
            marker | leg.payload_type,
            index & 0xFFFF,
            (timestamp + leg.timestamp_offset) & 0xFFFFFFFF,
            leg.ssrc,
        )
        if leg.extended:
            element = (shape.tag(identifier) << 16 | sequence & 0xFFFF).to_bytes(shape.head - 16, "big")
            header = _pack_fixed(EXTENDED, *fixed) + _pack_profile(shape.profile, words) + element + tail
            sequence += 1
        elif batch.plain:
            header = _pack_fixed(BARE, *fixed)
        else:
            # Every packet of the batch gets the extension, so that the sizes of a run stay equal.
            header = _pack_fixed(EXTENDED, *fixed) + _unnumbered_extension(words, tail, shape)
        if leg.encrypt is not None:
            buffers.append(header)
            buffers.append(leg.encrypt(index, payload, header))
        else:
            assert leg.protect is not None
            try:
                buffers.append(leg.protect(header + payload))
            except Unprotectable as error:
                sealed = [packet[0] + leg.index_offset for packet in packets[: len(buffers)]]
                raise _refused(leg, sealed) from error
    return buffers


def _unnumbered_extension(words: int, tail: bytes, shape: Shape = ONE_BYTE) -> bytes:
    """Padding, three bytes or four, takes the place of the TWCC element."""
    return _pack_profile(shape.profile, words) + PADDING[: shape.head - 16] + tail


def _unnumbered_packer(length: int) -> Callable[..., bytes]:
    if len(_unnumbered) >= MAX_PACKERS:
        _unnumbered.clear()
    pack = _unnumbered[length] = struct.Struct(f"!BBHII{length}s").pack
    return pack


def _refused(leg: Leg, sealed: Sequence[int]) -> _Refused:
    """The leg goes on behind what was sealed before, so that libsrtp can follow again."""
    leg.highest_index = max((leg.highest_index, *sealed[-1:]))
    return _Refused()


def _moved(packets: Sequence[Packet], batch: Batch, leg: Leg) -> list[Packet]:
    """With the leg's picture counters. Where they are in the tail, it has our own ids, not the receiver's."""
    moved = batch.moved_for(leg)
    if batch.numbers.field == TAIL:
        ids = leg.numbering
        if ids is not None:
            moved = [(renumber_wide(tail, ids), payload) for tail, payload in moved]
        return [(*packet[:4], *fields) for packet, fields in zip(packets, moved, strict=True)]
    return [(*packet[:5], payload) for packet, (_, payload) in zip(packets, moved, strict=True)]


def _send_whole(leg: Leg, buffers: list[bytes], stride: int) -> bool:
    path = leg.egress.path
    if path is None:
        return False
    for start in range(0, len(buffers), stride):
        path.send(b"".join(buffers[start : start + stride]))
    return True


def _send_single(leg: Leg, buffers: list[bytes], stride: int) -> bool:
    """Without segmentation: a kernel or device that refuses UDP_SEGMENT, or a path MTU below the segment."""
    sendto = leg.egress.sendto
    assert sendto is not None
    try:
        for start in range(0, len(buffers), stride):
            sendto(b"".join(buffers[start : start + stride]), leg.egress.address)
    except OSError:
        leg.egress.blocked += 1
        return False
    return True
