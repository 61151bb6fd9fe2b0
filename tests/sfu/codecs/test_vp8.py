"""The VP8 payload descriptor: read as RFC 7741 draws it, rewritten in place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.codecs import vp8
from sfu.errors import CodecError


def rewrite(payload: bytes, picture_offset: int, tl0_offset: int) -> bytes:
    counters = vp8.find_counters(payload)
    return payload if counters is None else counters.rewrite(payload, picture_offset, tl0_offset)


KEYFRAME_15_BIT = bytes((0x90, 0xE0, 0x81, 0x23, 0x45, 0x20)) + b"\x10\x02\x00\x9d\x01\x2a"
INTERFRAME_7_BIT = bytes((0x90, 0xC0, 0x12, 0x07)) + b"\x11\x02"


def test_a_fifteen_bit_picture_id_and_layer_fields_are_read() -> None:
    descriptor = vp8.parse_descriptor(KEYFRAME_15_BIT)
    assert descriptor.picture_id == 0x123
    assert descriptor.picture_id_bits == 15
    assert descriptor.tl0 == 0x45
    assert descriptor.temporal == 0
    assert descriptor.length == 6
    assert descriptor.starts_frame


def test_layer_sync_and_the_key_index_are_read() -> None:
    descriptor = vp8.parse_descriptor(bytes((0x90, 0x30, 0x40 | 0x20 | 0x11)) + b"\x11")
    assert (descriptor.temporal, descriptor.layer_sync, descriptor.keyidx) == (1, True, 0x11)
    without = vp8.parse_descriptor(bytes((0x90, 0x20, 0x80)) + b"\x11")
    assert (without.temporal, without.layer_sync, without.keyidx) == (2, False, None)


def test_a_seven_bit_picture_id_is_read() -> None:
    descriptor = vp8.parse_descriptor(INTERFRAME_7_BIT)
    assert (descriptor.picture_id, descriptor.picture_id_bits, descriptor.tl0) == (0x12, 7, 7)


def test_only_the_first_packet_of_a_key_frame_starts_one() -> None:
    assert vp8.starts_keyframe(KEYFRAME_15_BIT)
    assert not vp8.starts_keyframe(INTERFRAME_7_BIT)
    continuation = bytes((KEYFRAME_15_BIT[0] & ~0x10,)) + KEYFRAME_15_BIT[1:]
    assert not vp8.starts_keyframe(continuation)
    second_partition = bytes((KEYFRAME_15_BIT[0] | 0x01,)) + KEYFRAME_15_BIT[1:]
    assert not vp8.starts_keyframe(second_partition)


@pytest.mark.parametrize("length", range(4))
def test_a_descriptor_cut_short_is_named_so(length: int) -> None:
    with pytest.raises(CodecError):
        vp8.parse_descriptor(KEYFRAME_15_BIT[:length])


def test_rewriting_moves_both_counters_modulo_their_width() -> None:
    moved = vp8.parse_descriptor(rewrite(KEYFRAME_15_BIT, 0x7FFF - 0x123 + 2, 256 - 0x45 + 3))
    assert moved.picture_id == 1
    assert moved.tl0 == 3
    assert rewrite(KEYFRAME_15_BIT, 5, 5)[6:] == KEYFRAME_15_BIT[6:]


@given(st.binary(max_size=64), st.integers(-70000, 70000), st.integers(-300, 300))
def test_hostile_payloads_raise_nothing_but_codec_errors(payload: bytes, pictures: int, tl0: int) -> None:
    try:
        vp8.parse_descriptor(payload)
    except CodecError:
        pass
    vp8.starts_keyframe(payload)
    assert len(rewrite(payload, pictures, tl0)) == len(payload)


@given(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(-70000, 70000), st.integers(-300, 300))
def test_rewriting_back_gives_the_payload_again(picture: int, tl0: int, by: int, tl0_by: int) -> None:
    payload = bytes((0x90, 0xE0, 0x80 | picture >> 8, picture & 0xFF, tl0, 0x20)) + b"\x10abc"
    assert rewrite(rewrite(payload, by, tl0_by), -by, -tl0_by) == payload
