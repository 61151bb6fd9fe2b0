"""The VP9 payload descriptor (RFC 9628 section 4.2): what is needed to find key frames.

     +-+-+-+-+-+-+-+-+
     |I|P|L|F|B|E|V|Z|
     +-+-+-+-+-+-+-+-+
I:   |M| PICTURE ID  |   7 bits, or 15 with M
L:   | TID |U| SID |D|
     |   TL0PICIDX   |   non-flexible mode only
"""

from __future__ import annotations

from typing import NamedTuple

from sfu.errors import CodecError


class Vp9Descriptor(NamedTuple):
    predicted: bool
    starts_frame: bool
    ends_frame: bool
    picture_id: int | None
    temporal: int
    spatial: int
    """0 where the stream carries no layer indices."""
    switching_point: bool


def parse_descriptor(payload: bytes) -> Vp9Descriptor:
    """Raises `CodecError` when the payload is shorter than its descriptor says."""
    if not payload:
        raise CodecError("an empty VP9 payload")
    first = payload[0]
    position = 1
    picture_id: int | None = None
    temporal = spatial = 0
    switching = False
    try:
        if first & 0x80:
            picture_id = payload[position] & 0x7F
            if payload[position] & 0x80:
                position += 1
                picture_id = picture_id << 8 | payload[position]
            position += 1
        if first & 0x20:
            temporal = payload[position] >> 5
            switching = bool(payload[position] & 0x10)
            spatial = payload[position] >> 1 & 0x07
    except IndexError:
        raise CodecError("a VP9 descriptor is cut short") from None
    return Vp9Descriptor(
        bool(first & 0x40), bool(first & 0x08), bool(first & 0x04), picture_id, temporal, spatial, switching
    )


def starts_keyframe(payload: bytes) -> bool:
    """Start of a frame of the base spatial layer that predicts from no other picture."""
    if not payload or payload[0] & 0x48 != 0x08:
        return False
    try:
        return parse_descriptor(payload).spatial == 0
    except CodecError:
        return False
