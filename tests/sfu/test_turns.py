"""Who gets a turn when: the busy at once, the lively ten times a second, the quiet once, who rests hardly."""

from __future__ import annotations

from dataclasses import dataclass

from sfu.turns import PHASES, SLOW_INTERVAL, Turns

TICK = 0.02
START = 100.0


@dataclass(eq=False)
class Fake:
    id: str
    busy: bool = False
    restless: bool = False
    quiet: bool = True
    rests_until: float = 0.0


class Clock:
    """Turns of these, asked every 20 ms from the start on."""

    def __init__(self, *fakes: Fake) -> None:
        self.turns: Turns[Fake] = Turns()
        self._steps = 0
        for one in fakes:
            self.turns.add(one)

    def pass_by(self, seconds: float) -> dict[str, int]:
        """How many turns each had, of those who had any."""
        counts: dict[str, int] = {}
        for _ in range(round(seconds / TICK)):
            due, _ = self.turns.poll(START + self._steps * TICK)
            self._steps += 1
            for one in due:
                counts[one.id] = counts.get(one.id, 0) + 1
        return counts


def test_a_quiet_one_has_a_turn_every_second() -> None:
    counts = Clock(*(Fake(str(number)) for number in range(50))).pass_by(10.0)
    assert len(counts) == 50
    assert set(counts.values()) <= {9, 10, 11}, counts


def test_quiet_ones_are_spread_over_the_second() -> None:
    clock = Clock(*(Fake(f"tp_{number}") for number in range(1000)))
    sizes = [sum(clock.pass_by(SLOW_INTERVAL).values()) for _ in range(PHASES)]
    assert sum(sizes) >= 1000
    assert max(sizes) < 300, sizes


def test_a_lively_one_has_ten_turns_a_second() -> None:
    assert 9 <= Clock(Fake("a", quiet=False)).pass_by(1.0)["a"] <= 11


def test_a_busy_one_has_every_turn_and_an_idle_restless_one_only_the_slow_ones() -> None:
    busy = Fake("busy", busy=True, restless=True, quiet=False)
    waiting = Fake("waiting", restless=True, quiet=False)
    counts = Clock(busy, waiting).pass_by(1.0)
    assert counts["busy"] == 50
    assert 9 <= counts["waiting"] <= 11


def test_one_that_was_closed_has_no_turn_any_more() -> None:
    busy = Fake("busy", busy=True, restless=True, quiet=False)
    clock = Clock(busy)
    clock.turns.poll(START)
    clock.turns.forget(busy)
    assert clock.turns.poll(START + TICK) == ([], False)


def test_one_that_becomes_busy_in_its_slow_turn_has_the_next_fast_one() -> None:
    one = Fake("a", quiet=False)
    clock = Clock(one)
    assert clock.turns.poll(START) == ([one], True)
    one.busy = one.restless = True
    assert clock.turns.poll(START + TICK) == ([one], False)


def test_one_that_was_closed_in_its_slow_turn_has_no_fast_one() -> None:
    one = Fake("a", busy=True, restless=True, quiet=False)
    clock = Clock(one)
    clock.turns.poll(START)
    clock.turns.forget(one)
    assert clock.turns.poll(START + TICK) == ([], False)


def at_rest(seconds: float) -> tuple[Clock, Fake]:
    """One whose turn of the second left it at rest for so long from the start."""
    one = Fake("a", rests_until=START + seconds)
    clock = Clock(one)
    assert clock.pass_by(1.5) == {"a": 1}
    return clock, one


def test_one_at_rest_has_its_next_turn_when_that_is_over() -> None:
    clock, _ = at_rest(8.0)
    assert clock.pass_by(6.0) == {}
    assert clock.pass_by(2.0)["a"] >= 1


def test_one_that_is_woken_has_the_next_slow_turn_and_then_one_a_second_again() -> None:
    clock, one = at_rest(60.0)
    one.rests_until = 0.0
    clock.turns.wake(one)
    assert "a" in clock.pass_by(SLOW_INTERVAL + TICK)
    assert 4 <= clock.pass_by(5.0)["a"] <= 6


def test_one_that_is_woken_just_when_it_would_rest_does_not() -> None:
    one = Fake("a", quiet=False, rests_until=START + 60.0)
    clock = Clock(one)
    assert clock.turns.poll(START) == ([one], True)
    one.rests_until, one.quiet = 0.0, True
    clock.turns.wake(one)
    assert clock.turns.poll(START + SLOW_INTERVAL) == ([one], True)


def test_what_passes_through_one_at_rest_is_seen_within_a_second() -> None:
    clock, one = at_rest(60.0)
    one.quiet = False
    assert clock.pass_by(1.1)["a"] >= 1


def test_one_that_was_closed_at_rest_has_no_turn_any_more() -> None:
    clock, one = at_rest(5.0)
    clock.turns.forget(one)
    clock.turns.wake(one)
    assert clock.pass_by(10.0) == {}


def test_one_that_was_closed_just_when_it_would_rest_has_none_either() -> None:
    one = Fake("a", quiet=False, rests_until=START + 5.0)
    clock = Clock(one)
    assert clock.turns.poll(START) == ([one], True)
    clock.turns.forget(one)
    assert clock.pass_by(10.0) == {}


def test_who_has_none_or_only_resting_ones_is_idle() -> None:
    clock, one = at_rest(60.0)
    assert clock.turns.idle
    clock.turns.wake(one)
    assert not clock.turns.idle
    clock.turns.forget(one)
    assert clock.turns.idle


def test_a_timer_that_comes_a_little_early_has_the_slow_turn_all_the_same() -> None:
    one = Fake("a", quiet=False)
    clock = Clock(one)
    for number in range(10):
        assert clock.turns.poll(START + 0.999 * SLOW_INTERVAL * number) == ([one], True)
