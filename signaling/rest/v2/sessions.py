"""`/v2/sessions`: what runs and what ran, and who was in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.domain import listing as wanted
from signaling.domain.caller import Scope
from signaling.domain.listing import AttendanceFilter, AttendanceOrder, SessionFilter, SessionOrder
from signaling.domain.session_status import SessionStatus
from signaling.domain.time_range import TimeRange
from signaling.errors import NotFoundError
from signaling.rest.access import caller_of, organization_id_of
from signaling.rest.envelope import listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page, Search, UnitQuery
from signaling.rest.parsing import Answer, parse_query, shown
from signaling.rest.rendering import Named
from signaling.rest.v2.active_session import SessionAnswer
from signaling.rest.v2.report_example import REPORTED, WITH_REPORT
from signaling.rest.v2.session_people import Part, PersonAnswer, ReportedPerson, reported
from signaling.services.sessions import AttendanceView, SessionService

MAX_NAMED: Final = 50
"""Participants of whom one was in."""

SortOrder = Literal["ASC", "DESC"]
KeptStatus = Literal["READY", "WAITING", "LIVE", "FINISHED", "EXPIRED", "CANCELLED", "ARCHIVED"]
"""The others last for a moment only."""


class SessionsQuery(Search, UnitQuery):
    """`start_time` and `end_time`: when it began. `search`: part of the meeting's title, or the id of meeting
    or session."""

    sort_by: Literal["createdAt", "minutesConsumed"] = "createdAt"
    sort_order: SortOrder = "DESC"
    status: Literal["LIVE", "ENDED"] | None = None
    lifecycle_status: KeptStatus | None = None
    associated_id: Annotated[str, Field(max_length=64)] | None = None
    """The meeting."""
    participants: Annotated[str, Field(max_length=4096)] | None = None
    """Ids or custom ids of participants, with commas between: sessions that one of them was in."""

    @property
    def filter(self) -> SessionFilter:
        named = [one.strip() for one in (self.participants or "").split(",")]
        until = self.until
        return SessionFilter(
            live=None if self.status is None else self.status == "LIVE",
            status=None if self.lifecycle_status is None else SessionStatus(self.lifecycle_status),
            meeting_id=self.associated_id,
            search=self.search,
            participants=tuple(one for one in named if one)[:MAX_NAMED],
            created=TimeRange(self.since, None if until is None else until + timedelta(microseconds=1)),
        )


class SessionQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    include_breakout_rooms: bool = False
    """There are none yet: the list is empty either way."""


class PeopleQuery(Page):
    """`search`: part of the name, or one of the ids."""

    search: Annotated[str, Field(max_length=256)] | None = None
    sort_by: Literal["joinedAt", "duration"] = "joinedAt"
    sort_order: SortOrder = "ASC"
    view: Literal["raw", "consolidated"] = "raw"
    """`raw`: every time that somebody was in. `consolidated`: each participant once."""
    include_peer_events: bool = False

    @property
    def by(self) -> AttendanceOrder:
        return AttendanceOrder.DURATION if self.sort_by == "duration" else AttendanceOrder.JOINED


class PersonQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    filters: Part | None = None
    """Only this part of the report."""
    include_peer_events: bool = False


class PersonFound(Answer):
    model_config = shown({"participant": REPORTED})

    participant: ReportedPerson


class PeerReportFound(PersonFound):
    model_config = shown({"participant": WITH_REPORT})


SESSIONS: Final = "/v2/sessions"
SESSION: Final = SESSIONS + "/{session_id}"
PEOPLE: Final = SESSION + "/participants"
_AS_SESSIONS, _AS_PEOPLE = Named("sessions"), Named("participants")


class SessionRoutes:
    def __init__(self, service: SessionService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=SESSIONS,
                handler=self.list,
                name="listSessions",
                summary="List sessions, live and ended",
                tag="Sessions",
                access=Scope.SESSIONS_READ,
                query=SessionsQuery,
                answer=SessionAnswer,
                errors=(NotFoundError,),
                within_unit=True,
                many=Many.PAGE,
                rendering=_AS_SESSIONS,
            ),
            Operation(
                method="GET",
                path=SESSIONS + "/peer-report/{peer_id}",
                handler=self.report,
                name="getPeerReport",
                summary="Read what there is to say of one peer's connection",
                tag="Sessions",
                access=Scope.SESSIONS_READ,
                query=PersonQuery,
                answer=PeerReportFound,
            ),
            Operation(
                method="GET",
                path=SESSION,
                handler=self.get,
                name="getSession",
                summary="Read a session",
                tag="Sessions",
                access=Scope.SESSIONS_READ,
                query=SessionQuery,
                answer=SessionAnswer,
            ),
            Operation(
                method="GET",
                path=PEOPLE,
                handler=self.people,
                name="listSessionParticipants",
                summary="List who was in a session, and when",
                tag="Sessions",
                access=Scope.SESSIONS_READ,
                query=PeopleQuery,
                answer=PersonAnswer,
                many=Many.PAGE,
                rendering=_AS_PEOPLE,
            ),
            Operation(
                method="GET",
                path=PEOPLE + "/{attendee_id}",
                handler=self.person,
                name="getSessionParticipant",
                summary="Read when one was in a session",
                description="By the id of the peer, or of the participant, of whom it is the latest peer.",
                tag="Sessions",
                access=Scope.SESSIONS_READ,
                query=PersonQuery,
                answer=PersonFound,
            ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, SessionsQuery)
        by = SessionOrder.CONSUMED if query.sort_by == "minutesConsumed" else SessionOrder.CREATED
        views, total = await self._service.list(
            organization_id_of(request),
            query.filter,
            wanted.Page(query.offset, query.per_page),
            caller=caller_of(request),
            unit_id=query.unit_id,
            alone=not query.include_units_below,
            by=by,
            descending=query.sort_order == "DESC",
        )
        return listing([SessionAnswer.of_any(one) for one in views], query, total, named="sessions")

    async def get(self, request: web.Request) -> web.Response:
        parse_query(request, SessionQuery)
        return success(SessionAnswer.of_any(await self._service.get(*_path(request))))

    async def people(self, request: web.Request) -> web.Response:
        query = parse_query(request, PeopleQuery)
        organization_id, session_id = _path(request)
        page, descending = wanted.Page(query.offset, query.per_page), query.sort_order == "DESC"
        if query.view == "consolidated":
            views, total = await self._service.consolidated(
                organization_id, session_id, page, search=query.search, by=query.by, descending=descending
            )
        else:
            which = AttendanceFilter(session_id=session_id, search=query.search)
            views, total = await self._service.participants(
                organization_id, which, page, by=query.by, descending=descending
            )
        people = [PersonAnswer.of(one, events=query.include_peer_events) for one in views]
        return listing(people, query, total, named="participants")

    async def person(self, request: web.Request) -> web.Response:
        query = parse_query(request, PersonQuery)
        view = await self._service.participant(*_path(request), request.match_info["attendee_id"])
        return await self._reported(request, view, query, whole=False)

    async def report(self, request: web.Request) -> web.Response:
        query = parse_query(request, PersonQuery)
        view = await self._service.peer(organization_id_of(request), request.match_info["peer_id"])
        return await self._reported(request, view, query, whole=True)

    async def _reported(
        self, request: web.Request, view: AttendanceView, query: PersonQuery, *, whole: bool
    ) -> web.Response:
        measured = await self._service.report(organization_id_of(request), view.attendance.peer_id)
        events = query.include_peer_events
        found = reported(view, measured, query.filters, events=events, whole=whole)
        return success(PersonFound(participant=found))


def _path(request: web.Request) -> tuple[str, str]:
    """organization, session"""
    return organization_id_of(request), request.match_info["session_id"]
