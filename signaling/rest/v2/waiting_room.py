"""`.../active-session/waiting-room` of a meeting: who waits to be admitted, and what becomes of them."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from signaling.domain.caller import Scope
from signaling.errors import MeetingFullError, NoActiveSessionError
from signaling.rest.access import meeting_path_of
from signaling.rest.envelope import Timestamp, success
from signaling.rest.operation import Operation
from signaling.rest.parsing import Answer, shown
from signaling.rest.v2.active_session import ACTIVE_SESSION, moderated, moderation
from signaling.services.active_session import ActiveSessionService

WAITING_ROOM: Final = ACTIVE_SESSION + "/waiting-room"
_WAITING: Final = {
    "peer_id": "peer_06ehx2k4m8n0p2r4t6v8x0z2b4",
    "id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
    "custom_participant_id": "user-17",
    "name": "Ada Lovelace",
    "picture": None,
    "waiting_since": "2026-01-31T09:30:00.125Z",
}


class WaitingParticipant(Answer):
    model_config = shown(_WAITING)

    peer_id: str
    """One tab of theirs: whoever waits in two is here twice."""
    id: str
    """Of the participant."""
    custom_participant_id: str | None
    name: str
    picture: str | None
    waiting_since: Timestamp


class WaitingParticipants(Answer):
    model_config = shown({"participants": [_WAITING]})

    participants: list[WaitingParticipant]
    """Longest first."""


class WaitingRoomRoutes:
    def __init__(self, service: ActiveSessionService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=WAITING_ROOM,
                handler=self.list,
                name="listWaitingParticipants",
                summary="List who waits to be admitted",
                tag="Active session",
                access=Scope.SESSIONS_READ,
                answer=WaitingParticipants,
                errors=(NoActiveSessionError,),
            ),
            moderation(
                WAITING_ROOM + "/admit",
                self.admit,
                "admitParticipants",
                "Let in who waits",
                MeetingFullError,
            ),
            moderation(WAITING_ROOM + "/deny", self.deny, "denyParticipants", "Turn away who waits"),
        ]

    async def list(self, request: web.Request) -> web.Response:
        found = await self._service.waiting(*meeting_path_of(request))
        shown = [
            WaitingParticipant.reading(one, id=one.participant_id, waiting_since=one.since) for one in found
        ]
        return success(WaitingParticipants(participants=shown))

    async def admit(self, request: web.Request) -> web.Response:
        return await moderated(request, "admit", self._service.admit)

    async def deny(self, request: web.Request) -> web.Response:
        return await moderated(request, "deny", self._service.deny)
