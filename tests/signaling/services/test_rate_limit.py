from __future__ import annotations

from signaling.services.rate_limit import WINDOW, RateLimit


def test_all_of_it_may_be_asked_for_at_once_and_then_as_fast_as_time_goes_by() -> None:
    limit = RateLimit("key", 60)
    first = [limit.take("ada", 100.0) for _ in range(60)]
    assert all(one.granted for one in first)
    assert [one.remaining for one in first] == list(range(59, -1, -1))
    refused = limit.take("ada", 100.0)
    assert (refused.granted, refused.remaining, refused.retry_after, refused.reset) == (False, 0, 1, 60)
    assert limit.take("bea", 100.0).granted, "each has a limit of their own"
    assert not limit.take("ada", 100.9).granted
    assert limit.take("ada", 101.0).granted
    assert not limit.take("ada", 101.0).granted
    later = [limit.take("ada", 101.0 + WINDOW) for _ in range(61)]
    assert [one.granted for one in later] == [True] * 60 + [False]


def test_who_waits_as_long_as_told_is_let_in() -> None:
    limit, now = RateLimit("key", 7), 0.0
    for _ in range(200):
        standing = limit.take("ada", now)
        if standing.retry_after is not None:
            now += standing.retry_after
            assert limit.take("ada", now).granted


def test_what_is_remembered_is_bounded_and_ends_with_the_window() -> None:
    limit = RateLimit("address", 2, max_tracked=100)
    for number in range(1000):
        limit.take(str(number), 0.0)
    assert len(limit) == 100
    for number in range(200):
        limit.take("the last one", 1000.0 + number * WINDOW)
    assert len(limit) == 1
