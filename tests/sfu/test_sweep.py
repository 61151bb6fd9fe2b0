"""When a worker collects what was closed, and that closing lets go of packets at once."""

from __future__ import annotations

from sfu.forwarding.history import History
from sfu.sweep import LEAST, Sweep


def test_nothing_closed_is_nothing_to_collect() -> None:
    sweep = Sweep()
    assert not sweep.poll(0, 0)
    assert not sweep.poll(0, 500)


def test_an_empty_node_collects_whatever_there_is_once() -> None:
    sweep = Sweep()
    assert sweep.poll(1, 0)
    assert not sweep.poll(1, 0)


def test_with_people_in_it_a_node_waits_until_it_is_worth_it() -> None:
    sweep = Sweep()
    assert not sweep.poll(LEAST - 1, 3)
    assert sweep.poll(LEAST, 3)
    assert not sweep.poll(LEAST + 5, 3)


def test_the_larger_a_node_the_more_is_closed_before_it_collects() -> None:
    sweep = Sweep()
    assert not sweep.poll(999, 1000)
    assert sweep.poll(1000, 1000)


def test_a_history_that_is_cleared_holds_no_packet() -> None:
    history = History(128)
    packet = (7, 0, b"", b"", 0, 0, 0, 0)
    history.put(packet)  # type: ignore[arg-type]
    assert history.get(7) is packet
    history.clear()
    assert history.get(7) is None
