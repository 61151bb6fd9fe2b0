"""What an organization used: counted when it is asked for, from who was in when.

It is read in portions, each in a unit of its own, so that nobody waits long for the store or for the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from signaling.domain.usage import Days, Span, Tally, Usage
from signaling.errors import ValidationFailedError
from signaling.services.ports import Clock, UnitOfWorkFactory

MAX_DAYS: Final = 93
"""Of one question."""
DEFAULT_DAYS: Final = 30
PORTION: Final = 500
"""Times that somebody was in, read at once."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    day: date
    unit_id: str | None
    """Of the meeting when the session began. None: of no unit, or of all where they are not told apart."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class UsageReport:
    organization_id: str
    days: Days
    total: Usage
    rows: Sequence[UsageRow]
    """By day and unit; every day is there, but of units only days with something on them."""


class UsageService:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def report(
        self,
        organization_id: str,
        first: date | None = None,
        last: date | None = None,
        *,
        by_unit: bool = False,
        unit_id: str | None = None,
    ) -> UsageReport:
        """Both days included; without them the last 30. `unit_id`: only of this unit. Raises
        `ValidationFailedError` for days in the wrong order, and for more than 93."""
        days, now = self._days(first, last), self._clock.now()
        whole, of_units = Tally(days, now), dict[str | None, Tally]()
        async for span in self._spans(organization_id, days):
            if unit_id is not None and span.unit_id != unit_id:
                continue
            whole.add(span)
            if by_unit:
                of_units.setdefault(span.unit_id, Tally(days, now)).add(span)
        rows = [UsageRow(day, unit_id, usage) for day, usage in whole.days()]
        if by_unit:
            rows = sorted(
                (
                    UsageRow(day, one, usage)
                    for one, tally in of_units.items()
                    for day, usage in tally.days()
                    if usage.sessions
                ),
                key=lambda row: (row.day, row.unit_id or ""),
            )
        return UsageReport(organization_id, days, whole.total(), rows)

    async def _spans(self, organization_id: str, days: Days) -> AsyncIterator[Span]:
        async with self._units(reading=True) as uow:
            before = await uow.history.spans_over(organization_id, days.since)
        for span in before:
            yield span
        last: Span | None = None
        while True:
            async with self._units(reading=True) as uow:
                portion = await uow.history.spans(
                    organization_id, days.since, days.until, after=last, limit=PORTION
                )
            for span in portion:
                yield span
            if len(portion) < PORTION:
                return
            last = portion[-1]

    def _days(self, first: date | None, last: date | None) -> Days:
        last = last or max(self._clock.now().date(), first or date.min)
        first = first or last - timedelta(days=DEFAULT_DAYS - 1)
        days = Days(first, last)
        if first > last:
            raise ValidationFailedError("start_date: is after end_date. Exchange them.", field="start_date")
        if len(days) > MAX_DAYS:
            raise ValidationFailedError(
                f"start_date: more than {MAX_DAYS} days before end_date. Ask for a part at a time.",
                field="start_date",
            )
        return days
