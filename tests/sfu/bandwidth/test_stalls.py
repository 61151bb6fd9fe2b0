"""The node's own stalls: they are no queue on the way, and no excuse for one either."""

from __future__ import annotations

import pytest

from sfu.bandwidth.stalls import LATE, LONGEST, MARGIN, REPORTED_WITHIN, REST, Stalls
from tests.sfu.bandwidth.picture import PictureWorld
from tests.sfu.bandwidth.world import Link

RTT = 0.05
TICK = 0.02


def stalled(seconds: float) -> tuple[Stalls, float]:
    """A loop that was late by so much just now."""
    stalls = Stalls()
    stalls.handle_tick(1.0, 1.0 + TICK)
    return stalls, 1.0 + TICK + seconds


def test_a_queue_no_longer_than_the_stall_is_its_doing_before_the_timer_has_its_turn_and_after() -> None:
    stalls, now = stalled(0.3)
    assert stalls.explain(0.3, RTT, now)
    stalls.handle_tick(now, now + TICK)
    assert stalls.explain(0.3 + MARGIN, RTT, now)
    assert not stalls.explain(0.36, RTT, now), "it cannot have made a longer queue"


def test_a_loop_that_is_in_time_explains_nothing() -> None:
    stalls, now = stalled(LATE / 2)
    assert not stalls.explain(0.01, RTT, now)
    assert not stalls.excuses(RTT, now)


def test_the_excuse_is_over_when_what_was_held_up_has_drained_and_was_reported() -> None:
    stalls, now = stalled(0.3)
    assert stalls.excuses(RTT, now)
    stalls.handle_tick(now, now + 10.0)
    assert stalls.excuses(RTT, now + 0.3 + RTT + REPORTED_WITHIN - 0.01)
    assert not stalls.excuses(RTT, now + 0.3 + RTT + REPORTED_WITHIN + 0.01)


def test_a_stall_right_after_another_is_no_new_excuse() -> None:
    stalls, now = stalled(0.2)
    assert stalls.excuses(RTT, now)
    stalls.handle_tick(now, now + TICK)
    again = now + 0.2 + REST - 0.05
    assert not stalls.excuses(RTT, again), "late by nearly as long as that"
    stalls.handle_tick(again, again + TICK)
    later = again + 0.5
    assert stalls.excuses(RTT, later)


def test_the_longest_stall_counts_like_a_second() -> None:
    stalls, now = stalled(30.0)
    assert stalls.explain(LONGEST, RTT, now)
    assert not stalls.explain(LONGEST + 2 * MARGIN, RTT, now)


@pytest.mark.parametrize("line", [6e6, 2e6, 1.4e6])
@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3, 0.6])
def test_a_stall_costs_neither_the_estimate_nor_the_better_layer(line: float, seconds: float) -> None:
    for seed in range(1, 5):
        world = PictureWorld(Link(line, delay=0.02), seed=seed)
        world.run(15 + 0.037 * seed)
        before, moves = world.controller.estimate, len(world.moves)
        world.stall(seconds)
        stalled_at = world.time
        world.run(3)
        assert min(world.between(stalled_at, stalled_at + 3)) >= before
        assert len(world.moves) == moves


def test_a_machine_that_is_late_all_the_time_follows_a_path_that_got_narrow() -> None:
    for seed in range(1, 5):
        world = PictureWorld(Link(2e6, delay=0.02), seed=seed)
        world.run(15)
        world.link.rate = 500e3
        narrow_at = world.time
        while world.time < narrow_at + 10:
            world.run(0.3)
            world.stall(0.1)
        given_up = world.settled_on(0, narrow_at, narrow_at + 10)
        assert given_up is not None
        assert given_up <= 2.0
