"""What an organization used: counted when it is asked for, from who was in when.

It is read in portions, each in a unit of its own, so that nobody waits long for the store or for the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from signaling.domain.caller import Caller
from signaling.domain.plan import Feature
from signaling.domain.unit import Branch, Unit, UnitPath
from signaling.domain.usage import Days, Span, Tally, Usage
from signaling.errors import ValidationFailedError
from signaling.services.organizations import check_feature
from signaling.services.ports import Clock, UnitOfWorkFactory
from signaling.services.units import branch_of

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


@dataclass(frozen=True, slots=True)
class _Counting:
    """To which units a span is counted: to its own, and to those of `above` that its own lies in."""

    above: Mapping[str, UnitPath]
    """Of the units that are told of, by their ids: those of them on the way to it, itself included."""

    @classmethod
    def of(cls, units: Sequence[Unit]) -> _Counting:
        told = {unit.id for unit in units}
        return cls({unit.id: tuple(one for one in unit.path if one in told) for unit in units})

    def units_of(self, span: Span) -> Sequence[str | None]:
        """One that was removed since is in no other."""
        own = span.unit_id
        return (own,) if own is None else self.above.get(own, (own,))


class UsageService:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def report(
        self,
        caller: Caller,
        first: date | None = None,
        last: date | None = None,
        *,
        by_unit: bool = False,
        unit_id: str | None = None,
        with_below: bool = False,
    ) -> UsageReport:
        """Both days included; without them the last 30. `unit_id`: only of this unit. `with_below`: what is
        of a unit is of every unit above it, too.

        Raises `ValidationFailedError` for days in the wrong order, and for more than 93, `NotFoundError`
        for a unit that is not there for the caller, and `FeatureDisabledError` where the plan has no
        analytics: then only the platform is told.
        """
        organization_id = caller.organization_id
        days, now = self._days(first, last), self._clock.now()
        async with self._units(reading=True) as uow:
            if not caller.platform:
                await check_feature(uow, organization_id, Feature.ANALYTICS)
            branch = await branch_of(uow, caller, unit_id, alone=not with_below)
            top = None if branch is None else branch.unit_id
            rolled_up = by_unit and with_below
            known = await uow.units.all(organization_id, within=top) if rolled_up else ()
        counting = _Counting.of(known)
        whole, of_units = Tally(days, now), dict[str | None, Tally]()
        async for span in self._spans(organization_id, days, branch):
            whole.add(span)
            for one in counting.units_of(span) if by_unit else ():
                of_units.setdefault(one, Tally(days, now)).add(span)
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

    async def _spans(self, organization_id: str, days: Days, branch: Branch | None) -> AsyncIterator[Span]:
        async with self._units(reading=True) as uow:
            before = await uow.history.spans_over(organization_id, days.since, branch=branch)
        for span in before:
            yield span
        last: Span | None = None
        while True:
            async with self._units(reading=True) as uow:
                portion = await uow.history.spans(
                    organization_id, days.since, days.until, after=last, limit=PORTION, branch=branch
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
