"""How long a worker goes on without signaling."""

from __future__ import annotations

import pytest

from sfu.control.custody import Custody, CustodyState
from sfu.errors import IllegalMoveError


def linked(grace: float) -> Custody:
    custody = Custody(grace)
    custody.handle_linked()
    return custody


def test_a_worker_that_carries_sessions_waits_for_the_grace_period_and_then_ends() -> None:
    custody = linked(grace=60.0)
    custody.handle_link_ended(100.0, sessions=1)
    states = [custody.state]
    assert custody.until == 160.0
    for now in (159.9, 160.0):
        custody.handle_time(now)
        states.append(custody.state)
    assert states == [CustodyState.ALONE, CustodyState.ALONE, CustodyState.ENDING]


def test_a_worker_that_carries_nothing_ends_with_its_link() -> None:
    custody = linked(grace=60.0)
    custody.handle_link_ended(100.0, sessions=0)
    assert custody.state is CustodyState.ENDING


def test_without_a_grace_period_a_worker_ends_with_its_link() -> None:
    custody = linked(grace=0.0)
    custody.handle_link_ended(100.0, sessions=3)
    assert custody.state is CustodyState.ENDING


def test_a_worker_that_was_taken_over_waits_anew_when_that_link_ends_too() -> None:
    custody = linked(grace=60.0)
    custody.handle_link_ended(100.0, sessions=1)
    custody.handle_linked()
    assert (custody.state, custody.until) == (CustodyState.LINKED, None)
    custody.handle_time(1000.0)
    assert custody.state is CustodyState.LINKED
    custody.handle_link_ended(2000.0, sessions=1)
    assert custody.until == 2060.0


def test_who_is_told_to_end_does_not_wait_and_is_not_taken_over() -> None:
    custody = linked(grace=60.0)
    custody.end()
    custody.end()
    custody.handle_link_ended(100.0, sessions=1)
    assert custody.state is CustodyState.ENDING
    with pytest.raises(IllegalMoveError, match="ending cannot become linked"):
        custody.handle_linked()


def test_a_worker_that_is_still_being_started_never_waits() -> None:
    custody = Custody(60.0)
    custody.handle_link_ended(100.0, sessions=1)
    assert custody.state is CustodyState.ENDING
