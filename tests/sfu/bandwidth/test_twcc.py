"""The ledger: every packet is accounted for once, whatever its receiver reports."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.bandwidth.twcc import MAX_BATCHES, Burst, Delivery, Ledger
from sfu.rtp.arrivals import MISSING, Arrivals, parse_arrivals
from sfu.rtp.rtcp import build_transport_feedback
from tests.sfu.bandwidth.estimator import OpenLedger

SIZE, OVERHEAD = 1000, 36


def ledger(*counts: int, first: int = 0) -> OpenLedger:
    """Batches of so many packets, one every 10 ms from time 0."""
    made = OpenLedger()
    made.overhead = OVERHEAD
    for number, count in enumerate(counts):
        made.sent.append((first, number / 100, [SIZE] * count))
        first += count
    return made


def test_a_batch_that_arrived_is_one_burst() -> None:
    delivery = ledger(3, 2).handle(Arrivals(0, 4000, [4, 5, 7, 40, 41]), 0.1)
    assert delivery.lost == 0
    assert delivery.end == 5
    first, second = delivery.bursts
    assert (first.first, first.packets, first.octets, first.sent_at) == (0, 3, 3 * (SIZE + OVERHEAD), 0.0)
    assert first.last_arrival - first.first_arrival == pytest.approx(3 * 250e-6, abs=1e-9)
    assert (second.first, second.packets, second.sent_at) == (3, 2, 0.01)
    assert second.first_arrival - first.last_arrival == pytest.approx(33 * 250e-6, abs=1e-9)


def test_a_batch_reported_by_halves_is_two_bursts() -> None:
    book = ledger(4)
    (first,) = book.handle(Arrivals(0, 0, [1, 2]), 0.1).bursts
    (second,) = book.handle(Arrivals(2, 0, [3, 4]), 0.2).bursts
    assert (first.first, first.packets) == (0, 2)
    assert (second.first, second.packets) == (2, 2)
    assert book.waiting_since is None


def test_the_middle_of_a_batch_leaves_both_ends_open() -> None:
    book = ledger(6)
    (middle,) = book.handle(Arrivals(2, 0, [3, 4]), 0.1).bursts
    assert (middle.first, middle.packets) == (2, 2)
    rest = book.handle(Arrivals(0, 0, [1, 2, 3, 4, 5, 6]), 0.2).bursts
    assert sorted((burst.first, burst.packets) for burst in rest) == [(0, 2), (4, 2)]


def test_a_message_that_comes_twice_counts_once() -> None:
    book = ledger(3)
    assert len(book.handle(Arrivals(0, 0, [1, 2, 3]), 0.1).bursts) == 1
    assert book.handle(Arrivals(0, 0, [1, 2, 3]), 0.1).bursts == []


def test_a_packet_is_lost_only_when_the_next_message_misses_it_too() -> None:
    book = ledger(3, 1, 1, 1)
    delivery = book.handle(Arrivals(0, 0, [1, MISSING, 3]), 0.1)
    assert delivery.lost == 0
    assert delivery.bursts[0].packets == 2
    late = book.handle(Arrivals(1, 0, [9, 3, 10]), 0.2)
    assert late.lost == 0
    assert Burst(1, 1, SIZE + OVERHEAD, 0.0, *2 * ((2**32 + 9) * 250e-6,)) in late.bursts
    book.handle(Arrivals(4, 0, [MISSING]), 0.3)
    assert book.handle(Arrivals(5, 0, [20]), 0.4).lost == 0
    assert book.handle(Arrivals(5, 0, [20]), 0.5).lost == 1


def test_numbers_wrap_and_the_receivers_clock_does() -> None:
    book = ledger(4, first=3 * 65536 - 2)
    (before,) = book.handle(Arrivals(65534, 2**32 - 256, [10, 11]), 0.1).bursts
    (after,) = book.handle(Arrivals(0, 0, [5, 6]), 0.1).bursts
    assert (before.first, after.first) == (3 * 65536 - 2, 3 * 65536)
    assert abs(after.first_arrival - before.last_arrival - (256 - 11 + 5) * 250e-6) < 1e-6


def test_what_was_never_sent_matches_nothing() -> None:
    book = ledger(3)
    delivery = book.handle(Arrivals(40_000, 0, [1] * 100), 0.1)
    assert (delivery.bursts, delivery.lost) == ([], 0)


def test_a_receiver_that_never_reports_costs_bounded_memory() -> None:
    book = ledger(*[1] * (MAX_BATCHES + 100))
    assert len(book.sent) == MAX_BATCHES
    book.handle(Arrivals(0, 0, []), 1000.0)
    assert book.waiting_since is None, "what nobody will speak of any more is forgotten"


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.lists(st.integers(0, 255), max_size=20))
def test_a_complete_message_says_the_same_however_it_is_read(counts: list[int], deltas: list[int]) -> None:
    times = list(accumulate(deltas))
    swift, careful = ledger(*counts), ledger(*counts)
    quick = swift.handle(Arrivals(2, 9, times, complete=True), 0.1)
    assert quick == careful.handle(Arrivals(2, 9, times), 0.1)


def message_on(first: int, deltas: list[int], *, missing: frozenset[int] = frozenset()) -> bytes:
    """Feedback on packets from `first` on that arrived so many ticks after one another."""
    times = accumulate(deltas, initial=7 * 256)
    arrivals = [(first + number, 250 * time) for number, time in enumerate(times) if number not in missing]
    (message,) = build_transport_feedback(1, 2, 0, arrivals, base=first)
    return message


def sweep_or_handle(book: Ledger, message: bytes, now: float) -> Delivery:
    arrivals = parse_arrivals(message)
    sweep = book.sweep(arrivals, now)
    return book.handle(arrivals, now) if sweep is None else Delivery(sweep.bursts(), 0, sweep.end)


def test_whole_batches_of_which_all_arrived_are_matched_at_once() -> None:
    book = ledger(3, 2, 4, first=65534)
    message = message_on(65534, [3, 4, 100, 5])
    sweep = book.sweep(parse_arrivals(message), 0.1)
    assert sweep is not None
    first, second = sweep.bursts()
    assert (first.packets, second.packets, sweep.end) == (3, 2, 65539)
    assert sweep.groups == [first, second]
    assert book.waiting_since == 0.02, "the third batch waits"


def test_of_many_batches_what_left_within_some_milliseconds_is_one_group() -> None:
    book = OpenLedger()
    book.overhead = OVERHEAD
    for number in range(20):
        book.sent.append((2 * number, 0.002 * number, [SIZE] * 2))
    sweep = book.sweep(parse_arrivals(message_on(0, [1] * 39)), 0.1)
    assert sweep is not None
    bursts = sweep.bursts()
    assert [group.packets for group in sweep.groups] == [6, 6, 6, 6, 6, 6, 4]
    for group, begin, end in zip(sweep.groups, bursts[::3], (*bursts[2::3], bursts[-1]), strict=True):
        assert (group.sent_at, group.first_arrival) == (begin.sent_at, begin.first_arrival)
        assert group.last_arrival == end.last_arrival
    assert sum(group.octets for group in sweep.groups) == sum(burst.octets for burst in bursts)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (message_on(0, [1]), "half of a batch"),
        (message_on(1, [1, 1, 1]), "not from the first packet of one"),
        (message_on(0, [1, 1, 1], missing=frozenset({1})), "one is missing"),
        (message_on(0, [1, 300, 1]), "a gap that takes a large delta"),
        (message_on(9, [1, 1]), "nothing that was sent"),
        (message_on(60_000, [1, 1]), "nothing of the last minutes"),
    ],
)
def test_no_other_message_is(message: bytes, why: str) -> None:
    book = ledger(3, 3)
    assert book.sweep(parse_arrivals(message), 0.1) is None, why
    assert book.waiting_since == 0.0, "nothing has changed"


def test_while_a_packet_is_missing_none_is_so_that_it_counts_as_lost_in_time() -> None:
    book = ledger(2, 1, 1, 1)
    book.handle(parse_arrivals(message_on(0, [1, 1], missing=frozenset({1}))), 0.1)
    message = message_on(3, [])
    assert book.sweep(parse_arrivals(message), 0.1) is None


def test_batches_between_which_one_was_reported_before_are_not_matched_as_if_it_were_there() -> None:
    book = ledger(3, 2, 4)
    book.handle(parse_arrivals(message_on(3, [1])), 0.1)
    message = message_on(0, [1] * 6)  # as many as the first and the last batch
    assert book.sweep(parse_arrivals(message), 0.2) is None


runs = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.integers(1, 4),
        st.sampled_from((0, 0, 0, 1)),
        st.frozensets(st.integers(0, 5), max_size=1),
    ),
    max_size=12,
)
"""From which batch, how many of them, how many packets less, and which are missing of them."""


@given(st.lists(st.integers(1, 4), min_size=8, max_size=8), runs, st.integers(0, 2**18))
def test_matched_at_once_or_batch_by_batch_a_message_says_the_same(
    counts: list[int], messages: list[tuple[int, int, int, frozenset[int]]], first: int
) -> None:
    swift, careful = ledger(*counts, first=first), ledger(*counts, first=first)
    for begin, batches, less, missing in messages:
        count = max(1, sum(counts[begin : begin + batches]) - less)
        missing -= {count - 1}  # the last one is there, or it would be another message
        start = first + sum(counts[:begin])
        message = message_on(start, [1] * (count - 1), missing=missing)
        delivery = careful.handle(parse_arrivals(message), 0.5)
        assert sweep_or_handle(swift, message, 0.5) == delivery
        assert swift.waiting_since == careful.waiting_since


reports = st.lists(
    st.tuples(
        st.integers(0, 70),
        st.lists(st.one_of(st.just(MISSING), st.integers(-5000, 5000)), max_size=40),
    ),
    max_size=12,
)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), reports, st.integers(0, 2**18))
def test_no_packet_is_both_lost_and_received_nor_either_twice(
    counts: list[int], messages: list[tuple[int, list[int]]], first: int
) -> None:
    book = ledger(*counts, first=first)
    received: list[int] = []
    lost = 0
    for base, times in messages:
        delivery = book.handle(Arrivals(first + base & 0xFFFF, 0, times), 0.5)
        lost += delivery.lost
        for burst in delivery.bursts:
            assert burst.octets == burst.packets * (SIZE + OVERHEAD)
            assert burst.first_arrival <= burst.last_arrival
            received += [burst.first] * burst.packets
    assert len(received) + lost <= sum(counts)
