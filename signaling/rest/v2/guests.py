"""`/v2/join/{short}`: the door of a meeting, for whoever has its link and no credential."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from signaling.errors import (
    JoinRefusedError,
    MeetingInactiveError,
    NotFoundError,
    OverloadedError,
    RateLimitedError,
)
from signaling.rest.envelope import success
from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.rest.v2.participants import Name, Picture
from signaling.services.guests import GuestService


class DoorAnswer(Answer):
    model_config = shown({"title": "Weekly", "asks_password": True})

    title: str | None
    asks_password: bool


class GuestBody(Body):
    model_config = shown({"name": "Grace Hopper", "password": "a sunny day"})

    name: Name
    picture: Picture | None = None
    password: Annotated[str, Field(max_length=128)] | None = None


class GuestAnswer(Answer):
    model_config = shown(
        {
            "meeting_id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
            "participant_id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
            "token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI1YjdjMTEwYyJ9.c2lnbmF0dXJl",
        }
    )

    meeting_id: str
    participant_id: str
    token: str
    """What the guest joins with."""


DOOR: Final = "/v2/join/{short}"
_REFUSED: Final = (NotFoundError, MeetingInactiveError, JoinRefusedError)


class GuestRoutes:
    def __init__(self, service: GuestService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=DOOR,
                handler=self.look,
                name="lookAtMeeting",
                summary="See what a meeting asks of a guest",
                tag="Guests",
                access=Access.ANYBODY,
                answer=DoorAnswer,
                errors=_REFUSED,
            ),
            Operation(
                method="POST",
                path=DOOR,
                handler=self.enter,
                name="joinAsGuest",
                summary="Become a participant of a meeting as a guest, and get the token to join with",
                tag="Guests",
                access=Access.ANYBODY,
                body=GuestBody,
                answer=GuestAnswer,
                status=201,
                errors=(*_REFUSED, RateLimitedError, OverloadedError),
            ),
        ]

    async def look(self, request: web.Request) -> web.Response:
        door = await self._service.look(request.match_info["short"])
        return success(DoorAnswer(title=door.meeting.title, asks_password=door.asks_password))

    async def enter(self, request: web.Request) -> web.Response:
        body = await parse_body(request, GuestBody)
        entrance = await self._service.enter(
            request.match_info["short"], name=body.name, password=body.password, picture=body.picture
        )
        answer = GuestAnswer(
            meeting_id=entrance.meeting.id,
            participant_id=entrance.participant.id,
            token=entrance.token,
        )
        return success(answer, status=201)
