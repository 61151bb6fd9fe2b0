"""Who gets a turn when: the busy at once, the lively ten times a second, the quiet once a second."""

from __future__ import annotations

from dataclasses import dataclass

from sfu.turns import Turns

TICK = 0.02


@dataclass(eq=False)
class Fake:
    id: str
    busy: bool = False
    restless: bool = False
    quiet: bool = True


def turns_in(seconds: float, *transports: Fake) -> dict[str, int]:
    turns: Turns[Fake] = Turns()
    counts = {one.id: 0 for one in transports}
    for step in range(round(seconds / TICK)):
        due, _ = turns.poll(transports, 100.0 + step * TICK)
        for one in due:
            counts[one.id] += 1
    return counts


def test_a_quiet_one_has_a_turn_every_second() -> None:
    counts = turns_in(10.0, *(Fake(str(number)) for number in range(50)))
    assert set(counts.values()) <= {9, 10, 11}, counts


def test_quiet_ones_are_spread_over_the_second() -> None:
    turns: Turns[Fake] = Turns()
    quiet = [Fake(f"tp_{number}") for number in range(1000)]
    sizes = []
    for step in range(50):
        due, slow = turns.poll(quiet, 100.0 + step * TICK)
        if slow:
            sizes.append(len(due))
    assert sum(sizes) >= 1000
    assert max(sizes) < 300, sizes


def test_a_lively_one_has_ten_turns_a_second() -> None:
    assert 9 <= turns_in(1.0, Fake("a", quiet=False))["a"] <= 11


def test_a_busy_one_has_every_turn_and_an_idle_restless_one_only_the_slow_ones() -> None:
    busy = Fake("busy", busy=True, restless=True, quiet=False)
    waiting = Fake("waiting", restless=True, quiet=False)
    counts = turns_in(1.0, busy, waiting)
    assert counts["busy"] == 50
    assert 9 <= counts["waiting"] <= 11


def test_one_that_was_closed_has_no_turn_any_more() -> None:
    turns: Turns[Fake] = Turns()
    busy = Fake("busy", busy=True, restless=True, quiet=False)
    turns.poll([busy], 100.0)
    turns.forget(busy)
    assert turns.poll([], 100.02) == ([], False)


def test_one_that_becomes_busy_in_its_slow_turn_has_the_next_fast_one() -> None:
    turns: Turns[Fake] = Turns()
    one = Fake("a", quiet=False)
    assert turns.poll([one], 100.0) == ([one], True)
    one.busy = one.restless = True
    assert turns.poll([one], 100.0 + TICK) == ([one], False)


def test_one_that_was_closed_in_its_slow_turn_has_no_fast_one() -> None:
    turns: Turns[Fake] = Turns()
    one = Fake("a", busy=True, restless=True, quiet=False)
    turns.poll([one], 100.0)
    turns.forget(one)
    assert turns.poll([], 100.0 + TICK) == ([], False)
