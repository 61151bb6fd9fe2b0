"""What two spans of time have in common."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signaling.domain.time_range import ANY_TIME, TimeRange

EARLY, MIDDLE, LATE = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 6, 12))


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (ANY_TIME, ANY_TIME, ANY_TIME),
        (TimeRange(EARLY), ANY_TIME, TimeRange(EARLY)),
        (TimeRange(EARLY), TimeRange(MIDDLE), TimeRange(MIDDLE)),
        (TimeRange(None, LATE), TimeRange(EARLY, MIDDLE), TimeRange(EARLY, MIDDLE)),
        (TimeRange(EARLY, MIDDLE), TimeRange(MIDDLE, LATE), TimeRange(MIDDLE, MIDDLE)),
    ],
)
def test_the_narrower_end_counts(one: TimeRange, other: TimeRange, common: TimeRange) -> None:
    assert one.within(other) == common
    assert other.within(one) == common
