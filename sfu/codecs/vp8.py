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
    length: int

    @property
    def starts_frame(self) -> bool:
        return self.start_of_partition and self.partition == 0


def parse_descriptor(payload: bytes) -> Vp8Descriptor:
    """Raises `CodecError` when the payload is shorter than its descriptor says."""
    size = len(payload)
    if size < 1:
        raise CodecError("an empty VP8 payload")
    first = payload[0]
    position = 1
    picture_id: int | None = None
    bits = 0
    picture_offset = tl0_offset = -1
    tl0: int | None = None
    temporal: int | None = None
    if first & 0x80:
        if size < 2:
            raise CodecError("a VP8 descriptor ends before its extension byte")
        extension = payload[1]
        position = 2
        needed = 2 + bool(extension & 0x80) + bool(extension & 0x40) + bool(extension & 0x30)
        if size < needed:
            raise CodecError("a VP8 descriptor is cut short")
        if extension & 0x80:
            picture_offset = position
            picture_id = payload[position] & 0x7F
            bits = 7
            if payload[position] & 0x80:
                if size < needed + 1:
                    raise CodecError("a VP8 picture id is cut short")
                position += 1
                picture_id = picture_id << 8 | payload[position]
                bits = 15
            position += 1
        if extension & 0x40:
            tl0_offset = position
            tl0 = payload[position]
            position += 1
        if extension & 0x30:
            if extension & 0x20:
                temporal = payload[position] >> 6
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


class Counters(NamedTuple):
    """Where a payload's picture id and TL0PICIDX are, `payload[start:end]`, and what they say."""

    start: int
    end: int
    picture_id: int
    picture_id_bits: int
    tl0: int | None

    def moved(self, picture_offset: int, tl0_offset: int) -> bytes:
        """The bytes to put there instead, moved by these offsets modulo their widths."""
        if self.picture_id_bits == 15:
            value, size = 0x8000 | (self.picture_id + picture_offset) & 0x7FFF, 2
        else:
            value, size = (self.picture_id + picture_offset) & 0x7F, 1
        if self.tl0 is not None:
            value, size = value << 8 | (self.tl0 + tl0_offset) & 0xFF, size + 1
        return value.to_bytes(size, "big")


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
    return Counters(start, end, descriptor.picture_id, descriptor.picture_id_bits, descriptor.tl0)


def rewrite(payload: bytes, picture_offset: int, tl0_offset: int) -> bytes:
    """The payload with its picture id and TL0PICIDX moved by these offsets; itself where it has none."""
    counters = find_counters(payload)
    if counters is None:
        return payload
    return payload[: counters.start] + counters.moved(picture_offset, tl0_offset) + payload[counters.end :]
