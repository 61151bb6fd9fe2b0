"""The VP8 payload descriptor (RFC 7741 section 4.2) and its rewriting.

       0 1 2 3 4 5 6 7
      +-+-+-+-+-+-+-+-+
      |X|R|N|S|R| PID |
      +-+-+-+-+-+-+-+-+
 X:   |I|L|T|K| RSV   |
 I:   |M| PictureID   |   7 bits, or 15 with M
      |   PictureID   |
 L:   |   TL0PICIDX   |
 T/K: |TID|Y| KEYIDX  |
      +-+-+-+-+-+-+-+-+

After a switch between simulcast encodings the picture id and TL0PICIDX go on where the old encoding stopped;
only then is a payload copied.
"""

from __future__ import annotations

from typing import NamedTuple

from sfu.codecs.counters import Counters
from sfu.errors import CodecError


class Vp8Descriptor(NamedTuple):
    """What the descriptor says and where it says it. Offsets are -1, values None, for absent fields."""

    start_of_partition: bool
    partition: int
    picture_id: int | None
    picture_id_bits: int
    picture_id_offset: int
    tl0: int | None
    tl0_offset: int
    temporal: int | None
    layer_sync: bool
    """Y: this frame depends only on the base layer's frame of the same TL0PICIDX."""
    keyidx: int | None
    length: int

    @property
    def starts_frame(self) -> bool:
        return self.start_of_partition and self.partition == 0


def parse_descriptor(payload: bytes) -> Vp8Descriptor:
    """Raises `CodecError` when the payload is shorter than its descriptor says."""
    try:
        return _parse(payload)
    except IndexError:
        raise CodecError("a VP8 descriptor is cut short") from None


def _parse(payload: bytes) -> Vp8Descriptor:
    first = payload[0]
    position = 1
    picture_id: int | None = None
    bits = 0
    picture_offset = tl0_offset = -1
    tl0: int | None = None
    temporal: int | None = None
    keyidx: int | None = None
    layer_sync = False
    if first & 0x80:
        extension = payload[1]
        position = 2
        if extension & 0x80:
            picture_offset = position
            picture_id = payload[position] & 0x7F
            bits = 7
            if payload[position] & 0x80:
                position += 1
                picture_id = picture_id << 8 | payload[position]
                bits = 15
            position += 1
        if extension & 0x40:
            tl0_offset = position
            tl0 = payload[position]
            position += 1
        if extension & 0x30:
            layers = payload[position]
            if extension & 0x20:
                temporal = layers >> 6
                layer_sync = bool(layers & 0x20)
            if extension & 0x10:
                keyidx = layers & 0x1F
            position += 1
    return Vp8Descriptor(
        bool(first & 0x10),
        first & 0x07,
        picture_id,
        bits,
        picture_offset,
        tl0,
        tl0_offset,
        temporal,
        layer_sync,
        keyidx,
        position,
    )


def starts_keyframe(payload: bytes) -> bool:
    """Whether this packet begins a key frame: start of partition 0 with the P bit clear (section 4.3)."""
    if not payload or payload[0] & 0x17 != 0x10:
        return False
    try:
        length = parse_descriptor(payload).length
    except CodecError:
        return False
    return len(payload) > length and not payload[length] & 0x01


def find_counters(payload: bytes) -> Counters | None:
    """None for a payload that cannot be read or has no picture id."""
    try:
        descriptor = parse_descriptor(payload)
    except CodecError:
        return None
    if descriptor.picture_id is None:
        return None
    start = descriptor.picture_id_offset
    end = start + (2 if descriptor.picture_id_bits == 15 else 1) + (descriptor.tl0 is not None)
    return Counters(start, end, descriptor.picture_id, descriptor.picture_id_bits, b"", descriptor.tl0)
