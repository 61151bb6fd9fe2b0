"""The VP9 payload descriptor (RFC 9628 section 4.2).

      0 1 2 3 4 5 6 7
     +-+-+-+-+-+-+-+-+
     |I|P|L|F|B|E|V|Z|
     +-+-+-+-+-+-+-+-+
I:   |M| PICTURE ID  |   7 bits, or 15 with M
     |  PICTURE ID   |
L:   | TID |U| SID |D|
     |   TL0PICIDX   |   non-flexible mode (F = 0) only
P,F: | P_DIFF      |N|   up to three times, while N says that another one follows
V:   | N_S |Y|G|-|-|-|
Y:   |     WIDTH     |   16 bits, N_S + 1 times: width and height of each spatial layer
     |    HEIGHT     |
G:   |      N_G      |   pictures in a group
N_G: | TID |U| R |-|-|   and for each of them R times:
     |    P_DIFF     |
     +-+-+-+-+-+-+-+-+

A *picture* is all there is of one moment; it has one layer frame for each spatial layer.
"""

from __future__ import annotations

from typing import NamedTuple

from sfu.codecs.counters import Counters
from sfu.errors import CodecError

MAX_REFERENCES = 3


class GroupPicture(NamedTuple):
    """One picture of a repeating group: its layer, whether one may switch up at it, what it refers to."""

    temporal: int
    switching_point: bool
    differences: tuple[int, ...]


class Scalability(NamedTuple):
    """The scalability structure: `sizes` are (width, height) by spatial layer, empty where not told."""

    spatial_layers: int
    sizes: tuple[tuple[int, int], ...]
    group: tuple[GroupPicture, ...]


class Vp9Descriptor(NamedTuple):
    """What the descriptor says; offsets are -1, values None, for absent fields."""

    predicted: bool
    """P: this layer frame refers to an earlier picture."""
    flexible: bool
    starts_frame: bool
    ends_frame: bool
    no_upper_reference: bool
    """Z: the frames of higher spatial layers of this and following pictures do not refer to this one."""
    picture_id: int | None
    picture_id_bits: int
    picture_id_offset: int
    has_layers: bool
    temporal: int
    spatial: int
    """0, as `temporal`, where the stream carries no layer indices."""
    switching_point: bool
    """U: higher temporal layers refer to nothing of theirs before this picture."""
    depends_on_lower: bool
    """D: this layer frame refers to the lower spatial layer of its own picture."""
    tl0: int | None
    tl0_offset: int
    differences: tuple[int, ...]
    """P_DIFF: how many pictures back are those it refers to; flexible mode only."""
    scalability: Scalability | None
    length: int


def parse_descriptor(payload: bytes) -> Vp9Descriptor:
    """Raises `CodecError` when the payload is shorter than its descriptor says."""
    try:
        return _parse(payload)
    except IndexError:
        raise CodecError("a VP9 descriptor is cut short") from None


def _parse(payload: bytes) -> Vp9Descriptor:
    first = payload[0]
    flexible = bool(first & 0x10)
    position = 1
    picture_id: int | None = None
    bits = 0
    picture_offset = tl0_offset = -1
    temporal = spatial = 0
    switching = depends = False
    tl0: int | None = None
    differences: tuple[int, ...] = ()
    structure: Scalability | None = None
    if first & 0x80:
        picture_offset = position
        picture_id = payload[position] & 0x7F
        bits = 7
        if payload[position] & 0x80:
            position += 1
            picture_id = picture_id << 8 | payload[position]
            bits = 15
        position += 1
    if first & 0x20:
        layers = payload[position]
        temporal, switching = layers >> 5, bool(layers & 0x10)
        spatial, depends = layers >> 1 & 0x07, bool(layers & 0x01)
        position += 1
        if not flexible:
            tl0_offset = position
            tl0 = payload[position]
            position += 1
    if flexible and first & 0x40:
        differences, position = _parse_references(payload, position)
    if first & 0x02:
        structure, position = _parse_structure(payload, position)
    return Vp9Descriptor(
        bool(first & 0x40),
        flexible,
        bool(first & 0x08),
        bool(first & 0x04),
        bool(first & 0x01),
        picture_id,
        bits,
        picture_offset,
        bool(first & 0x20),
        temporal,
        spatial,
        switching,
        depends,
        tl0,
        tl0_offset,
        differences,
        structure,
        position,
    )


def _parse_references(payload: bytes, position: int) -> tuple[tuple[int, ...], int]:
    differences: list[int] = []
    more = True
    while more:
        if len(differences) == MAX_REFERENCES:
            raise CodecError("a VP9 frame refers to more than three others")
        differences.append(payload[position] >> 1)
        more = bool(payload[position] & 0x01)
        position += 1
    return tuple(differences), position


def _parse_structure(payload: bytes, position: int) -> tuple[Scalability, int]:
    head = payload[position]
    position += 1
    layers = (head >> 5) + 1
    sizes: list[tuple[int, int]] = []
    if head & 0x10:
        for _ in range(layers):
            width = payload[position] << 8 | payload[position + 1]
            sizes.append((width, payload[position + 2] << 8 | payload[position + 3]))
            position += 4
    group: list[GroupPicture] = []
    if head & 0x08:
        count = payload[position]
        position += 1
        for _ in range(count):
            byte = payload[position]
            end = position + 1 + (byte >> 2 & 0x03)
            if end > len(payload):
                raise CodecError("the pictures of a VP9 group are cut short")
            group.append(GroupPicture(byte >> 5, bool(byte & 0x10), tuple(payload[position + 1 : end])))
            position = end
    return Scalability(layers, tuple(sizes), tuple(group)), position


def starts_keyframe(payload: bytes) -> bool:
    """Start of a frame of the base spatial layer that refers to no other picture."""
    if not payload or payload[0] & 0x48 != 0x08:
        return False
    try:
        return parse_descriptor(payload).spatial == 0
    except CodecError:
        return False


def find_counters(payload: bytes) -> Counters | None:
    """None for a payload that cannot be read or has no picture id."""
    try:
        descriptor = parse_descriptor(payload)
    except CodecError:
        return None
    if descriptor.picture_id is None:
        return None
    start = descriptor.picture_id_offset
    after = start + (2 if descriptor.picture_id_bits == 15 else 1)
    end, between = after, b""
    if descriptor.tl0 is not None:
        end, between = descriptor.tl0_offset + 1, payload[after : descriptor.tl0_offset]
    return Counters(start, end, descriptor.picture_id, descriptor.picture_id_bits, between, descriptor.tl0)
