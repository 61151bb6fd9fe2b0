"""Round trips of those who only receive: asked, answered, and not believed where they cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.bots import feedback
from sfu.rtp.reference_time import MAX_ASKERS, STALE_AFTER, Answerer, Asker
from sfu.rtp.rtcp import XrDlrr, XrRrtr, parse_rtcp

OWN, THEIRS = 7, 9


def test_the_round_trip_is_what_remains_when_the_delay_at_the_other_end_is_taken_off() -> None:
    asker, answerer = Asker(OWN, 1 << 30), Answerer()
    assert asker.rtt is None
    answerer.handle(asker.ask(100.0), 50.0)
    answer = answerer.answer(THEIRS, 50.7)
    assert answer is not None
    asker.handle(answer.reports, 100.78)
    assert asker.rtt == pytest.approx(0.08, abs=1e-4)
    assert answerer.answer(THEIRS, 51.0) is None, "each question is answered once"


def test_an_answer_to_another_question_or_to_somebody_else_says_nothing() -> None:
    asker = Asker(OWN, 0)
    asker.handle([(OWN, 0, 0)], 1.0)
    first, second = asker.ask(100.0), asker.ask(101.0)
    asker.handle([(OWN, first.ntp >> 16 & 0xFFFFFFFF, 0)], 101.1)
    asker.handle([(OWN + 1, second.ntp >> 16 & 0xFFFFFFFF, 0)], 101.1)
    assert asker.rtt is None


@pytest.mark.parametrize("delay", [65536, 0xFFFFFFFF])
def test_a_delay_longer_than_the_time_that_passed_is_not_believed(delay: int) -> None:
    asker = Asker(OWN, 0)
    last = asker.ask(100.0).ntp >> 16 & 0xFFFFFFFF
    asker.handle([(OWN, last, delay)], 100.5)
    assert asker.rtt is None


def test_the_time_that_is_told_is_not_the_machines_own() -> None:
    assert Asker(OWN, 1 << 20).ask(5.0).ntp >> 32 == (1 << 20) + 5


def test_many_askers_are_answered_up_to_a_bound_the_latest_first_kept() -> None:
    answerer = Answerer()
    for ssrc in range(3 * MAX_ASKERS):
        answerer.handle(XrRrtr(ssrc, ssrc << 16), 1.0)
    answer = answerer.answer(OWN, 1.5)
    assert answer is not None
    assert [ssrc for ssrc, _, _ in answer.reports] == list(range(2 * MAX_ASKERS, 3 * MAX_ASKERS))


def test_an_old_question_is_not_answered() -> None:
    answerer = Answerer()
    answerer.handle(XrRrtr(THEIRS, 1 << 40), 1.0)
    assert answerer.answer(OWN, 1.0 + STALE_AFTER) is None


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_the_bots_own_reading_and_writing_agrees(ssrc: int, ntp: int, delay: int) -> None:
    last = ntp >> 16 & 0xFFFFFFFF
    assert parse_rtcp(feedback.reference_time(ssrc, ntp)) == [XrRrtr(ssrc, ntp)]
    assert parse_rtcp(feedback.delays(OWN, ssrc, last, delay)) == [XrDlrr(OWN, ((ssrc, last, delay),))]
    assert feedback.question_in(XrRrtr(ssrc, ntp).to_bytes()[4:]) == (ssrc, last)
    answer = XrDlrr(OWN, ((ssrc ^ 1, last, 0), (ssrc, last, delay))).to_bytes()[4:]
    assert feedback.delay_in(answer, ssrc, last) == delay
