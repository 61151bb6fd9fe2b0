"""What queries of the rooms API say: which page, and which things, as "deep objects".

    page[number]=2  page[size]=50  filter[date_created_at][gte]=2026-01-31  filter[active]=true

A date stands for its whole day in UTC, a time for its millisecond, which is as finely as times are shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from signaling.domain.time_range import TimeRange

PARAMETERS: Final = frozenset({"include_sessions", "include_participants"})
"""Of queries, besides those with brackets."""
_SHAPE: Final = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]{5,18}(Z|[+ -]\d\d:?\d\d)?)?")
_DAY: Final = len("2026-01-31")
_FINENESS: Final = timedelta(milliseconds=1)


class RoomPage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    page_number: Annotated[int, Field(ge=1, le=1_000_000, alias="page[number]")] = 1
    page_size: Annotated[int, Field(ge=1, le=250, alias="page[size]")] = 20

    @property
    def offset(self) -> int:
        return (self.page_number - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Moment:
    """From `first` until `after`."""

    first: datetime
    after: datetime


def _parse(value: Any) -> Any:
    """What is no date and no time is left as it is, for the validation that follows to refuse."""
    if not isinstance(value, str):
        return value
    try:
        if not _SHAPE.fullmatch(value):
            raise ValueError
        # In a query a plus arrives as a space unless it was escaped.
        time = datetime.fromisoformat(value.replace(" ", "+"))
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        lasting = timedelta(days=1) if len(value) == _DAY else _FINENESS
        return Moment(time, time + lasting)
    except (ValueError, OverflowError):
        raise ValueError("must be a date (2026-01-31) or a time in ISO 8601") from None


When = Annotated[
    Moment,
    BeforeValidator(_parse),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
    ),
]


def span(eq: Moment | None, gte: Moment | None, lte: Moment | None) -> TimeRange:
    """In all of those that are given."""
    exactly = TimeRange(eq.first, eq.after) if eq else TimeRange()
    return exactly.within(TimeRange(gte.first if gte else None, lte.after if lte else None))


class UpdatedPage(RoomPage):
    """Of what was changed within a time."""

    updated_eq: Annotated[When | None, Field(alias="filter[date_updated_at][eq]")] = None
    updated_gte: Annotated[When | None, Field(alias="filter[date_updated_at][gte]")] = None
    updated_lte: Annotated[When | None, Field(alias="filter[date_updated_at][lte]")] = None

    @property
    def updated(self) -> TimeRange:
        return span(self.updated_eq, self.updated_gte, self.updated_lte)


class CreatedPage(UpdatedPage):
    """Of what was made within a time, and changed within one."""

    created_eq: Annotated[When | None, Field(alias="filter[date_created_at][eq]")] = None
    created_gte: Annotated[When | None, Field(alias="filter[date_created_at][gte]")] = None
    created_lte: Annotated[When | None, Field(alias="filter[date_created_at][lte]")] = None

    @property
    def created(self) -> TimeRange:
        return span(self.created_eq, self.created_gte, self.created_lte)
