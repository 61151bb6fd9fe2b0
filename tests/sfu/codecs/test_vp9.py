"""The VP9 payload descriptor, read as RFC 9628 draws it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.codecs import vp9
from sfu.errors import CodecError

KEY_WITH_STRUCTURE = bytes(
    (
        *(0b10101010, 0x81, 0x23, 0b000_1_000_0, 0x44),
        # Three spatial layers with their sizes, and a group of four pictures.
        *(0b010_1_1_000, 0, 160, 0, 90, 1, 64, 0, 180, 2, 128, 1, 104),
        *(4, 0b000_1_01_00, 4, 0b010_1_01_00, 1, 0b001_1_01_00, 2, 0b010_0_10_00, 1, 2),
    )
)
FLEXIBLE = bytes((0b11111100, 0x81, 0x23, 0b001_1_010_1, 3 << 1 | 1, 5 << 1))


def test_the_whole_structure_of_a_key_picture_is_read() -> None:
    descriptor = vp9.parse_descriptor(KEY_WITH_STRUCTURE + b"frame")
    assert (descriptor.picture_id, descriptor.picture_id_bits, descriptor.tl0) == (0x123, 15, 0x44)
    assert descriptor.length == len(KEY_WITH_STRUCTURE)
    assert not descriptor.predicted and not descriptor.flexible and descriptor.starts_frame
    structure = descriptor.scalability
    assert structure is not None
    assert structure.spatial_layers == 3
    assert structure.sizes == ((160, 90), (320, 180), (640, 360))
    assert [(one.temporal, one.switching_point, one.differences) for one in structure.group] == [
        (0, True, (4,)),
        (2, True, (1,)),
        (1, True, (2,)),
        (2, False, (1, 2)),
    ]


def test_references_of_the_flexible_mode_are_read() -> None:
    descriptor = vp9.parse_descriptor(FLEXIBLE + b"frame")
    assert descriptor.flexible and descriptor.predicted and descriptor.ends_frame
    assert (descriptor.temporal, descriptor.spatial) == (1, 2)
    assert descriptor.switching_point and descriptor.depends_on_lower
    assert descriptor.tl0 is None
    assert descriptor.differences == (3, 5)
    assert descriptor.length == len(FLEXIBLE)


@pytest.mark.parametrize("whole", [KEY_WITH_STRUCTURE, FLEXIBLE])
def test_a_descriptor_cut_short_anywhere_is_named_so(whole: bytes) -> None:
    for length in range(len(whole)):
        with pytest.raises(CodecError):
            vp9.parse_descriptor(whole[:length])


def test_a_frame_refers_to_three_others_at_most() -> None:
    with pytest.raises(CodecError):
        vp9.parse_descriptor(bytes((0b01010000, 3, 5, 7, 9, 0)))


def test_counters_are_moved_around_what_stands_between_them() -> None:
    counters = vp9.find_counters(KEY_WITH_STRUCTURE)
    assert counters is not None
    moved = counters.rewrite(KEY_WITH_STRUCTURE, 0x7FFF - 0x123 + 2, 256 - 0x44 + 3)
    descriptor = vp9.parse_descriptor(moved)
    assert (descriptor.picture_id, descriptor.tl0) == (1, 3)
    assert moved[3] == KEY_WITH_STRUCTURE[3] and moved[5:] == KEY_WITH_STRUCTURE[5:]
    flexible = vp9.find_counters(FLEXIBLE)
    assert flexible is not None and flexible.tl0 is None
    assert vp9.parse_descriptor(flexible.rewrite(FLEXIBLE, 1, 1))[:17][5] == 0x124


@given(st.binary(max_size=64), st.integers(-70000, 70000), st.integers(-300, 300))
def test_hostile_payloads_raise_nothing_but_codec_errors(payload: bytes, pictures: int, tl0: int) -> None:
    try:
        vp9.parse_descriptor(payload)
    except CodecError:
        pass
    counters = vp9.find_counters(payload)
    if counters is not None:
        assert len(counters.rewrite(payload, pictures, tl0)) == len(payload)
