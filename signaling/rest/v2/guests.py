"""`/v2/join/{short}`: the door of a meeting, for whoever has its link, and the one beside it, for those who
have signed in to its organization."""

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
from signaling.rest.access import caller_of
from signaling.rest.envelope import success
from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.rest.v2.participants import Name, Picture
from signaling.services.guests import Doorplate, Entrance, GuestService
from signaling.services.members import MemberService

Password = Annotated[str, Field(max_length=128)]


class DoorplateAnswer(Answer):
    model_config = shown({"title": "Weekly", "asks_password": True})

    title: str | None
    asks_password: bool

    @classmethod
    def of(cls, doorplate: Doorplate) -> DoorplateAnswer:
        return cls(title=doorplate.meeting.title, asks_password=doorplate.asks_password)


class GuestBody(Body):
    model_config = shown({"name": "Grace Hopper", "password": "a sunny day"})

    name: Name
    picture: Picture | None = None
    password: Password | None = None


class MemberBody(Body):
    model_config = shown({"password": "a sunny day"})

    picture: Picture | None = None
    password: Password | None = None


class EntranceAnswer(Answer):
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
    """What they join with."""

    @classmethod
    def of(cls, entrance: Entrance) -> EntranceAnswer:
        return cls(
            meeting_id=entrance.meeting.id, participant_id=entrance.participant.id, token=entrance.token
        )


DOOR: Final = "/v2/join/{short}"
MEMBERS_DOOR: Final = DOOR + "/member"
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
                answer=DoorplateAnswer,
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
                answer=EntranceAnswer,
                status=201,
                errors=(*_REFUSED, RateLimitedError, OverloadedError),
            ),
        ]

    async def look(self, request: web.Request) -> web.Response:
        return success(DoorplateAnswer.of(await self._service.look(request.match_info["short"])))

    async def enter(self, request: web.Request) -> web.Response:
        body = await parse_body(request, GuestBody)
        entrance = await self._service.enter(
            request.match_info["short"], name=body.name, password=body.password, picture=body.picture
        )
        return success(EntranceAnswer.of(entrance), status=201)


class MemberRoutes:
    def __init__(self, service: MemberService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=MEMBERS_DOOR,
                handler=self.look,
                name="lookAtMeetingAsMember",
                summary="See whether a meeting of one's organization takes one, and what it asks",
                tag="Members",
                access=Access.CREDENTIAL,
                answer=DoorplateAnswer,
                errors=_REFUSED,
            ),
            Operation(
                method="POST",
                path=MEMBERS_DOOR,
                handler=self.enter,
                name="joinAsMember",
                summary="Become a participant of a meeting by one's login, and get the token to join with",
                description="With the access token of a login. The same participant each time.",
                tag="Members",
                access=Access.CREDENTIAL,
                body=MemberBody,
                answer=EntranceAnswer,
                status=201,
                errors=(*_REFUSED, RateLimitedError, OverloadedError),
            ),
        ]

    async def look(self, request: web.Request) -> web.Response:
        found = await self._service.look(caller_of(request), request.match_info["short"])
        return success(DoorplateAnswer.of(found))

    async def enter(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MemberBody)
        entrance = await self._service.enter(
            caller_of(request), request.match_info["short"], password=body.password, picture=body.picture
        )
        return success(EntranceAnswer.of(entrance), status=201)
