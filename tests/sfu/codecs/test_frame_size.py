"""How large pictures are, as recorded encoders tell it; and nothing where they do not."""

from __future__ import annotations

import pytest

from sfu.codecs import h265
from sfu.codecs.frame_size import UNKNOWN, FrameSize, size_test
from sfu.codecs.h264 import find_parameter_set
from sfu.codecs.vp9 import parse_descriptor
from sfu.forwarding.reading import Reading
from tests.vectors import rtp

SIZES = {
    "av1_l1t3": [(320, 180)],
    "av1_l2t2": [(480, 270)],
    "av1_l3t3_key": [(480, 270)],
    "av1_simulcast": [(320, 180), (640, 360)],
    "av1_svt": [(320, 180)],
    "h264_baseline": [(320, 192)],
    "h264_high": [(320, 192)],
    "h264_l1t3": [(320, 192)],
    "h265_l1t2": [(320, 184)],
    "h265_main": [(320, 184)],
    "h265_simulcast": [(160, 96), (320, 184)],
    "vp8_l1t3": [(320, 180)],
    "vp8_libvpx": [(320, 180)],
    "vp8_libvpx_l1t3": [(320, 180)],
    "vp8_simulcast": [(320, 180), (640, 360)],
    "vp9_groups_l1t3": [(320, 180)],
    "vp9_groups_l3t3": [(480, 270)],
    "vp9_l1t3": [(320, 180)],
    "vp9_l3t3": [(480, 270)],
    "vp9_simulcast": [(320, 180), (640, 360)],
}
"""By encoding. H.264 counts in blocks of 16, H.265 in blocks of 8 or more."""


def read_sizes(name: str, encoding: int) -> list[FrameSize]:
    """Every size there is, as it changes."""
    capture = rtp.read(name)
    reading, sizes = Reading(capture.mime), []
    packets = [one for one in capture.packets if one.encoding == encoding]
    for sequence, one in enumerate(packets):
        reading.read((sequence, 0x80 * one.marker, one.timestamp, 1, one.tail, one.payload))
        if sizes[-1:] != [reading.size]:
            sizes.append(reading.size)
    return sizes


@pytest.mark.parametrize("name", SIZES)
def test_every_codec_tells_the_size_in_its_key_frames(name: str) -> None:
    for encoding, size in enumerate(SIZES[name]):
        assert read_sizes(name, encoding) == [size]


def test_a_stream_that_gets_larger_or_smaller_tells_so() -> None:
    assert read_sizes("vp9_l3t3_key", 0) == [(480, 270), (960, 540)]
    assert read_sizes("h264_simulcast", 1) == [(640, 368), (480, 272)]


def first_key(name: str) -> rtp.Recorded:
    capture = rtp.read(name)
    test = size_test(capture.mime)
    return next(one for one in capture.packets if test(one.payload, None) != UNKNOWN)


def test_the_frames_of_vp9_tell_what_a_structure_leaves_out() -> None:
    """A client that leaves the sizes out of its scalability structure is measured all the same."""
    packet = first_key("vp9_groups_l1t3")
    payload = bytearray(packet.payload)
    assert payload[0] & 0x02
    payload[0] &= ~0x02
    # I, L and V: picture id of two bytes, layer and TL0PICIDX, then the structure, which is taken out.
    start = 1 + 2 + 2
    assert payload[start] & 0x10, "there were sizes"
    reading = size_test("video/VP9")(packet.payload, None)
    length = parse_descriptor(packet.payload).length
    without = bytes(payload[:start]) + packet.payload[length:]
    assert size_test("video/VP9")(without, None) == reading == (320, 180)


def test_a_parameter_set_is_found_alone_aggregated_and_in_fragments() -> None:
    unit = find_parameter_set(first_key("h264_high").payload)
    assert unit is not None
    aggregate = b"\x78\x00\x02\x09\xf0" + len(unit).to_bytes(2, "big") + unit + b"\x00\x02\x68\xce"
    fragment = bytes((unit[0] & 0x60 | 28, 0x80 | unit[0] & 0x1F)) + unit[1:20]
    for payload in (unit, aggregate, fragment):
        assert size_test("video/H264")(payload, None) == (320, 192), payload[:2].hex()
    assert size_test("video/H264")(fragment[:1] + b"\x07" + fragment[2:], None) == UNKNOWN, (
        "not its beginning"
    )


def test_bytes_that_keep_start_codes_away_are_left_out() -> None:
    """Level 0 in the bytes of the constraints makes two zeros, after which the encoder puts a 3."""
    unit = find_parameter_set(first_key("h264_baseline").payload)
    assert unit is not None
    escaped = bytes((unit[0], unit[1], 0, 0, 3)) + unit[4:]
    assert size_test("video/H264")(escaped, None) == (320, 192)


def h265_unit() -> bytes:
    unit = h265.find_parameter_set(first_key("h265_main").payload)
    assert unit is not None
    return unit


def test_a_parameter_set_of_h265_is_found_alone_aggregated_and_in_fragments() -> None:
    unit = h265_unit()
    aggregate = (
        b"\x60\x01\x00\x03\x46\x01\x10" + len(unit).to_bytes(2, "big") + unit + b"\x00\x03\x44\x01\xc1"
    )
    fragment = bytes((49 << 1, unit[1], 0x80 | h265.SPS)) + unit[2:30]
    for payload in (unit, aggregate, fragment):
        assert size_test("video/H265")(payload, None) == (320, 184), payload[:3].hex()
    inner = fragment[:2] + bytes((h265.SPS,)) + fragment[3:]
    assert size_test("video/H265")(inner, None) == UNKNOWN, "not its beginning"


def test_layers_of_h265_that_tell_of_themselves_stand_before_the_size() -> None:
    """As many of them as there may be, all of zeros, which an encoder has to keep apart."""
    unit = h265_unit().replace(b"\0\0\3", b"\0\0")
    head, general, rest = unit[:2], unit[3:15], unit[15:]
    layers = b"".join(b"\x00\x00\x03" * 6 for _ in range(6))
    every = head + bytes((unit[2] & 0xF1 | 6 << 1,)) + general + b"\xff\xf0" + layers + rest
    assert size_test("video/H265")(every, None) == (320, 184)
    levels = head + bytes((unit[2] & 0xF1 | 1 << 1,)) + general + b"\x40\x00" + b"\x5d" + rest
    assert size_test("video/H265")(levels, None) == (320, 184)


@pytest.mark.parametrize("name", ["vp8_libvpx", "vp9_l3t3", "h264_high", "h265_main", "av1_svt"])
def test_what_is_cut_short_has_no_size_or_the_right_one(name: str) -> None:
    capture, packet = rtp.read(name), first_key(name)
    test = size_test(capture.mime)
    whole = test(packet.payload, None)
    sizes = {test(packet.payload[:length], None) for length in range(80)}
    assert UNKNOWN in sizes
    assert sizes <= {UNKNOWN, whole}


def test_a_codec_that_is_not_known_has_no_sizes() -> None:
    assert size_test("audio/opus")(b"\xfc" + bytes(20), None) == UNKNOWN
    assert size_test("video/VP8")(b"", None) == UNKNOWN
