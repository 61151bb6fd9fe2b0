"""The query parameters that lists share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


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


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _plus_was_a_space(value: object) -> object:
    """In a query "+02:00" arrives as " 02:00" unless it was escaped."""
    return value.replace(" ", "+") if isinstance(value, str) and "T" in value else value


class Search(Page):
    """`start_time` and `end_time` are ISO 8601; without an offset they are UTC. Times are shown to the
    millisecond, so the whole of `end_time`'s is meant."""

    search: Annotated[str, Field(max_length=256)] | None = None
    start_time: Annotated[datetime, BeforeValidator(_plus_was_a_space)] | None = None
    end_time: Annotated[datetime, BeforeValidator(_plus_was_a_space)] | None = None

    @property
    def since(self) -> datetime | None:
        return _aware(self.start_time) if self.start_time else None

    @property
    def until(self) -> datetime | None:
        if self.end_time is None:
            return None
        return _aware(self.end_time).replace(microsecond=self.end_time.microsecond // 1000 * 1000 + 999)
