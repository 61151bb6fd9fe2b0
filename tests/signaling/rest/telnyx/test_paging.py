"""What the rooms API reads from a query: pages and spans of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from signaling.domain.time_range import ANY_TIME, TimeRange
from signaling.rest.telnyx.paging import RoomPage
from signaling.rest.telnyx.rooms import RoomQuery


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def created(**filters: str) -> TimeRange:
    return RoomQuery.model_validate(
        {f"filter[date_created_at][{op}]": value for op, value in filters.items()}
    ).created


def test_a_day_lasts_from_its_first_moment_to_the_first_of_the_next() -> None:
    assert created(eq="2026-01-31") == TimeRange(at(2026, 1, 31), at(2026, 2, 1))
    assert created(gte="2026-01-31") == TimeRange(at(2026, 1, 31), None)
    assert created(lte="2026-01-31") == TimeRange(None, at(2026, 2, 1))


def test_a_time_is_as_fine_as_times_are_shown() -> None:
    assert created(eq="2026-01-31T09:30:00.125Z") == TimeRange(
        at(2026, 1, 31, 9, 30, 0, 125_000), at(2026, 1, 31, 9, 30, 0, 126_000)
    )


@pytest.mark.parametrize("zone", ["+02:00", " 02:00"])
def test_an_offset_counts_also_where_its_plus_arrived_as_a_space(zone: str) -> None:
    assert created(gte=f"2026-01-31T09:30:00{zone}").since == at(2026, 1, 31, 7, 30)


def test_filters_count_together() -> None:
    assert created(gte="2026-01-01", lte="2026-01-31", eq="2026-01-05") == TimeRange(
        at(2026, 1, 5), at(2026, 1, 6)
    )
    assert created() == ANY_TIME


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2026-13-01", "2026-01-31T25:00", "9999-12-31", "1" * 5000]
)
def test_what_is_no_date_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        created(eq=value)


@pytest.mark.parametrize(
    ("query", "offset"),
    [({}, 0), ({"page[number]": "3"}, 40), ({"page[number]": "2", "page[size]": "250"}, 250)],
)
def test_pages_count_from_one(query: dict[str, Any], offset: int) -> None:
    assert RoomPage.model_validate(query).offset == offset


@pytest.mark.parametrize("query", [{"page[number]": "0"}, {"page[size]": "251"}, {"page[size]": "0"}])
def test_a_page_that_there_cannot_be_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RoomPage.model_validate(query)
