"""The query parameters that lists share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class UnitQuery(BaseModel):
    """Of a unit of the organization; without `unit_id`: of all that the credential reaches."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    unit_id: Annotated[str, Field(max_length=64)] | None = None
    include_units_below: bool = False
    """Besides those of the unit, what is of the units below it."""


class Page(BaseModel):
    """`page_no` counts from 1; 0 is taken for the first page too."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    page_no: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 20

    @property
    def offset(self) -> int:
        return (max(self.page_no, 1) - 1) * self.per_page


def _in_utc(value: datetime) -> datetime:
    """With some offsets the first and the last day that there are lie beyond what there is in UTC."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be between the years 1 and 9999 in UTC") from None


IN_UTC: Final = AfterValidator(_in_utc)


def _plus_was_a_space(value: object) -> object:
    """In a query "+02:00" arrives as " 02:00" unless it was escaped."""
    return value.replace(" ", "+") if isinstance(value, str) and "T" in value else value


class Search(Page):
    """`start_time` and `end_time` are ISO 8601; without an offset they are UTC. Times are shown to the
    millisecond, so the whole of `end_time`'s is meant."""

    search: Annotated[str, Field(max_length=256)] | None = None
    start_time: Annotated[datetime, BeforeValidator(_plus_was_a_space), IN_UTC] | None = None
    end_time: Annotated[datetime, BeforeValidator(_plus_was_a_space), IN_UTC] | None = None

    @property
    def since(self) -> datetime | None:
        return self.start_time

    @property
    def until(self) -> datetime | None:
        if self.end_time is None:
            return None
        return self.end_time.replace(microsecond=self.end_time.microsecond // 1000 * 1000 + 999)
