"""The short way through the estimator, for messages that say nothing new, and the long one: they agree."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.bandwidth.trend import QUIET, WINDOW, DelayTrend, Usage
from sfu.bandwidth.twcc import Ledger, Sweep
from sfu.errors import RtcpError
from sfu.rtp.arrivals import parse_arrivals
from sfu.rtp.rtcp import build_transport_feedback
from tests.sfu.bandwidth.estimator import Estimator

FRAME = 0.04
TICK_US = 250


class Path:
    """Frames of so many packets each, 25 a second, all reported; the way takes as long as `delay` says."""

    def __init__(self, *, packets: int = 4) -> None:
        self.packets = packets
        self.number = 0
        self.book = Ledger()

    def message(self, frames: int, delay: float, *, growing: float = 0.0) -> tuple[bytes, float]:
        """One on so many frames more, the delay growing with each; when it is read."""
        arrivals = []
        for _ in range(frames):
            sent_at = FRAME * (self.number // self.packets)
            self.book.sent.append((self.number, sent_at, [1000] * self.packets))
            for _ in range(self.packets):
                arrivals.append((self.number, int(1e6 * (5.0 + sent_at + delay))))
                self.number += 1
            delay += growing
        (message,) = build_transport_feedback(1, 2, 0, arrivals)
        return message, sent_at + delay + 0.02

    def sweep(self, frames: int, delay: float, *, growing: float = 0.0) -> tuple[Sweep, float]:
        message, now = self.message(frames, delay, growing=growing)
        sweep = self.book.sweep(parse_arrivals(message), now)
        assert sweep is not None
        return sweep, now


class Pair:
    """A trend that may pass messages over, and one that never does."""

    def __init__(self) -> None:
        self.path = Path()
        self.swift, self.careful = DelayTrend(), DelayTrend()
        self.passed = 0

    def take(self, frames: int, delay: float, *, growing: float = 0.0) -> tuple[Usage, Usage]:
        sweep, now = self.path.sweep(frames, delay, growing=growing)
        bursts = sweep.bursts()
        careful = self.careful.handle(bursts, now)
        if self.swift.pass_over(sweep.groups, now):
            self.passed += 1
            swift = Usage.NORMAL
        else:
            swift = self.swift.handle(bursts, now)
        return swift, careful


delays = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([0.02, 0.021, 0.025, 0.028, 0.04, 0.1]), st.floats(0, 0.02)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=200)
@given(delays)
def test_where_all_that_was_passed_over_is_there_to_catch_up_with_the_trend_is_the_same_to_the_last_bit(
    messages: list[tuple[int, float, float]],
) -> None:
    pair = Pair()
    pair.take(1, 0.02)  # the least there is
    passed = 0
    for frames, delay, growing in messages:
        before = pair.passed
        swift, careful = pair.take(frames, delay, growing=growing)
        assert swift is careful
        passed = passed + frames if pair.passed > before else 0
        if passed > WINDOW:
            return  # the first are gone by now
    assert pair.swift.threshold == pair.careful.threshold
    assert (pair.swift.queue < QUIET) is (pair.careful.queue < QUIET)


def test_after_a_long_calm_a_queue_that_builds_up_is_found_as_soon() -> None:
    pair = Pair()
    for number in range(300):
        pair.take(2, 0.02 + 0.0002 * (number % 3))
    assert pair.passed > 290, "nothing to look at"
    found: list[int | None] = [None, None]
    delay = 0.02
    for number in range(10):
        usages = pair.take(2, delay, growing=0.008)
        delay += 0.016
        for index, usage in enumerate(usages):
            if usage is Usage.OVER and found[index] is None:
                found[index] = number
    swift, careful = found
    assert careful is not None
    assert swift is not None
    assert swift <= careful


def test_the_least_delay_is_followed_through_the_calm() -> None:
    """Clocks drift apart, or the route got longer: by little for each message."""
    pair = Pair()
    for number in range(600):
        pair.take(2, 0.02 + 0.00002 * number)
    assert pair.passed > 500
    swift, careful = pair.swift.least, pair.careful.least
    assert swift is not None
    assert careful is not None
    assert swift == pytest.approx(careful, abs=0.002)


def test_in_a_calm_nothing_is_forgotten_of_rates_and_losses() -> None:
    path = Path(packets=10)
    swift, careful = Estimator(), Estimator(careful=True)
    for number in range(200):
        message, now = path.message(2 + number % 2, 0.02 + 0.001 * (number % 4))
        departures = list(path.book.sent)
        path.book.sent.clear()
        for estimator in (swift, careful):
            estimator.ledger.sent.extend(departures)
            estimator.handle_feedback(message, now)
            assert estimator.poll(now, 0) == 0
    assert swift.calm > 150
    assert careful.calm == 0
    assert swift.losses.all_received == careful.losses.all_received == 2 * 10 * 250
    assert swift.rtt == careful.rtt
    assert swift.delivered == pytest.approx(careful.delivered, rel=0.05)
    assert swift.estimate == pytest.approx(careful.estimate, rel=0.05)


messages = st.lists(
    st.one_of(
        # What was just sent, all of it or with gaps and long pauses; otherwise anything.
        st.tuples(st.just("sent"), st.lists(st.sampled_from([0, 1, 2, 9, 255, 400, None]), max_size=12)),
        st.tuples(st.just("again"), st.just([])),
        st.tuples(st.just("any"), st.lists(st.integers(0, 255), min_size=1, max_size=12)),
        st.tuples(st.just("rubbish"), st.lists(st.integers(0, 255), max_size=40)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=300)
@given(messages, st.integers(0, 2**17), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_both_ways_agree_on_what_was_received_and_lost(
    sent: list[tuple[str, list[int | None]]], number: int, counts: list[int]
) -> None:
    swift, careful = Estimator(), Estimator(careful=True)
    now, clock = 0.0, 4_000
    message = b""
    for kind, values in sent:
        now += 0.1
        clock += 400
        begun = number
        for count in counts:
            for estimator in (swift, careful):
                estimator.ledger.sent.append((number, now - 0.05, [1000] * count))
            number += count
        if kind == "sent":
            deltas = (values + [1] * (number - begun))[: number - begun]
            message = _message(begun, deltas, clock)
        elif kind == "any":
            message = _message(begun + (values[0] or 0) - 128, values, clock)
        elif kind == "rubbish":
            body = bytes(value or 0 for value in values)
            body += bytes(-len(body) % 4)
            message = bytes((0x8F, 205)) + (len(body) // 4 + 2).to_bytes(2, "big") + bytes(8) + body
        refused = []
        for estimator in (swift, careful):
            try:
                estimator.handle_feedback(message, now)
            except RtcpError:
                refused.append(estimator)
        assert len(refused) != 1
        assert swift.losses.all_lost == careful.losses.all_lost
        assert swift.losses.all_received == careful.losses.all_received
        assert swift.loss == careful.loss
        assert swift.book.waiting_since == careful.book.waiting_since
        assert swift.rtt == careful.rtt
        assert swift.crowded is careful.crowded


def _message(first: int, deltas: list[int | None], clock: int) -> bytes:
    """On packets from `first` on that came so many ticks after one another; None for one that did not."""
    first = max(0, first)
    times = accumulate(delta or 0 for delta in deltas)
    arrivals = [
        (first + index, TICK_US * (clock + time))
        for index, (delta, time) in enumerate(zip(deltas, times, strict=True))
        if delta is not None
    ]
    if not arrivals:
        return b""
    return build_transport_feedback(1, 2, 0, arrivals, base=first)[0]
