from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtcpError
from sfu.layers import LAYERS, WHOLE, Layer
from sfu.rtp.pipe_report import (
    MAX_ENTRIES,
    MAX_RATE,
    SENT,
    WANTED,
    PipeReport,
    from_carried,
    from_rate,
    from_wish,
    is_pipe_report,
    reports,
    to_carried,
    to_rate,
    to_wish,
)

_word = st.integers(0, 0xFFFFFFFF)


@given(st.sampled_from([WANTED, SENT]), _word, st.lists(st.tuples(_word, _word), max_size=3 * MAX_ENTRIES))
def test_what_is_said_is_what_is_heard(subject: int, sender: int, entries: list[tuple[int, int]]) -> None:
    heard = [PipeReport.parse(one.to_bytes()) for one in reports(subject, sender, entries)]
    assert heard, "no entries are a sign of life"
    assert {(one.subject, one.sender_ssrc) for one in heard} == {(subject, sender)}
    assert [entry for one in heard for entry in one.entries] == entries
    assert all(len(one.to_bytes()) <= 1200 for one in heard)


@given(st.binary(max_size=64))
def test_anything_else_is_refused(data: bytes) -> None:
    if not is_pipe_report(data):
        with pytest.raises(RtcpError):
            PipeReport.parse(data)


def test_a_report_that_is_cut_off_is_refused() -> None:
    whole = PipeReport(WANTED, 1, ((2, 1), (3, 0))).to_bytes()
    for length in range(len(whole)):
        with pytest.raises(RtcpError):
            PipeReport.parse(whole[:length])


@pytest.mark.parametrize("layer", [None, *LAYERS])
def test_a_wish_is_understood_and_so_is_what_is_carried(layer: Layer | None) -> None:
    assert to_wish(from_wish(layer)) == layer
    for top in range(8):
        assert to_carried(from_carried(layer, top)) == (layer, top)


def test_one_is_the_wish_for_all_of_an_encoding() -> None:
    assert (from_wish(WHOLE), to_wish(1)) == (1, WHOLE)


@given(_word)
def test_a_wish_for_no_layer_is_refused(value: int) -> None:
    if value > 64:
        with pytest.raises(RtcpError):
            to_wish(value)
    if value >> 8 > 7 or value & 0xFF > 64:
        with pytest.raises(RtcpError):
            to_carried(value)


@given(st.sampled_from(LAYERS), st.integers(0, 1 << 40))
def test_a_rate_is_told_as_far_as_there_is_room(layer: Layer, bitrate: int) -> None:
    assert to_rate(from_rate(layer, bitrate)) == (layer, min(bitrate, MAX_RATE))
