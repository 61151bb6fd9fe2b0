"""One turn's packets of one encoding, prepared once for all receivers.

What `fanout` needs of a packet per receiver is computed here, when the batch is made: its header as a number,
its distance in sequence, the runs of equal size that one segmented send may carry, and, when the first
receiver asks, where its picture counters are.
"""

from __future__ import annotations

from collections.abc import Sequence

from sfu.codecs.counters import Counters
from sfu.forwarding.leg import (
    HEADER_WITH_TWCC,
    MARKER_SHIFT,
    ONE_BYTE,
    SEQUENCE_SHIFT,
    TIMESTAMP_SHIFT,
    WORDS_SHIFT,
    Leg,
    Shape,
)
from sfu.forwarding.numbers import DESCRIPTOR_ID, NO_NUMBERS, TAIL, Numbers
from sfu.rtp.extensions import narrow, renumber, renumber_wide
from sfu.webrtc.trains import MAX_SEGMENT_BYTES, MAX_SEGMENTS

Packet = tuple[int, int, int, int, bytes, bytes]
"""(extended sequence, marker bit 0 or 0x80, timestamp, extension words, extension tail, payload).

The tail is what follows the TWCC element: the forwarded extensions and padding. Of two-byte elements it may
be empty, of one-byte ones it has at least one byte.
"""

PLAIN_TAIL = b"\0"
"""Of a packet without forwarded extensions: the one padding byte."""
WIDE_PLAIN_TAIL = b""
"""The same in the two-byte form, which leaves no byte over."""


