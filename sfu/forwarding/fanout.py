"""The hot path: one batch of packets of one encoding, sealed and sent to every leg.

Written for speed, and only here. What each trick is for:

- A batch is prepared once for all receivers (`Batch`): parsed headers, forwarded extensions, and the runs of
  equal size that may share one UDP_SEGMENT call. Per leg and packet there remain one `struct.pack`, one
  nonce and one AEAD call.
- The payload `bytes` are shared by all legs, the RTX history included; the AEAD call is the only copy.
- The outgoing index (rollover counter and sequence number in one integer) is the incoming extended sequence
  plus an offset, so the GCM nonce is one xor away: `iv_base ^ index`.
- A run is joined before it is sent: the kernel copies one long buffer faster than many short ones.
- A lone packet goes by `sendto`, which parses fewer arguments than `sendmsg`.
- No enum, no property, no dictionary of strings inside the loop; nothing is allocated that is not sent.

The measured gain of each is in docs/performance.md; `make bench` measures the whole.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from sfu.forwarding.leg import Leg
from sfu.webrtc.udp import MAX_SEGMENT_BYTES, MAX_SEGMENTS, segment_control

Packet = tuple[int, int, int, int, bytes, bytes]
"""(extended sequence, marker bit 0 or 0x80, timestamp, extension words, extension tail, payload).

