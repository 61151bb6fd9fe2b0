from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtcpError
from sfu.rtp.pipe_report import MAX_ENTRIES, SENT, WANTED, PipeReport, is_pipe_report, reports

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
