"""Redundant audio payloads (RFC 2198): read strictly, printed so that they read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.codecs.red import MAX_EARLIER, MAX_LENGTH, MAX_OFFSET, Earlier, parse_red, to_red
from sfu.errors import CodecError

OPUS = 111
BLOCK = st.builds(
    Earlier, st.integers(1, MAX_OFFSET), st.binary(min_size=1, max_size=40) | st.just(bytes(MAX_LENGTH))
)


def test_the_packet_of_the_rfc_s_figure_is_read() -> None:
    payload = bytes.fromhex("ef 0f 00 03 6f") + b"old" + b"own"
    assert parse_red(payload, OPUS) == (b"own", (Earlier(960, b"old"),))


def test_a_packet_without_redundancy_has_one_byte_of_header() -> None:
    assert parse_red(bytes((OPUS,)) + b"own", OPUS) == (b"own", ())


@given(st.binary(min_size=1, max_size=60), st.lists(BLOCK, max_size=MAX_EARLIER))
def test_what_is_printed_is_read_back(primary: bytes, earlier: list[Earlier]) -> None:
    assert parse_red(to_red(primary, earlier, OPUS), OPUS) == (primary, tuple(earlier))


@given(st.binary(max_size=64))
def test_whatever_comes_is_read_or_refused_by_name(payload: bytes) -> None:
    try:
        primary, earlier = parse_red(payload, payload[0] & 0x7F if payload else OPUS)
    except CodecError:
        return
    assert primary
    assert len(primary) + sum(len(data) for _, data in earlier) < len(payload)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "empty"),
        (bytes((OPUS,)), "nothing of its own"),
        (bytes((0x80 | OPUS, 0x0F, 0x00)), "a header cut short"),
        (bytes.fromhex("ef0f0003"), "no header of its own"),
        (bytes.fromhex("ef0f00086f") + b"old" + b"own", "a block longer than the packet"),
        (bytes.fromhex("ef0f00036f") + b"old", "all of it earlier"),
        (bytes.fromhex("e00f00036f") + b"old" + b"own", "a block of another codec"),
        (bytes.fromhex("ef0f000360") + b"old" + b"own", "of another codec itself"),
        (bytes.fromhex("ef000401") * (MAX_EARLIER + 1) + bytes((OPUS,)) + bytes(20), "too many blocks"),
    ],
)
def test_what_is_not_redundant_audio_is_refused(payload: bytes, why: str) -> None:
    with pytest.raises(CodecError):
        parse_red(payload, OPUS)
    assert why


def test_an_empty_block_is_no_payload() -> None:
    assert parse_red(bytes.fromhex("ef0f00006f") + b"own", OPUS) == (b"own", ())
