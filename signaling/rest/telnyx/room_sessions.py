"""`/v2/room_sessions`, `/v2/rooms/{room_id}/sessions` and `/v2/room_participants`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from signaling.domain.caller import Scope
from signaling.domain.listing import AttendanceFilter, Page, SessionFilter
from signaling.errors import NotFoundError
from signaling.rest.access import caller_of, organization_id_of
from signaling.rest.operation import Many, Operation
from signaling.rest.parsing import parse_query
from signaling.rest.telnyx.histories import (
    InSessionQuery,
    OneSessionQuery,
    ParticipantsQuery,
    RoomParticipantAnswer,
    RoomSessionAnswer,
    RoomSessionQuery,
    RoomSessionsQuery,
)
from signaling.rest.telnyx.paging import RoomPage
from signaling.rest.telnyx.rendering import TELNYX, listed, one
from signaling.rest.telnyx.rooms import ROOM
from signaling.services.meetings import MeetingService
from signaling.services.sessions import SessionService, SessionView

SESSIONS: Final = "/v2/room_sessions"
SESSION: Final = SESSIONS + "/{room_session_id}"
PARTICIPANTS: Final = "/v2/room_participants"


class RoomSessionRoutes:
    def __init__(self, meetings: MeetingService, sessions: SessionService) -> None:
        self._meetings = meetings
        self._sessions = sessions

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=SESSIONS,
                handler=self.list,
                name="listRoomSessions",
                summary="List the sessions of all rooms, newest first",
                tag="Room sessions",
                access=Scope.SESSIONS_READ,
                query=RoomSessionsQuery,
                answer=RoomSessionAnswer,
                within_unit=True,
                many=Many.PAGE,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=ROOM + "/sessions",
                handler=self.list_of_room,
                name="listSessionsOfRoom",
                summary="List the sessions of a room, newest first",
                tag="Room sessions",
                access=Scope.SESSIONS_READ,
                query=RoomSessionQuery,
                answer=RoomSessionAnswer,
                many=Many.PAGE,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=SESSION,
                handler=self.get,
                name="getRoomSession",
                summary="Read a session of a room",
                tag="Room sessions",
                access=Scope.SESSIONS_READ,
                query=OneSessionQuery,
                answer=RoomSessionAnswer,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=SESSION + "/participants",
                handler=self.list_inside,
                name="listParticipantsOfRoomSession",
                summary="List who is or was in a session, latest first",
                tag="Room participants",
                access=Scope.SESSIONS_READ,
                query=InSessionQuery,
                answer=RoomParticipantAnswer,
                many=Many.PAGE,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=PARTICIPANTS,
                handler=self.list_participants,
                name="listRoomParticipants",
                summary="List who is or was in a session, over all sessions, latest first",
                tag="Room participants",
                access=Scope.SESSIONS_READ,
                query=ParticipantsQuery,
                answer=RoomParticipantAnswer,
                errors=(NotFoundError,),
                within_unit=True,
                many=Many.PAGE,
                rendering=TELNYX,
            ),
            Operation(
                method="GET",
                path=PARTICIPANTS + "/{room_participant_id}",
                handler=self.get_participant,
                name="getRoomParticipant",
                summary="Read one stay in a session",
                tag="Room participants",
                access=Scope.SESSIONS_READ,
                answer=RoomParticipantAnswer,
                rendering=TELNYX,
            ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, RoomSessionsQuery)
        return await self._page(request, query, query.which(query.room_id))

    async def list_of_room(self, request: web.Request) -> web.Response:
        query = parse_query(request, RoomSessionQuery)
        room = await self._meetings.get(organization_id_of(request), request.match_info["room_id"])
        return await self._page(request, query, query.which(room.id))

    async def _page(
        self, request: web.Request, query: RoomSessionQuery, which: SessionFilter
    ) -> web.Response:
        organization_id = organization_id_of(request)
        caller = caller_of(request)
        views, total = await self._sessions.list(organization_id, which, _cut(query), caller=caller)
        return listed(
            await self._answers(organization_id, views, with_participants=query.include_participants),
            query,
            total,
        )

    async def get(self, request: web.Request) -> web.Response:
        query = parse_query(request, OneSessionQuery)
        organization_id = organization_id_of(request)
        view = await self._sessions.get(organization_id, request.match_info["room_session_id"])
        (answer,) = await self._answers(organization_id, [view], with_participants=query.include_participants)
        return one(answer)

    async def list_inside(self, request: web.Request) -> web.Response:
        query = parse_query(request, InSessionQuery)
        return await self._people(request, query, query.which(request.match_info["room_session_id"]))

    async def list_participants(self, request: web.Request) -> web.Response:
        query = parse_query(request, ParticipantsQuery)
        return await self._people(request, query, query.which(query.session_id))

    async def _people(self, request: web.Request, page: RoomPage, which: AttendanceFilter) -> web.Response:
        views, total = await self._sessions.participants(
            organization_id_of(request), which, _cut(page), caller=caller_of(request)
        )
        return listed([RoomParticipantAnswer.of(view.attendance) for view in views], page, total)

    async def get_participant(self, request: web.Request) -> web.Response:
        peer_id = request.match_info["room_participant_id"]
        view = await self._sessions.peer(organization_id_of(request), peer_id)
        return one(RoomParticipantAnswer.of(view.attendance))

    async def _answers(
        self, organization_id: str, views: Sequence[SessionView], *, with_participants: bool
    ) -> Sequence[RoomSessionAnswer]:
        records = [view.record for view in views]
        if not with_participants:
            return [RoomSessionAnswer.of(record) for record in records]
        inside = await self._sessions.latest_of(organization_id, [record.id for record in records])
        return [RoomSessionAnswer.of(record, inside.get(record.id, ())) for record in records]


def _cut(page: RoomPage) -> Page:
    return Page(page.offset, page.page_size)
