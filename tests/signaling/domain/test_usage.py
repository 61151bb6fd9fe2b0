from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random

from signaling.domain.usage import Days, Span, Tally, Usage

FIRST, SECOND, THIRD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
DAYS = Days(FIRST, THIRD)
LATER = datetime(2026, 4, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    """After the midnight that the first day begins with."""
    return DAYS.since + timedelta(hours=hours)


def span(since: float, until: float | None, session_id: str = "s") -> Span:
    return Span(f"peer-{since}-{until}", session_id, None, at(since), None if until is None else at(until))


def tallied(spans: Iterable[Span], now: datetime = LATER) -> Tally:
    tally = Tally(DAYS, now)
    for one in sorted(spans, key=lambda one: one.joined_at):
        tally.add(one)
    return tally


def hours(tally: Tally) -> list[tuple[float, int, int]]:
    return [(usage.participant_seconds / 3600, usage.sessions, usage.peak) for _, usage in tally.days()]


def test_time_counts_to_the_days_in_which_it_was() -> None:
    tally = tallied([span(23, 50)])
    assert hours(tally) == [(1, 1, 1), (24, 1, 1), (2, 1, 1)]
    assert tally.total() == Usage(27 * 3600, 1, 1)


def test_what_began_before_the_first_day_or_goes_on_after_the_last_counts_as_far_as_it_is_within() -> None:
    assert hours(tallied([span(-5, 1), span(70, 80), span(-9, -8), span(72, 73)])) == [
        (1, 1, 1),
        (0, 0, 0),
        (2, 1, 1),
    ]


def test_who_is_in_still_has_been_in_until_now() -> None:
    assert hours(tallied([span(1, None)], now=at(30))) == [(23, 1, 1), (6, 1, 1), (0, 0, 0)]


def test_sessions_of_several_days_are_one_session() -> None:
    tally = tallied([span(23, 25, "a"), span(26, 27, "b"), span(28, 29, "b")])
    assert hours(tally) == [(1, 1, 1), (3, 2, 1), (0, 0, 0)]
    assert tally.total().sessions == 2


def test_the_most_at_once_are_counted_over_all_sessions_and_over_midnight() -> None:
    assert hours(tallied([span(1, 3, "a"), span(2, 4, "b"), span(4, 5, "b")])) == [
        (5, 2, 2),
        (0, 0, 0),
        (0, 0, 0),
    ]
    over_midnight = tallied([span(22, 30), span(23, 30), span(24, 31), span(23, 24)])
    assert [peak for _, _, peak in hours(over_midnight)] == [3, 3, 0]


def test_it_is_what_counting_each_minute_gives() -> None:
    rng = Random(4)
    spans = []
    for number in range(200):
        since = rng.randrange(-600, 72 * 60)
        spans.append(
            Span(
                f"peer-{number}",
                f"s{rng.randrange(20)}",
                None,
                DAYS.since + timedelta(minutes=since),
                DAYS.since + timedelta(minutes=since + rng.randrange(1, 900)),
            )
        )
    counted = []
    for day in range(3):
        present = [
            [one for one in spans if one.left_at and one.joined_at <= minute < one.left_at]
            for minute in (DAYS.since + timedelta(minutes=day * 1440 + n) for n in range(1440))
        ]
        minutes = sum(len(one) for one in present)
        sessions = {one.session_id for those in present for one in those}
        counted.append((minutes * 60, len(sessions), max(len(one) for one in present)))
    told = [(usage.participant_seconds, usage.sessions, usage.peak) for _, usage in tallied(spans).days()]
    assert told == counted