The tail is what follows the TWCC element: the forwarded extensions and padding, at least one byte.
"""

PLAIN_TAIL = b"\0"
"""Of a packet without forwarded extensions: the one padding byte."""

EXTENDED = 0x90
"""First byte: version 2, extension bit."""
BARE = 0x80
ONE_BYTE_PROFILE = 0xBEDE

EXTENSION_OVERHEAD = 8
"""Extension header and one word, which `overhead` of a leg without TWCC does not count."""

_pack_plain = struct.Struct("!BBHIIHHBHx").pack
_pack_extended = struct.Struct("!BBHIIHHBH").pack
_pack_bare = struct.Struct("!BBHII").pack
_pack_extension_header = struct.Struct("!HH").pack

_controls: dict[int, list[tuple[int, int, bytes]]] = {}
_NO_CONTROL: list[tuple[int, int, bytes]] = []


class Batch:
    """Packets of one encoding in ascending order, with what all legs share."""

    __slots__ = ("last_timestamp", "octets", "packets", "plain", "runs")

    def __init__(self, packets: Sequence[Packet]) -> None:
        self.packets = packets
        self.plain = True
        self.octets = 0
        self.last_timestamp = packets[-1][2]
        self.runs: list[tuple[int, int, int]] = []
        """(first, end, bytes of tail and payload) of packets that fit one segmented send."""
        start = 0
        size = -1
        last = 0
        for position, packet in enumerate(packets):
            length = len(packet[5])
            self.octets += length
            if packet[4] is not PLAIN_TAIL:
                self.plain = False
                length += len(packet[4]) - 1
            # A run is packets of one size; a shorter one may end it.
            if size >= 0 and (
                length > size
                or last < size
                or position - start >= MAX_SEGMENTS
                or (position - start + 1) * (size + 64) > MAX_SEGMENT_BYTES
            ):
                self.runs.append((start, position, size))
                start = position
                size = -1
            if size < 0:
                size = length
            last = length
        self.runs.append((start, len(packets), size))

    def with_packets(self, packets: Sequence[Packet]) -> Batch:
        """The same batch with other payloads of the same sizes."""
        copy = object.__new__(Batch)
        copy.packets = packets
        copy.plain = self.plain
        copy.octets = self.octets
        copy.last_timestamp = self.last_timestamp
        copy.runs = self.runs
        return copy


def forward(batch: Batch, legs: Sequence[Leg], now: float) -> tuple[int, list[Leg] | None]:
    """Send a batch to every leg.

    Returns the number of packets handed to the network, and the legs whose socket would not take theirs
    (None for none): they lost packets here and a video leg needs a key frame.
    """
    blocked: list[Leg] | None = None
    forwarded = 0
    count = len(batch.packets)
    for leg in legs:
        if leg.picture_offset or leg.tl0_offset:
            sent = send(leg, leg.encoding.rewrite(batch, leg) if leg.encoding else batch, now)
        else:
            sent = send(leg, batch, now)
        if sent:
            forwarded += count
        else:
            blocked = [leg] if blocked is None else [*blocked, leg]
    return forwarded, blocked


def send(leg: Leg, batch: Batch, now: float) -> bool:
    """Seal a batch for one leg and send it. False when the socket was full."""
    egress = leg.egress
    buffers: list[bytes] = []
    append = buffers.append
    offset = leg.index_offset
    timestamp_offset = leg.timestamp_offset
    ssrc = leg.ssrc
    payload_type = leg.payload_type
    encrypt = leg.encrypt
    index = 0
    if leg.with_twcc:
        sequence = egress.transport_sequence
        tag = egress.transport_tag
        if encrypt is not None:
            iv = leg.iv_base
            if batch.plain:
                for source, marker, timestamp, _, _, payload in batch.packets:
                    index = source + offset
                    header = _pack_plain(
                        0x90,
                        marker | payload_type,
                        index & 0xFFFF,
                        (timestamp + timestamp_offset) & 0xFFFFFFFF,
                        ssrc,
                        0xBEDE,
                        1,
                        tag,
                        sequence & 0xFFFF,
                    )
                    sequence += 1
                    append(header)
                    append(encrypt((iv ^ index).to_bytes(12, "big"), payload, header))
            else:
                for source, marker, timestamp, words, tail, payload in batch.packets:
                    index = source + offset
                    header = (
                        _pack_extended(
                            0x90,
                            marker | payload_type,
                            index & 0xFFFF,
                            (timestamp + timestamp_offset) & 0xFFFFFFFF,
                            ssrc,
                            0xBEDE,
                            words,
                            tag,
                            sequence & 0xFFFF,
                        )
                        + tail
                    )
                    sequence += 1
                    append(header)
                    append(encrypt((iv ^ index).to_bytes(12, "big"), payload, header))
        else:
            protect = leg.protect
            assert protect is not None
            for source, marker, timestamp, words, tail, payload in batch.packets:
                index = source + offset
                append(
                    protect(
                        _pack_extended(
                            0x90,
                            marker | payload_type,
                            index & 0xFFFF,
                            (timestamp + timestamp_offset) & 0xFFFFFFFF,
                            ssrc,
                            0xBEDE,
                            words,
                            tag,
                            sequence & 0xFFFF,
                        )
                        + tail
                        + payload
                    )
                )
                sequence += 1
        egress.transport_sequence = sequence
    else:
        index = _seal_bare(leg, batch, append)
    count = len(batch.packets)
    if index > leg.highest_index:
        leg.highest_index = index
        leg.last_timestamp = (batch.last_timestamp + timestamp_offset) & 0xFFFFFFFF
        leg.last_sent_at = now
    leg.packets += count
    leg.octets += batch.octets
    egress.datagrams += count
    stride = 1 if encrypt is None else 2
    overhead = leg.overhead
    if not leg.with_twcc and not batch.plain:
        overhead += EXTENSION_OVERHEAD
    sendto = egress.sendto
    if sendto is None:
        return _send_whole(leg, buffers, stride)
    try:
        if count == 1:
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


def _seal_bare(leg: Leg, batch: Batch, append: object) -> int:
    """For a receiver without transport-wide sequence numbers: only the forwarded extensions, if any."""
    assert callable(append)
    encrypt = leg.encrypt
    index = 0
    for source, marker, timestamp, words, tail, payload in batch.packets:
        index = source + leg.index_offset
        fixed = (
            marker | leg.payload_type,
            index & 0xFFFF,
            (timestamp + leg.timestamp_offset) & 0xFFFFFFFF,
            leg.ssrc,
        )
        if batch.plain:
            header = _pack_bare(BARE, *fixed)
        else:
            # Three bytes of padding take the place of the TWCC element. Every packet of the batch gets the
            # extension, so that the sizes of a run stay equal.
            header = (
                _pack_bare(EXTENDED, *fixed)
                + _pack_extension_header(ONE_BYTE_PROFILE, words)
                + b"\0\0\0"
                + tail
            )
        if encrypt is not None:
            append(header)
            append(encrypt((leg.iv_base ^ index).to_bytes(12, "big"), payload, header))
        else:
            assert leg.protect is not None
            append(leg.protect(header + payload))
    return index


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
