"""How large the pictures of a stream are, where the first packets of a key frame say it.

VP8 says it in the key frame's header (RFC 6386, 9.1), VP9 in its scalability structure and in the headers of
the frames, H.264 and H.265 in the sequence parameter set (7.3.2.1.1; 7.3.2.2), AV1 in the dependency
descriptor and in the sequence header (5.5.1). Anything else, and whatever cannot be read, has no size that is
known.

Looked at are the packets in which a layer frame of a key picture begins; pure, and never called for others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sfu.codecs import dependency, h264, h265, vp8, vp9
from sfu.codecs.bits import BitReader
from sfu.errors import CodecError


class FrameSize(NamedTuple):
    """In pixels, as it is coded."""

    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height


UNKNOWN: Final = FrameSize(0, 0)
HEADER_BYTES: Final = 64
"""Of a frame that are looked at; every field in question stands in front of that."""

SizeTest = Callable[[bytes, bytes | None], FrameSize]


def size_test(mime: str) -> SizeTest:
    """The reader for a codec: the largest picture that a payload and its dependency descriptor tell of."""
    found = _TESTS.get(mime.lower())
    return _unknown if found is None else found


def _unknown(_payload: bytes, _descriptor: bytes | None) -> FrameSize:
    return UNKNOWN


def _vp8(payload: bytes, _descriptor: bytes | None) -> FrameSize:
    try:
        start = vp8.parse_descriptor(payload).length
    except CodecError:
        return UNKNOWN
    frame = payload[start : start + 10]
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return UNKNOWN
    return FrameSize((frame[7] << 8 | frame[6]) & 0x3FFF, (frame[9] << 8 | frame[8]) & 0x3FFF)


def _vp9(payload: bytes, _descriptor: bytes | None) -> FrameSize:
    try:
        descriptor = vp9.parse_descriptor(payload)
    except CodecError:
        return UNKNOWN
    told = descriptor.scalability.sizes if descriptor.scalability is not None else ()
    coded = UNKNOWN
    if descriptor.starts_frame:
        try:
            coded = _vp9_header(BitReader(payload[descriptor.length : descriptor.length + HEADER_BYTES]))
        except CodecError:
            coded = UNKNOWN
    return max((coded, *(FrameSize(*one) for one in told)), key=lambda one: one.area)


def _vp9_header(bits: BitReader) -> FrameSize:
    """The uncompressed header, as far as the size (VP9 bitstream specification, 6.2)."""
    if bits.read(2) != 2:
        return UNKNOWN
    profile = bits.read(1) | bits.read(1) << 1
    if profile == 3:
        bits.skip(1)
    if bits.read(1):  # shows a frame that was decoded before
        return UNKNOWN
    inter, shown, resilient = bits.read(1), bits.read(1), bits.read(1)
    if not inter:
        bits.skip(24)
        _skip_vp9_colours(bits, profile)
        return _vp9_size(bits)
    intra_only = 0 if shown else bits.read(1)
    if not resilient:
        bits.skip(2)
    if intra_only:
        bits.skip(24)
        if profile > 0:
            _skip_vp9_colours(bits, profile)
        bits.skip(8)
        return _vp9_size(bits)
    bits.skip(8 + 3 * 4)
    if any(bits.read(1) for _ in range(3)):  # as large as one of those it refers to
        return UNKNOWN
    return _vp9_size(bits)


def _skip_vp9_colours(bits: BitReader, profile: int) -> None:
    if profile >= 2:
        bits.skip(1)
    subsampled = profile in (1, 3)
    if bits.read(3) == 7:
        bits.skip(1 if subsampled else 0)
    else:
        bits.skip(4 if subsampled else 1)


def _vp9_size(bits: BitReader) -> FrameSize:
    return FrameSize(bits.read(16) + 1, bits.read(16) + 1)


def _h264(payload: bytes, _descriptor: bytes | None) -> FrameSize:
    unit = h264.find_parameter_set(payload)
    if unit is None:
        return UNKNOWN
    try:
        return _sequence_parameters(BitReader(_without_emulation(unit[1:HEADER_BYTES])))
    except CodecError:
        return UNKNOWN


_WITH_CHROMA: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""profile_idc of those whose parameter set tells of chroma and scaling."""


def _sequence_parameters(bits: BitReader) -> FrameSize:
    profile = bits.read(8)
    bits.skip(16)
    bits.read_golomb()
    if profile in _WITH_CHROMA:
        _skip_h264_chroma(bits)
    bits.read_golomb()
    order = bits.read_golomb()
    if order == 0:
        bits.read_golomb()
    elif order == 1:
        bits.skip(1)
        bits.read_golomb(), bits.read_golomb()
        for _ in range(min(bits.read_golomb(), 256)):
            bits.read_golomb()
    bits.read_golomb()
    bits.skip(1)
    width, height = bits.read_golomb() + 1, bits.read_golomb() + 1
    frames_only = bits.read(1)
    return FrameSize(16 * width, 16 * height * (2 - frames_only))


