"""Header extensions: both forms, their edges, and what stands in those the node reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtpError
from sfu.rtp import extensions as ext

one_byte = st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=8)
two_byte = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=8)


def parse_block(block: bytes) -> list[tuple[int, bytes]]:
    assert len(block) == 4 + 4 * int.from_bytes(block[2:4], "big")
    return ext.parse_extensions(int.from_bytes(block[:2], "big"), block[4:])


@given(one_byte)
def test_small_elements_get_one_byte_headers(elements: list[tuple[int, bytes]]) -> None:
    block = ext.build_extensions(elements)
    if not elements:
        assert block == b""
        return
    assert block[:2] == b"\xbe\xde"
    assert parse_block(block) == elements


@given(two_byte)
def test_what_is_built_is_parsed_again(elements: list[tuple[int, bytes]]) -> None:
    block = ext.build_extensions(elements)
    assert (parse_block(block) if block else []) == elements


@given(st.integers(0, 0xFFFF), st.binary(max_size=120))
def test_garbage_raises_nothing_but_rtp_error(profile: int, data: bytes) -> None:
    for known in (profile, 0xBEDE, 0x1000, 0x100F):
        try:
            elements = ext.parse_extensions(known, data)
        except RtpError:
            continue
        assert sum(len(value) for _, value in elements) <= len(data)


@given(st.binary(max_size=6))
def test_values_of_any_length_raise_nothing_but_rtp_error(value: bytes) -> None:
    for parse in (
        ext.parse_audio_level,
        ext.parse_transport_sequence,
        ext.parse_text,
        ext.parse_video_orientation,
        ext.parse_abs_send_time,
        ext.parse_playout_delay,
    ):
        try:
            parse(value)
        except RtpError:
            continue


def test_padding_between_elements_is_skipped() -> None:
    assert ext.parse_extensions(0xBEDE, b"\x00\x10a\x00\x21bc\x00") == [(1, b"a"), (2, b"bc")]
    assert ext.parse_extensions(0x1000, b"\x00\x01\x01a\x00\x02\x00\x00") == [(1, b"a"), (2, b"")]


def test_nothing_behind_the_reserved_id_is_read() -> None:
    assert ext.parse_extensions(0xBEDE, b"\x10a\xf0\x20b") == [(1, b"a")]


def test_another_profile_has_no_elements() -> None:
    assert ext.parse_extensions(0xABCD, b"\x10a\x20b") == []


def test_too_many_elements_are_refused() -> None:
    with pytest.raises(RtpError):
        ext.parse_extensions(0xBEDE, b"\x10a" * (ext.MAX_ELEMENTS + 1))


@pytest.mark.parametrize("elements", [[(0, b"a")], [(256, b"a")], [(1, bytes(256))]])
def test_what_fits_neither_form_is_refused(elements: list[tuple[int, bytes]]) -> None:
    with pytest.raises(RtpError):
        ext.build_extensions(elements)


def test_what_stands_in_the_extensions() -> None:
    assert ext.parse_audio_level(b"\x85") == (True, 5)
    assert ext.parse_audio_level(ext.build_audio_level(127, voice=False)) == (False, 127)
    assert ext.parse_transport_sequence(b"\x12\x34") == 0x1234
    assert ext.parse_text(b"h\0\0") == "h"
    assert ext.parse_video_orientation(b"\x0d") == (90, True, True)
    assert ext.parse_abs_send_time(ext.build_abs_send_time(1.5)) == 1.5
    assert ext.parse_playout_delay(ext.build_playout_delay(0.1, 4.0)) == (0.1, 4.0)
