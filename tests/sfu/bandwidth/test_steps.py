"""What a viewer sees when the path gets narrow and wide again, and when it loses: in simulated time."""

from __future__ import annotations

from statistics import mean

import pytest

from tests.sfu.bandwidth.picture import PictureWorld
from tests.sfu.bandwidth.world import Link

WIDE, NARROW = 2e6, 500e3
STEADY, NARROW_FOR, WIDE_FOR = 20.0, 20.0, 15.0
NARROW_AT, WIDE_AT = STEADY, STEADY + NARROW_FOR
END = WIDE_AT + WIDE_FOR
SEEDS = range(1, 9)


def stepped(seed: int, link: Link) -> PictureWorld:
    world = PictureWorld(link, seed=seed)
    world.run(STEADY)
    link.rate = NARROW
    world.run(NARROW_FOR)
    link.rate = WIDE
    world.run(WIDE_FOR)
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_down_is_adapted_to_within_two_seconds_and_seen_as_half_a_second_at_most(seed: int) -> None:
    world = stepped(seed, Link(WIDE, delay=0.02))
    assert max(world.gaps(5, NARROW_AT)) < 0.1, "nothing is amiss before"
    given_up = world.settled_on(0, NARROW_AT, WIDE_AT)
    assert given_up is not None, "the better layer is given up, and not tried again"
    assert given_up <= 1.0
    assert max(world.gaps(NARROW_AT, WIDE_AT)) <= 0.6
    assert max(world.between(NARROW_AT + 2, WIDE_AT)) <= 1.05 * NARROW
    assert mean(world.between(NARROW_AT + 5, WIDE_AT)) >= 0.8 * NARROW
    queued = sorted(seconds for at, seconds in world.queued if NARROW_AT + 2 <= at < WIDE_AT)
    assert queued[int(0.95 * len(queued))] <= 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_step_up_the_better_layer_is_back_within_ten_seconds(seed: int) -> None:
    world = stepped(seed, Link(WIDE, delay=0.02))
    back = world.settled_on(1, WIDE_AT, END)
    assert back is not None
    assert back <= 10.0


@pytest.mark.parametrize(("hiccup", "every"), [(0.05, 0.37), (0.1, 0.77), (0.2, 1.57)])
def test_a_receiver_whose_machine_stands_still_at_times_makes_no_narrow_path_wide(
    hiccup: float, every: float
) -> None:
    narrow = []
    for seed in SEEDS:
        world = stepped(seed, Link(WIDE, delay=0.02, hiccup=hiccup, hiccup_every=every))
        narrow += world.between(NARROW_AT + 2, WIDE_AT)
        given_up = world.settled_on(0, NARROW_AT, WIDE_AT)
        assert given_up is not None
        assert given_up <= 2.0
        assert world.settled_on(1, WIDE_AT, END) is not None
    assert 0.8 * NARROW <= mean(narrow) <= 1.15 * NARROW, f"{mean(narrow):.0f}"


@pytest.mark.parametrize("loss", [0.01, 0.05])
def test_losses_that_are_repaired_are_no_freezes(loss: float) -> None:
    for seed in SEEDS:
        world = PictureWorld(Link(WIDE, delay=0.02, loss=loss), seed=seed)
        world.run(30)
        assert world.layer == 1
        assert max(world.gaps(5, 30)) <= 0.5


def test_without_repairs_the_same_losses_are_freezes() -> None:
    world = PictureWorld(Link(WIDE, delay=0.02, loss=0.05), repair=False)
    world.run(30)
    assert max(world.gaps(5, 30)) > 0.5
