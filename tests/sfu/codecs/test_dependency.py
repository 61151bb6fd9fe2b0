"""The dependency descriptor, read bit by bit as the AV1 RTP specification draws it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.codecs import dependency
from sfu.codecs.dependency import Structure
from sfu.errors import CodecError
from tests.sfu.codecs.descriptors import L1T3, L2T1_KEY, build

STRUCTURES = (L1T3, L2T1_KEY)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_structure_is_read_as_it_was_written(structure: Structure) -> None:
    descriptor = dependency.parse_descriptor(
        build(structure.id_offset, 0x1234, ends=False, structure=structure), None
    )
    assert descriptor.structure == structure
    assert (descriptor.starts_frame, descriptor.ends_frame, descriptor.number) == (True, False, 0x1234)
    assert descriptor.active == (1 << len(structure.targets)) - 1
    assert descriptor.frame == structure.templates[0]


def test_a_frame_without_more_is_its_template() -> None:
    descriptor = dependency.parse_descriptor(build(9, 65535), L2T1_KEY)
    assert descriptor.frame == L2T1_KEY.templates[2]
    assert (descriptor.structure, descriptor.active) == (None, None)


def test_what_a_frame_says_of_itself_goes_before_its_template() -> None:
    data = build(8, 5, active=(0b01, 2), dtis=(2, 3), fdiffs=(1, 17, 4000), chains=(200, 3))
    descriptor = dependency.parse_descriptor(data, L2T1_KEY)
    assert descriptor.active == 0b01
    assert descriptor.frame[2:] == ((2, 3), (1, 17, 4000), (200, 3))


def test_template_ids_go_round_at_64() -> None:
    turned = L1T3._replace(id_offset=62)
    assert turned.template(62) == L1T3.templates[0]
    assert turned.template(0) == L1T3.templates[2]
    with pytest.raises(CodecError):
        turned.template(61)


def test_a_frame_without_its_structure_cannot_be_read() -> None:
    with pytest.raises(CodecError):
        dependency.parse_descriptor(build(0, 1), None)


def test_a_structure_cut_short_anywhere_is_named_so() -> None:
    whole = build(0, 1, structure=L1T3)
    for length in range(len(whole) - 1):
        with pytest.raises(CodecError):
            dependency.parse_descriptor(whole[:length], None)


def test_the_frame_number_is_moved_and_nothing_else() -> None:
    data = b"\x07\x03" + build(1, 0xFFFE)
    counters = dependency.find_counters(data, 2)
    moved = counters.rewrite(data, 3, 99)
    assert dependency.parse_descriptor(moved[2:], L1T3).number == 1
    assert moved[:3] + moved[5:] == data[:3] + data[5:]


@given(st.binary(max_size=120), st.sampled_from([None, *STRUCTURES]))
def test_hostile_descriptors_raise_nothing_but_codec_errors(data: bytes, known: Structure | None) -> None:
    try:
        descriptor = dependency.parse_descriptor(data, known)
    except CodecError:
        return
    assert len(descriptor.frame.dtis) == len((descriptor.structure or known or L1T3).targets)


@given(st.data())
def test_one_wrong_bit_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(build(0, 1, structure=data.draw(st.sampled_from(STRUCTURES))))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 0x80 >> bit % 8
    try:
        dependency.parse_descriptor(bytes(whole), None)
    except CodecError:
        pass
