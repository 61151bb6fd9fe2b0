"""Transport-wide feedback: arrivals survive the way through the wire, whatever their pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtcpError
from sfu.rtp.rtcp import TransportFeedback, build_transport_feedback, parse_rtcp
from sfu.rtp.transport_feedback import MAX_STATUSES, REFERENCE_MASK, REFERENCE_US, TICK_US

SPAN_US = (REFERENCE_MASK + 1) * REFERENCE_US

gaps = st.sampled_from([1, 1, 1, 1, 2, 3, 16, 200])
steps = st.sampled_from([0, 100, 250, 5_000, 63_750, 64_000, -2_000, 1_000_000]) | st.integers(
    -(10**7), 10**8
)


@st.composite
def arrival_lists(draw: st.DrawFn) -> list[tuple[int, int]]:
    sequence, time_us = draw(st.integers(0, 2**20)), draw(st.integers(10**12, 10**13))
    arrivals = [(sequence, time_us)]
    for gap, step in draw(st.lists(st.tuples(gaps, steps), max_size=80)):
        sequence, time_us = sequence + gap, max(time_us + step, 0)
        arrivals.append((sequence, time_us))
    return arrivals


def read(messages: list[bytes]) -> list[tuple[int, int | None]]:
    reported: list[tuple[int, int | None]] = []
    for message in messages:
        (feedback,) = parse_rtcp(message)
        assert isinstance(feedback, TransportFeedback)
        reported += feedback.arrivals()
    return reported


@given(arrival_lists())
def test_arrivals_are_read_as_they_were_built_within_a_tick(arrivals: list[tuple[int, int]]) -> None:
    reported = read(build_transport_feedback(1, 2, 0, arrivals))
    received = [(sequence, at) for sequence, at in reported if at is not None]
    assert [sequence for sequence, _ in received] == [sequence & 0xFFFF for sequence, _ in arrivals]
    for (_, at), (_, true_at) in zip(received, arrivals, strict=True):
        assert 0 <= (true_at - at) % SPAN_US < TICK_US
    covered = range(arrivals[0][0], arrivals[-1][0] + 1)
    assert [sequence for sequence, _ in reported] == [sequence & 0xFFFF for sequence in covered]


@given(arrival_lists(), st.integers(0, 255))
def test_messages_are_counted_and_fit_a_datagram(arrivals: list[tuple[int, int]], count: int) -> None:
    for number, message in enumerate(build_transport_feedback(1, 2, count, arrivals)):
        (feedback,) = parse_rtcp(message)
        assert isinstance(feedback, TransportFeedback)
        assert feedback.feedback_count == (count + number) & 0xFF
        assert (feedback.sender_ssrc, feedback.media_ssrc) == (1, 2)
        assert len(message) <= 1200


def test_a_burst_without_loss_takes_few_bytes() -> None:
    arrivals = [(sequence, 1_000_000 + 1_000 * sequence) for sequence in range(100)]
    (message,) = build_transport_feedback(1, 2, 0, arrivals)
    assert len(message) == 20 + 2 + 100 + 2


def test_thousands_of_arrivals_are_split() -> None:
    arrivals = [(sequence, 100_000 * sequence) for sequence in range(5_000)]
    messages = build_transport_feedback(1, 2, 0, arrivals)
    assert len(messages) == 10
    assert all(len(message) <= 1200 for message in messages)
    assert len(read(messages)) == 5_000


def test_a_loss_between_two_messages_is_reported_when_the_base_is_given() -> None:
    reported = read(build_transport_feedback(1, 2, 0, [(12, 1_000_000)], base=10))
    assert [(sequence, at is None) for sequence, at in reported] == [(10, True), (11, True), (12, False)]


@pytest.mark.parametrize("base", [12, 13, 500, 12 - MAX_STATUSES])
def test_a_base_that_is_not_shortly_before_the_first_arrival_is_ignored(base: int) -> None:
    reported = read(build_transport_feedback(1, 2, 0, [(12, 1_000_000)], base=base))
    assert [sequence for sequence, _ in reported] == [12]


def test_a_gap_too_large_for_one_message_starts_another() -> None:
    messages = build_transport_feedback(1, 2, 0, [(1, 0), (1 + 3 * MAX_STATUSES, 250)])
    assert [sequence for sequence, _ in read(messages)] == [1, (1 + 3 * MAX_STATUSES) & 0xFFFF]


def test_nothing_that_arrived_is_nothing_to_say() -> None:
    assert build_transport_feedback(1, 2, 0, []) == []


def feedback(body: str, *, count: int) -> TransportFeedback:
    return TransportFeedback(1, 2, 65_534, count, 1, 0, bytes.fromhex(body))


def test_the_chunks_of_the_draft_are_understood() -> None:
    # Two small deltas as a run, then a vector of one bit each, then one of two bits each.
    message = feedback("2002 a000 e400 04 04 08 ff00 10", count=2 + 14 + 7)
    reported = dict(message.arrivals())
    assert reported[65_534] == REFERENCE_US + 4 * TICK_US
    assert reported[65_535] == REFERENCE_US + 8 * TICK_US
    assert reported[0] == REFERENCE_US + 16 * TICK_US
    assert reported[14] == REFERENCE_US + (16 + 0xFF00 - 0x10000) * TICK_US
    assert reported[15] is not None
    assert sum(at is not None for at in reported.values()) == 5


@pytest.mark.parametrize(
    ("body", "count"),
    [("", 1), ("20", 1), ("2001", 1), ("4001 00", 1), ("6001 00", 1), ("f000 00", 1), ("0001", 2)],
)
def test_feedback_that_ends_early_or_uses_reserved_values_is_refused(body: str, count: int) -> None:
    with pytest.raises(RtcpError):
        feedback(body, count=count).arrivals()
