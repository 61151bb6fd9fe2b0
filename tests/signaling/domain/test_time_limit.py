"""When a session is over, and when its people are warned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from signaling.domain.time_limit import TimeLimit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_without_a_limit_it_is_never_over() -> None:
    limit = TimeLimit(NOON, None)
    assert not limit.over(after(10**6))
    assert not limit.warning_due(after(10**6))
    assert limit.ends_at is limit.left(NOON) is None


def test_it_warns_twice_and_is_over_to_the_second() -> None:
    limit = TimeLimit(NOON, 600)
    due = []
    for second in range(0, 601):
        if limit.warning_due(after(second)):
            limit.handle_warned(after(second))
            due.append(limit.left(after(second)))
    assert due == [300, 60]
    assert not limit.over(after(599.5))
    assert limit.over(after(600))


def test_a_look_that_comes_late_warns_once_of_what_is_left() -> None:
    limit = TimeLimit(NOON, 600)
    assert limit.warning_due(after(550))
    limit.handle_warned(after(550))
    assert not limit.warning_due(after(551))


def test_a_short_session_is_warned_at_its_start() -> None:
    assert TimeLimit(NOON, 60).warning_due(NOON)
