"""When nothing is on its way any more."""

from __future__ import annotations

import math

from sfu.load.silence import Silence


def looks(silence: Silence, *received: int) -> list[bool]:
    return [silence.handle(one) for one in received]


def test_it_takes_so_many_looks_in_a_row_at_which_nothing_had_come() -> None:
    assert looks(Silence(math.inf, 3), 5, 5, 5, 6, 6, 6, 6) == [False] * 6 + [True]


def test_where_all_that_is_due_has_come_one_more_look_will_do() -> None:
    assert looks(Silence(6, 3), 5, 5, 6, 6) == [False, False, False, True]


def test_more_than_is_due_is_waited_for_too() -> None:
    assert looks(Silence(6, 3), 6, 7, 7) == [False, False, True]
