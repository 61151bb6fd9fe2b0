"""A worker hangs that says nothing in time that it had."""

from __future__ import annotations

import pytest

from sfu.client import CoreUse
from signaling.nodes.silence import MOST_PATIENCE, Silence


def silence(use: CoreUse | None) -> Silence:
    begun = Silence()
    begun.end(100.0, use)
    return begun


def watched(begun: Silence, seconds: int, ran: float, *, ready: bool) -> None:
    """Looked at once a second, for so long, in which it ran that part of the time."""
    for second in range(1, seconds + 1):
        begun.look(100.0 + second, CoreUse(7.0 + ran * second, ready))


@pytest.mark.parametrize(
    ("ran", "ready", "could_answer"),
    [(0.0, False, 4.0), (0.0, True, 0.0), (0.25, True, 1.0), (1.0, True, 4.0)],
    ids=["sleeps", "has no core", "has a quarter of one", "turns in circles"],
)
def test_one_that_waits_for_a_core_could_have_answered_while_it_ran(
    ran: float, ready: bool, could_answer: float
) -> None:
    begun = silence(CoreUse(7.0, ready=True))
    watched(begun, 4, ran, ready=ready)
    assert begun.could_answer == pytest.approx(could_answer)


def test_it_hangs_after_that_much_of_such_time() -> None:
    begun = silence(CoreUse(7.0, ready=False))
    watched(begun, 5, 0.0, ready=False)
    assert not begun.hangs(105.0, 5.0)
    begun.look(105.1, CoreUse(7.0, ready=False))
    assert begun.hangs(105.1, 5.0)


def test_nobody_is_waited_for_without_end() -> None:
    begun = silence(CoreUse(7.0, ready=True))
    watched(begun, 100, 0.0, ready=True)
    assert not begun.hangs(100.0 + 5 * MOST_PATIENCE, 5.0)
    assert begun.hangs(100.1 + 5 * MOST_PATIENCE, 5.0)


def test_where_nothing_is_known_all_time_counts() -> None:
    begun = silence(None)
    begun.look(105.1, None)
    assert begun.hangs(105.1, 5.0)


def test_it_begins_again_whenever_something_is_heard() -> None:
    begun = silence(CoreUse(7.0, ready=False))
    watched(begun, 4, 0.0, ready=False)
    begun.end(104.0, CoreUse(7.0, ready=False))
    begun.look(108.0, CoreUse(7.0, ready=False))
    assert not begun.hangs(108.0, 5.0)
