"""`/v2/analytics/daywise` and `/v2/usage`: what an organization used, by day in UTC."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.usage import Usage, in_minutes
from signaling.errors import FeatureDisabledError, NotFoundError
from signaling.rest.access import caller_of
from signaling.rest.envelope import success
from signaling.rest.operation import Operation
from signaling.rest.paging import UnitQuery
from signaling.rest.parsing import Answer, parse_query, shown
from signaling.services.analytics import UsageReport, UsageService

CSV: Final = "text/csv"
_DAY: Final = "2026-01-31"


class DaysQuery(UnitQuery):
    """Both days included; the last 30 without them, at most 93."""

    start_date: Annotated[date, Field(ge=date(2000, 1, 1), le=date(9000, 1, 1))] | None = None
    end_date: Annotated[date, Field(ge=date(2000, 1, 1), le=date(9000, 1, 1))] | None = None


class UsageQuery(DaysQuery):
    group_by: Literal["day", "unit"] = "day"
    """`unit`: a row for each unit of each day. With `include_units_below` what is of a unit is in the rows of
    those above it, too."""


class DayStat(Answer):
    day: date
    total_sessions: int
    total_session_minutes: float


class SessionStats(Answer):
    sessions_count: int
    sessions_minutes_consumed: float
    day_stats: list[DayStat]


class RecordingDayStat(Answer):
    day: date
    total_recordings: int
    total_recording_minutes: int


class RecordingStats(Answer):
    recording_count: int
    recording_minutes_consumed: float
    day_stats: list[RecordingDayStat]


class Daywise(Answer):
    model_config = shown(
        {
            "session_stats": {
                "sessions_count": 2,
                "sessions_minutes_consumed": 90.5,
                "day_stats": [{"day": _DAY, "total_sessions": 2, "total_session_minutes": 90.5}],
            },
            "recording_stats": {"recording_count": 0, "recording_minutes_consumed": 0, "day_stats": []},
        }
    )

    session_stats: SessionStats
    recording_stats: RecordingStats
    """Zero: nothing is recorded yet."""

    @classmethod
    def of(cls, report: UsageReport) -> Daywise:
        days = [
            DayStat(
                day=row.day,
                total_sessions=row.usage.sessions,
                total_session_minutes=in_minutes(row.usage.participant_seconds),
            )
            for row in report.rows
        ]
        return cls(
            session_stats=SessionStats(
                sessions_count=report.total.sessions,
                sessions_minutes_consumed=in_minutes(report.total.participant_seconds),
                day_stats=days,
            ),
            recording_stats=RecordingStats(recording_count=0, recording_minutes_consumed=0.0, day_stats=[]),
        )


_FIGURES: Final = {"participant_minutes": 90.5, "sessions": 2, "peak_concurrent_participants": 4}


class Figures(Answer):
    participant_minutes: float
    sessions: int
    """Different ones."""
    peak_concurrent_participants: int
    """The most at once, in all sessions together."""

    @classmethod
    def of(cls, usage: Usage) -> Figures:
        return cls(**_figures(usage))


class UsageRowAnswer(Figures):
    day: date
    unit_id: str | None


class UsageAnswer(Answer):
    model_config = shown(
        {
            "organization_id": "6f0d5a5b-7c11-4c0b-8c1e-5f1f4d5c9d0a",
            "start_date": _DAY,
            "end_date": _DAY,
            "total": _FIGURES,
            "rows": [{"day": _DAY, "unit_id": None, **_FIGURES}],
        }
    )

    organization_id: str
    start_date: date
    end_date: date
    total: Figures
    rows: list[UsageRowAnswer]

    @classmethod
    def of(cls, report: UsageReport) -> UsageAnswer:
        return cls(
            organization_id=report.organization_id,
            start_date=report.days.first,
            end_date=report.days.last,
            total=Figures.of(report.total),
            rows=[
                UsageRowAnswer(day=row.day, unit_id=row.unit_id, **_figures(row.usage)) for row in report.rows
            ],
        )


USAGE: Final = "/v2/usage"


class AnalyticsRoutes:
    def __init__(self, service: UsageService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/v2/analytics/daywise",
                handler=self.daywise,
                name="getDaywiseAnalytics",
                summary="Count sessions and their minutes by day",
                tag="Usage",
                access=Scope.ANALYTICS_READ,
                query=DaysQuery,
                errors=(FeatureDisabledError, NotFoundError),
                answer=Daywise,
            ),
            Operation(
                method="GET",
                path=USAGE,
                handler=self.usage,
                name="getUsage",
                summary="Count what was used, by day or by day and unit",
                tag="Usage",
                access=Scope.ANALYTICS_READ,
                query=UsageQuery,
                errors=(FeatureDisabledError, NotFoundError),
                answer=UsageAnswer,
            ),
            Operation(
                method="GET",
                path=USAGE + ".csv",
                handler=self.usage_csv,
                name="downloadUsage",
                summary="The same as a table",
                tag="Usage",
                access=Scope.ANALYTICS_READ,
                query=UsageQuery,
                errors=(FeatureDisabledError, NotFoundError),
                gives=CSV,
            ),
        ]

    async def daywise(self, request: web.Request) -> web.Response:
        query = parse_query(request, DaysQuery)
        report = await self._service.report(
            caller_of(request),
            query.start_date,
            query.end_date,
            unit_id=query.unit_id,
            with_below=query.include_units_below,
        )
        return success(Daywise.of(report))

    async def usage(self, request: web.Request) -> web.Response:
        return success(UsageAnswer.of(await self._report(request)))

    async def usage_csv(self, request: web.Request) -> web.Response:
        report = await self._report(request)
        name = f"usage-{report.days.first}-{report.days.last}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(text=_table(report), content_type=CSV, charset="utf-8", headers=headers)

    async def _report(self, request: web.Request) -> UsageReport:
        query = parse_query(request, UsageQuery)
        return await self._service.report(
            caller_of(request),
            query.start_date,
            query.end_date,
            by_unit=query.group_by == "unit",
            unit_id=query.unit_id,
            with_below=query.include_units_below,
        )


def _figures(usage: Usage) -> dict[str, float]:
    return {
        "participant_minutes": in_minutes(usage.participant_seconds),
        "sessions": usage.sessions,
        "peak_concurrent_participants": usage.peak,
    }


def _table(report: UsageReport) -> str:
    """RFC 4180, with a line of names."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["organization_id", "day", "unit_id", *_figures(report.total)])
    for row in report.rows:
        figures = _figures(row.usage).values()
        lines.writerow([report.organization_id, row.day, row.unit_id or "", *figures])
    return text.getvalue()