class Batch:
    """Packets of one encoding in ascending order, with what all legs share.

    `rows` has, for each packet, its header as a number minus the first packet's, its distance from the first
    in sequence, its extension tail and its payload; None where the timestamps are not in order.
    """

    __slots__ = (
        "counters",
        "first",
        "first_timestamp",
        "last_timestamp",
        "narrowed",
        "numbers",
        "octets",
        "packets",
        "plain",
        "renumberings",
        "rows",
        "runs",
        "shape",
        "sizes",
        "span",
        "timestamp_span",
    )

    def __init__(
        self, packets: Sequence[Packet], shape: Shape = ONE_BYTE, numbers: Numbers = NO_NUMBERS
    ) -> None:
        self.packets = packets
        self.shape = shape
        self.numbers = numbers
        self.narrowed: Batch | None = None
        self.counters: list[Counters | None] | None = None
        self.renumberings: dict[bytes, Sequence[Packet]] | None = None
        bare = PLAIN_TAIL if shape is ONE_BYTE else WIDE_PLAIN_TAIL
        self.first = packets[0][0]
        self.span = packets[-1][0] - self.first
        self.first_timestamp = packets[0][2]
        self.last_timestamp = packets[-1][2]
        self.timestamp_span = self.last_timestamp - self.first_timestamp
        self.plain = True
        self.octets = 0
        self.sizes: list[int] = []
        """Bytes of tail and payload of each, which a leg's `overhead` comes on top of; never changed."""
        self.rows = self._prepare_rows(bare)
        self.runs = [(0, 1, self.sizes[0])] if len(packets) == 1 else self._find_runs()
        """(first, end, bytes of tail and payload) of packets that fit one segmented send."""

    @property
    def largest(self) -> int:
        """Bytes of extension tail and payload of the longest packet."""
        return max(len(packet[5]) + len(packet[4]) for packet in self.packets)

    def moved_for(self, leg: Leg) -> list[tuple[bytes, bytes]]:
        """(tail, payload) of each packet for a leg that crossed a seam: with their picture counters moved.

        The descriptors are read once for all legs, and the packets of one frame share what is put in.
        """
        if self.counters is None:
            self.counters = _counters_of(self.packets, self.numbers)
        moved: list[tuple[bytes, bytes]] = []
        in_tail = self.numbers.field == TAIL
        previous = fields = None
        for packet, counters in zip(self.packets, self.counters, strict=True):
            tail, payload = packet[4], packet[5]
            if counters is not None:
                if counters is not previous:
                    fields = counters.moved(leg.picture_offset, leg.tl0_offset)
                    previous = counters
                assert fields is not None
                if in_tail:
                    tail = tail[: counters.start] + fields + tail[counters.end :]
                else:
                    payload = payload[: counters.start] + fields + payload[counters.end :]
            moved.append((tail, payload))
        return moved

    def narrow(self) -> Batch:
        """The batch for receivers of one-byte elements: without the dependency descriptor."""
        if self.narrowed is None:
            self.narrowed = Batch([_narrow(packet) for packet in self.packets], ONE_BYTE)
        return self.narrowed

    def renumbered(self, numbering: bytes) -> Sequence[Packet]:
        """The packets with their extensions under a receiver's own ids, made once for all that agree."""
        if self.plain:
            return self.packets
        if self.renumberings is None:
            self.renumberings = {}
        packets = self.renumberings.get(numbering)
        if packets is None:
            change = renumber if self.shape is ONE_BYTE else renumber_wide
            packets = [(*packet[:4], change(packet[4], numbering), packet[5]) for packet in self.packets]
            self.renumberings[numbering] = packets
        return packets

    def _prepare_rows(self, bare: bytes) -> list[tuple[int, int, bytes, bytes]] | None:
        """All that is asked of each packet, in one loop."""
        rows: list[tuple[int, int, bytes, bytes]] = []
        ordered = True
        first, first_timestamp = self.first, self.first_timestamp
        timestamp_before = first_timestamp
        number_shift = self.shape.transport_sequence_shift
        counted = HEADER_WITH_TWCC - self.shape.head
        sizes, octets = self.sizes, 0
        for number, (sequence, marker, timestamp, words, tail, payload) in enumerate(self.packets):
            length = len(payload)
            octets += length
            if tail is not bare:
                self.plain = False
            sizes.append(length + len(tail) - counted)
            if timestamp < timestamp_before:
                ordered = False
            timestamp_before = timestamp
            distance = sequence - first
            if ordered:
                difference = (
                    marker << MARKER_SHIFT
                    | distance << SEQUENCE_SHIFT
                    | (timestamp - first_timestamp) << TIMESTAMP_SHIFT
                    | words - 1 << WORDS_SHIFT
                    | number << number_shift
                )
                rows.append((difference, distance, tail, payload))
        self.octets = octets
        return rows if ordered else None

    def _find_runs(self) -> list[tuple[int, int, int]]:
        """Packets of one size make a run; a shorter one may end it."""
        runs = []
        start, size, last = 0, -1, 0
        for position, length in enumerate(self.sizes):
            if size >= 0 and (
                length > size
                or last < size
                or position - start >= MAX_SEGMENTS
                or (position - start + 1) * (size + 64) > MAX_SEGMENT_BYTES
            ):
                runs.append((start, position, size))
                start, size = position, -1
            if size < 0:
                size = length
            last = length
        runs.append((start, len(self.packets), size))
        return runs


def narrowed_tail(tail: bytes) -> tuple[int, bytes]:
    """(words, tail) of a two-byte tail in the one-byte form."""
    return padded(narrow(tail, DESCRIPTOR_ID))


def padded(elements: bytes) -> tuple[int, bytes]:
    """(words, tail) of one-byte elements: with the three bytes of the TWCC element in front, whole words."""
    if not elements:
        return 1, PLAIN_TAIL
    elements += bytes(-(len(elements) + 3) % 4)
    return (len(elements) + 3) // 4, elements


def _narrow(packet: Packet) -> Packet:
    return (*packet[:3], *narrowed_tail(packet[4]), packet[5])


def _counters_of(packets: Sequence[Packet], numbers: Numbers) -> list[Counters | None]:
    """Equal ones of neighbours are one object, so that a glance tells that a frame goes on."""
    found: list[Counters | None] = []
    previous: Counters | None = None
    for packet in packets:
        data = packet[4] if numbers.field == TAIL else packet[5]
        counters = numbers.find(data)
        if counters == previous:
            counters = previous
        found.append(counters)
        previous = counters
    return found
