"""Repairs: few go at once, many in turn, none for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sfu.bandwidth.pacer import AT_ONCE, MAX_WAIT, PACKET, SHARE, RepairPacer

ESTIMATE = 500_000.0
TICK = 0.02
STREAM = 7


def count(taken: dict[int, list[int]]) -> int:
    return sum(map(len, taken.values()))


def test_a_few_lost_packets_are_sent_again_at_once() -> None:
    pacer = RepairPacer()
    pacer.ask(STREAM, [5, 6, 9], 1.0)
    assert pacer.take(1.0, ESTIMATE) == {STREAM: [5, 6, 9]}
    assert not pacer.waiting


def test_many_take_their_turn_in_the_order_they_were_asked_for() -> None:
    pacer = RepairPacer()
    pacer.ask(STREAM, range(20), 1.0)
    first = pacer.take(1.0, ESTIMATE)[STREAM]
    assert first == list(range(AT_ONCE))
    assert pacer.waiting
    later: list[int] = []
    for step in range(1, 20):
        later += pacer.take(1.0 + step * TICK, ESTIMATE).get(STREAM, [])
    assert later == list(range(AT_ONCE, 20))


def test_what_is_asked_for_twice_before_its_turn_is_sent_once() -> None:
    pacer = RepairPacer()
    pacer.ask(STREAM, range(AT_ONCE + 2), 1.0)
    pacer.take(1.0, ESTIMATE)
    pacer.ask(STREAM, [AT_ONCE, AT_ONCE + 1], 1.05)
    assert pacer.take(1.4, ESTIMATE) == {STREAM: [AT_ONCE, AT_ONCE + 1]}


def test_what_waited_too_long_is_forgotten_and_costs_nothing() -> None:
    pacer = RepairPacer()
    pacer.ask(STREAM, range(100), 1.0)
    pacer.take(1.0, ESTIMATE)
    pacer.ask(STREAM, [200], 1.0 + MAX_WAIT)
    assert pacer.take(1.01 + MAX_WAIT, ESTIMATE) == {STREAM: [200]}
    assert pacer.dropped == 100 - AT_ONCE
    assert not pacer.waiting


@given(
    st.lists(
        st.tuples(st.floats(0.0, 0.3), st.lists(st.integers(0, 500), max_size=40)), min_size=1, max_size=40
    )
)
def test_repairs_never_exceed_their_share_of_the_estimate(losses: list[tuple[float, list[int]]]) -> None:
    pacer = RepairPacer()
    now, sent = 1.0, 0
    for pause, sequences in losses:
        now += pause
        pacer.ask(STREAM, sequences, now)
        sent += count(pacer.take(now, ESTIMATE))
    assert 8 * PACKET * (sent - AT_ONCE) <= SHARE * ESTIMATE * (now - 1.0) + 1.0


def test_what_a_key_frame_made_useless_is_forgotten_of_that_stream_alone() -> None:
    pacer = RepairPacer()
    pacer.ask(STREAM, [1, 2], 1.0)
    pacer.ask(STREAM + 1, [1], 1.0)
    pacer.forget(STREAM)
    assert pacer.take(1.0, ESTIMATE) == {STREAM + 1: [1]}
