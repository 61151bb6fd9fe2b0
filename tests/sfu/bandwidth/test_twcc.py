"""The ledger: every packet is accounted for once, whatever its receiver reports."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.bandwidth.twcc import MAX_BATCHES, Burst, Ledger
from sfu.rtp.arrivals import MISSING, Arrivals

SIZE, OVERHEAD = 1000, 36


def ledger(*counts: int, first: int = 0) -> Ledger:
    """Batches of so many packets, one every 10 ms from time 0."""
    made = Ledger()
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
