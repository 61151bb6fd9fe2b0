"""`/v2/rooms`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from signaling.domain.caller import Caller, Scope
from signaling.domain.configuration import MAX_PARTICIPANTS
from signaling.domain.listing import MeetingFilter, Page
from signaling.domain.meeting import MAX_WEBHOOK_TIMEOUT, Meeting
from signaling.domain.meeting_config import HttpUrl
from signaling.domain.session_status import SessionRecord
from signaling.errors import ConfigurationLockedError, ConflictError, FeatureDisabledError
from signaling.rest.access import caller_of, organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp
from signaling.rest.operation import Many, Operation
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.rest.telnyx.histories import RoomSessionAnswer
from signaling.rest.telnyx.paging import CreatedPage
from signaling.rest.telnyx.rendering import TELNYX, listed, one
from signaling.services.idempotency import AnsweredBefore
from signaling.services.meetings import MeetingService
from signaling.services.sessions import SessionService

ROOMS: Final = "/v2/rooms"
ROOM: Final = ROOMS + "/{room_id}"
TAG: Final = "Rooms"
DEFAULT_PARTICIPANTS: Final = 10
"""That a room takes which says nothing of it, as clients of this API expect."""


class RoomPatch(Body):
    """Of PATCH. A field that is left out stays as it is."""

    model_config = shown({"max_participants": 20})

    unique_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    max_participants: Annotated[int, Field(ge=1, le=MAX_PARTICIPANTS)] | None = DEFAULT_PARTICIPANTS
    enable_recording: bool = False
    webhook_event_url: HttpUrl | None = None
    webhook_event_failover_url: HttpUrl | None = None
    webhook_timeout_secs: Annotated[int, Field(ge=0, le=MAX_WEBHOOK_TIMEOUT)] | None = None

    def settings(self) -> dict[str, Any]:
        """What was given, as meetings call it."""
        given = self.given()
        if "enable_recording" in given:
            given["record_on_start"] = given.pop("enable_recording")
        return given


class RoomBody(RoomPatch):
    """Of POST. A field that is left out takes its default."""

    model_config = shown({"unique_name": "weekly", "max_participants": 10})

    def settings(self) -> dict[str, Any]:
        return {"max_participants": DEFAULT_PARTICIPANTS} | super().settings()


class OneRoomQuery(BaseModel):
    include_sessions: bool = False


class RoomQuery(CreatedPage):
    include_sessions: bool = False
    name: Annotated[str | None, Field(alias="filter[unique_name]", max_length=255)] = None


class RoomAnswer(Answer):
    model_config = shown(
        {
            "id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
            "unique_name": "weekly",
            "max_participants": 10,
            "enable_recording": False,
            "webhook_event_url": None,
            "webhook_event_failover_url": None,
            "webhook_timeout_secs": None,
            "active_session_id": None,
            "sessions": None,
            "created_at": "2026-01-31T09:30:00.125Z",
            "updated_at": "2026-01-31T09:30:00.125Z",
            "record_type": "room",
        }
    )

    id: str
    unique_name: str | None
    max_participants: int | None
    enable_recording: bool
    webhook_event_url: str | None
    webhook_event_failover_url: str | None
    webhook_timeout_secs: int | None
    active_session_id: str | None
    sessions: list[RoomSessionAnswer] | None
    """With `include_sessions` the newest 100; else null."""
    created_at: Timestamp
    updated_at: Timestamp
    record_type: Literal["room"] = "room"

    @classmethod
    def of(
        cls,
        meeting: Meeting,
        active_session_id: str | None = None,
        sessions: Sequence[SessionRecord] | None = None,
    ) -> RoomAnswer:
        said = meeting.configuration
        return cls.reading(
            meeting,
            max_participants=said.max_participants,
            enable_recording=bool(said.record_on_start),
            active_session_id=active_session_id,
            sessions=None if sessions is None else [RoomSessionAnswer.of(one) for one in sessions],
        )


class RoomRoutes:
    def __init__(self, meetings: MeetingService, sessions: SessionService) -> None:
        self._meetings = meetings
        self._sessions = sessions

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=ROOMS,
                handler=self.create,
                name="createRoom",
                errors=(ConflictError, ConfigurationLockedError, FeatureDisabledError),
                summary="Create a room",
                tag=TAG,
                access=Scope.MEETINGS_WRITE,
                within_unit=True,
                body=RoomBody,
                body_required=False,
                answer=RoomAnswer,
                status=201,
                tagged=True,
                once=True,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=ROOMS,
                handler=self.list,
                name="listRooms",
                summary="List rooms, newest first",
                tag=TAG,
                access=Scope.MEETINGS_READ,
                within_unit=True,
                query=RoomQuery,
                answer=RoomAnswer,
                many=Many.PAGE,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=ROOM,
                handler=self.get,
                name="getRoom",
                summary="Read a room",
                tag=TAG,
                access=Scope.MEETINGS_READ,
                query=OneRoomQuery,
                answer=RoomAnswer,
                tagged=True,
                rendering=TELNYX,
            ),
            Operation(
                method="PATCH",
                path=ROOM,
                handler=self.change,
                name="changeRoom",
                errors=(ConflictError, ConfigurationLockedError, FeatureDisabledError),
                summary="Change a room",
                tag=TAG,
                access=Scope.MEETINGS_WRITE,
                body=RoomPatch,
                answer=RoomAnswer,
                conditional=True,
                tagged=True,
                rendering=TELNYX,
            ),
            Operation(
                method="DELETE",
                path=ROOM,
                handler=self.remove,
                name="deleteRoom",
                summary="Delete a room: who is in is put out, and nobody joins any more",
                tag=TAG,
                access=Scope.MEETINGS_WRITE,
                status=204,
                conditional=True,
                rendering=TELNYX,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await parse_body(request, RoomBody)
        caller = caller_of(request)
        once = await once_of(request, RoomAnswer.of)
        try:
            meeting = await self._meetings.create(
                caller.organization_id, caller=caller, once=once, **body.settings()
            )
        except AnsweredBefore as before:
            return replayed(before, put=one)
        return tagged(one(RoomAnswer.of(meeting), status=201), meeting.version)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, RoomQuery)
        meetings, total = await self._meetings.list(
            organization_id_of(request),
            MeetingFilter(unique_name=query.name, created=query.created, updated=query.updated),
            Page(query.offset, query.page_size),
            caller=caller_of(request),
        )
        answers = await self._answers(caller_of(request), meetings, with_sessions=query.include_sessions)
        return listed(answers, query, total)

    async def get(self, request: web.Request) -> web.Response:
        query = parse_query(request, OneRoomQuery)
        meeting = await self._meetings.get(*_path(request), caller=caller_of(request))
        answer = await self._answer(caller_of(request), meeting, with_sessions=query.include_sessions)
        return tagged(one(answer), meeting.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, RoomPatch)
        meeting = await self._meetings.change(
            *_path(request),
            caller=caller_of(request),
            if_version=expected_versions(request),
            **body.settings(),
        )
        return tagged(one(await self._answer(caller_of(request), meeting)), meeting.version)

    async def remove(self, request: web.Request) -> web.Response:
        await self._meetings.remove(*_path(request), if_version=expected_versions(request))
        return web.Response(status=204)

    async def _answer(self, caller: Caller, meeting: Meeting, *, with_sessions: bool = False) -> RoomAnswer:
        (answer,) = await self._answers(caller, [meeting], with_sessions=with_sessions)
        return answer

    async def _answers(
        self, caller: Caller, meetings: Sequence[Meeting], *, with_sessions: bool
    ) -> Sequence[RoomAnswer]:
        ids = [meeting.id for meeting in meetings]
        running = await self._sessions.running_in(caller.organization_id, ids)
        if not with_sessions:
            return [RoomAnswer.of(meeting, running.get(meeting.id)) for meeting in meetings]
        sessions = await self._sessions.newest_in(caller, ids)
        return [
            RoomAnswer.of(meeting, running.get(meeting.id), sessions.get(meeting.id, ()))
            for meeting in meetings
        ]


def _path(request: web.Request) -> tuple[str, str]:
    """organization, meeting"""
    return organization_id_of(request), request.match_info["room_id"]