def _skip_h264_chroma(bits: BitReader) -> None:
    chroma = bits.read_golomb()
    if chroma == 3:
        bits.skip(1)
    bits.read_golomb(), bits.read_golomb()
    bits.skip(1)
    if bits.read(1):
        for number in range(8 if chroma != 3 else 12):
            if bits.read(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = scale = 8
    for _ in range(size):
        if scale:
            scale = (last + bits.read_signed_golomb()) % 256
        last = scale or last


def _without_emulation(unit: bytes) -> bytes:
    """Without the bytes that keep a start code from appearing inside (H.264, 7.4.1.1; H.265, 7.4.2.1)."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


H265_BYTES: Final = 192
"""Of a parameter set that are looked at: in front of the size six temporal layers may tell of themselves."""
_PROFILE_BITS, _LEVEL_BITS = 88, 8
"""Of every layer that tells (H.265, 7.3.3)."""


def _h265(payload: bytes, _descriptor: bytes | None) -> FrameSize:
    unit = h265.find_parameter_set(payload)
    if unit is None:
        return UNKNOWN
    try:
        return _h265_sequence(BitReader(_without_emulation(unit[h265.NAL_HEADER : H265_BYTES])))
    except CodecError:
        return UNKNOWN


def _h265_sequence(bits: BitReader) -> FrameSize:
    bits.skip(4)
    above = bits.read(3)
    bits.skip(1 + _PROFILE_BITS + _LEVEL_BITS)
    told = [(bits.read(1), bits.read(1)) for _ in range(above)]
    if above:
        bits.skip(2 * (8 - above))
    for profile, level in told:
        bits.skip(profile * _PROFILE_BITS + level * _LEVEL_BITS)
    bits.read_golomb()
    if bits.read_golomb() == 3:
        bits.skip(1)
    return FrameSize(bits.read_golomb(), bits.read_golomb())


def _av1(payload: bytes, descriptor: bytes | None) -> FrameSize:
    """The descriptor tells how large the layers are, the sequence header how large they may become."""
    if descriptor is not None:
        try:
            structure = dependency.parse_descriptor(descriptor, None).structure
        except CodecError:
            structure = None
        if structure is not None and structure.resolutions:
            return max((FrameSize(*one) for one in structure.resolutions), key=lambda one: one.area)
    try:
        return _av1_sequence(payload)
    except CodecError:
        return UNKNOWN


_SEQUENCE_HEADER, _TEMPORAL_DELIMITER = 1, 2
MAX_OBUS: Final = 8
"""Looked through for a sequence header; it comes first, or after a temporal delimiter."""


def _av1_sequence(payload: bytes) -> FrameSize:
    """From the aggregation header on (AV1 RTP specification, 4.4)."""
    if not payload or payload[0] & 0x80:
        return UNKNOWN
    count = payload[0] >> 4 & 3
    position = 1
    for number in range(1, MAX_OBUS + 1):
        if position >= len(payload):
            return UNKNOWN
        length = len(payload) - position
        if number != count:
            length, position = _leb128(payload, position)
        obu = payload[position : min(position + length, position + HEADER_BYTES)]
        position += length
        kind = obu[0] >> 3 & 0x0F if obu else 0
        if kind == _SEQUENCE_HEADER:
            start = 2 if obu[0] & 0x04 else 1
            if obu[0] & 0x02:
                _, start = _leb128(obu, start)
            return _sequence_header(BitReader(obu[start:]))
        if kind != _TEMPORAL_DELIMITER:
            return UNKNOWN
    return UNKNOWN


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
    raise CodecError("the length of an OBU is cut short")


def _sequence_header(bits: BitReader) -> FrameSize:
    """As far as the size (AV1 bitstream specification, 5.5.1)."""
    bits.skip(3 + 1)
    if bits.read(1):  # reduced_still_picture_header
        bits.skip(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    return FrameSize(bits.read(width_bits) + 1, bits.read(height_bits) + 1)


def _skip_operating_points(bits: BitReader) -> None:
    delay_bits = has_model = 0
    if bits.read(1):  # timing_info
        bits.skip(64)
        if bits.read(1):
            _skip_uvlc(bits)
        has_model = bits.read(1)
        if has_model:
            delay_bits = bits.read(5) + 1
            bits.skip(32 + 5 + 5)
    has_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.skip(12)
        if bits.read(5) > 7:
            bits.skip(1)
        if has_model and bits.read(1):
            bits.skip(2 * delay_bits + 1)
        if has_delay and bits.read(1):
            bits.skip(4)


def _skip_uvlc(bits: BitReader) -> None:
    zeros = 0
    while not bits.read(1):
        zeros += 1
    if zeros < 32:
        bits.skip(zeros)


_TESTS: Final[dict[str, SizeTest]] = {
    "video/vp8": _vp8,
    "video/vp9": _vp9,
    "video/h264": _h264,
    "video/h265": _h265,
    "video/av1": _av1,
}
