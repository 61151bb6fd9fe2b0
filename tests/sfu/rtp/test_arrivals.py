"""Feedback read in bulk says the same as feedback read packet by packet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtcpError
from sfu.rtp.arrivals import MISSING, parse_arrivals
from sfu.rtp.rtcp import TransportFeedback, build_transport_feedback, parse_rtcp
from tests.sfu.rtp.test_transport_feedback import arrival_lists


def one_by_one(message: bytes) -> list[tuple[int, int | None]]:
    (feedback,) = parse_rtcp(message)
    assert isinstance(feedback, TransportFeedback)
    return feedback.arrivals()


def in_bulk(message: bytes) -> list[tuple[int, int | None]]:
    base, reference, times, complete = parse_arrivals(message)
    assert not complete or times == sorted(time for time in times if time != MISSING)
    return [
        (base + number & 0xFFFF, None if time == MISSING else (reference + time) * 250)
        for number, time in enumerate(times)
    ]


@given(arrival_lists())
def test_both_ways_of_reading_agree(arrivals: list[tuple[int, int]]) -> None:
    for message in build_transport_feedback(1, 2, 0, arrivals):
        assert in_bulk(message) == one_by_one(message)


@given(st.integers(0, 40), st.binary(max_size=60))
def test_they_agree_on_rubbish_too(count: int, body: bytes) -> None:
    body += bytes(-len(body) % 4)
    message = bytes((0x8F, 205)) + (len(body) // 4 + 4).to_bytes(2, "big") + bytes(10)
    message += count.to_bytes(2, "big") + bytes(4) + body
    try:
        expected = one_by_one(message)
    except RtcpError:
        with pytest.raises(RtcpError):
            parse_arrivals(message)
    else:
        assert in_bulk(message) == expected


def test_a_message_is_complete_when_all_came_soon_after_one_another() -> None:
    (complete,) = build_transport_feedback(1, 2, 0, [(5, 1_000_000), (6, 1_001_000), (7, 1_001_000)])
    assert parse_arrivals(complete).complete
    (gap,) = build_transport_feedback(1, 2, 0, [(5, 1_000_000), (7, 1_001_000)])
    (overtaken,) = build_transport_feedback(1, 2, 0, [(5, 1_002_000), (6, 1_000_000)])
    assert not parse_arrivals(gap).complete
    assert not parse_arrivals(overtaken).complete


@pytest.mark.parametrize("length", [0, 4, 12, 19])
def test_a_message_that_is_cut_off_is_refused(length: int) -> None:
    (message,) = build_transport_feedback(1, 2, 0, [(5, 1_000_000), (6, 1_001_000)])
    with pytest.raises(RtcpError):
        parse_arrivals(message[:length])
