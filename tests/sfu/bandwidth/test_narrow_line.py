"""The node between a publisher that stops what nobody receives and a viewer whose line gets narrow.

The steps of the impairment matrix in simulated time: 2 Mbit/s, then 500 kbit/s, then 2 Mbit/s again.
"""

from __future__ import annotations

from statistics import mean

import pytest

from tests.sfu.bandwidth.node import NodeWorld
from tests.sfu.bandwidth.world import Link

WIDE, NARROW = 2e6, 500e3
NARROW_AT, WIDE_AT, END = 10.0, 32.0, 43.0
SEEDS = range(1, 4)
IN_TIME = 0.15
"""Seconds for which a browser holds frames back to show them evenly, about: it goes on without later ones."""


def stepped(seed: int, link: Link) -> NodeWorld:
    world = NodeWorld(link, seed=seed)
    world.run(NARROW_AT)
    link.rate = NARROW
    world.run(WIDE_AT - NARROW_AT)
    link.rate = WIDE
    world.run(END - WIDE_AT)
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_narrow_line_the_better_layer_is_given_up_once_and_comes_back_when_the_line_is_wide(
    seed: int,
) -> None:
    world = stepped(seed, Link(WIDE, delay=0.02))
    before = [what for at, what in world.tries if at < NARROW_AT]
    narrow = [(at, what) for at, what in world.tries if NARROW_AT <= at < WIDE_AT]
    assert before[-1] == 1
    assert [what for _, what in narrow] == [0], "it is known to cost more"
    given_up = world.settled_on(0, NARROW_AT, WIDE_AT)
    assert given_up is not None
    assert given_up <= 2.0
    back = world.settled_on(1, WIDE_AT, END)
    assert back is not None
    assert back <= 10.0
    assert world.publisher.stopped == {1}, "the publisher was told to stop it, and to go on"
    assert 0.85 * NARROW <= mean(world.between(NARROW_AT + 3, WIDE_AT)) <= 1.1 * NARROW
    assert max(world.gaps(NARROW_AT, WIDE_AT)) <= 0.6


@pytest.mark.parametrize(("hiccup", "every"), [(0.1, 0.77), (0.2, 1.57)])
def test_a_receiver_that_stands_still_at_times_does_not_have_it_tried_again_and_again(
    hiccup: float, every: float
) -> None:
    tries = 0
    for seed in SEEDS:
        world = stepped(seed, Link(WIDE, delay=0.02, hiccup=hiccup, hiccup_every=every))
        tries += sum(what == 1 for at, what in world.tries if NARROW_AT + 2 <= at < WIDE_AT)
        assert world.settled_on(1, WIDE_AT, END) is not None
    assert tries <= 1


@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2])
def test_nearly_all_frames_get_through_losses(loss: float) -> None:
    for seed in SEEDS:
        world = NodeWorld(Link(WIDE, delay=0.02, loss=loss), seed=seed)
        world.run(10)
        published, seen = world.publisher.frames, len(world.shown)
        world.run(10)
        assert world.consumer.limit is not None
        assert world.consumer.limit.spatial == 1
        assert world.publisher.frames - published - (len(world.shown) - seen) < 15, "of 300"
        assert max(world.gaps(10, 20)) <= (0.5 if loss <= 0.05 else 1.0)
        assert mean(world.between(10, 20)) >= 0.75 * WIDE


@pytest.mark.parametrize(("loss", "late"), [(0.1, 0.02), (0.2, 0.12)])
def test_few_frames_wait_for_a_second_request(loss: float, late: float) -> None:
    for seed in SEEDS:
        world = NodeWorld(Link(WIDE, delay=0.02, loss=loss), seed=seed)
        world.run(20)
        delays = [delay for at, delay in world.viewer.late if at > 8]
        least = min(delays)
        assert sum(delay - least > IN_TIME for delay in delays) <= late * len(delays)


def test_without_repairs_they_do_not() -> None:
    world = NodeWorld(Link(WIDE, delay=0.02, loss=0.1), nacks=False)
    world.run(15)
    assert len(world.shown) / world.publisher.frames < 0.5
