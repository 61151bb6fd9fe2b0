"""`/v2/meetings/{meeting_id}/participants`"""

from __future__ import annotations

import json
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.participant import Participant
from signaling.errors import JoinRefusedError
from signaling.rest.access import caller_of, organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.services.idempotency import AnsweredBefore
from signaling.services.participants import ParticipantService

Name = Annotated[str, Field(min_length=1, max_length=128)]
Picture = Annotated[str, Field(max_length=4096, pattern=r"^https?://[^\s]+$")]
UnitId = Annotated[str, Field(min_length=1, max_length=64)]
DEFAULT_NAME = "Participant"


class ParticipantBody(Body):
    """Of POST."""

    model_config = shown(
        {"preset_name": "group_call_host", "custom_participant_id": "user-17", "name": "Ada Lovelace"}
    )

    preset_name: Name
    custom_participant_id: Annotated[str, Field(min_length=1, max_length=255)]
    name: Name | None = None
    picture: Picture | None = None
    unit_id: UnitId | None = None
    """The unit they belong to, for meetings that are for some units only. A credential that is limited to a
    unit names this one or one below it."""


class ParticipantPatch(Body):
    """Of PATCH."""

    model_config = shown({"preset_name": "group_call_participant"})

    name: Name = DEFAULT_NAME
    picture: Picture | None = None
    preset_name: Name = ""
    unit_id: UnitId | None = None


_EXAMPLE: Final = {
    "id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
    "name": "Ada Lovelace",
    "picture": None,
    "custom_participant_id": "user-17",
    "preset_name": "group_call_host",
    "unit_id": None,
    "created_at": "2026-01-31T09:30:00.125Z",
    "updated_at": "2026-01-31T09:30:00.125Z",
}
_TOKEN: Final = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI1YjdjMTEwYyJ9.c2lnbmF0dXJl"


class ParticipantAnswer(Answer):
    model_config = shown(_EXAMPLE)

    id: str
    name: str
    picture: str | None
    custom_participant_id: str
    preset_name: str
    unit_id: str | None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, participant: Participant) -> ParticipantAnswer:
        return cls.reading(participant)


class ParticipantWithToken(ParticipantAnswer):
    model_config = shown(_EXAMPLE | {"token": _TOKEN})

    token: str
    """What the participant joins with; kept nowhere."""


class ChangedParticipant(ParticipantAnswer):
    model_config = shown(_EXAMPLE | {"token": _TOKEN})

    token: str | None
    """What the participant joins with; null where the join policy does not take them."""


class RemovedParticipant(Answer):
    model_config = shown(
        {
            "custom_participant_id": "user-17",
            "preset_id": "9d0a6f0d-5b7c-410c-8b2c-1e5f1f4d5c11",
            "created_at": "2026-01-31T09:30:00.125Z",
            "updated_at": "2026-01-31T09:30:00.125Z",
        }
    )

    custom_participant_id: str
    preset_id: str | None
    created_at: Timestamp
    updated_at: Timestamp


class TokenAnswer(Answer):
    model_config = shown({"token": _TOKEN})

    token: str


PARTICIPANTS: Final = "/v2/meetings/{meeting_id}/participants"
PARTICIPANT: Final = PARTICIPANTS + "/{participant_id}"


class ParticipantRoutes:
    def __init__(self, service: ParticipantService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=PARTICIPANTS,
                handler=self.add,
                name="addParticipant",
                summary="Admit a participant to a meeting, and get the token they join with",
                tag="Participants",
                access=Scope.PARTICIPANTS_WRITE,
                body=ParticipantBody,
                answer=ParticipantWithToken,
                status=201,
                tagged=True,
                once=True,
                errors=(JoinRefusedError,),
            ),
            Operation(
                method="GET",
                path=PARTICIPANTS,
                handler=self.list,
                name="listParticipants",
                summary="List the participants of a meeting, newest first",
                tag="Participants",
                access=Scope.PARTICIPANTS_READ,
                query=Page,
                answer=ParticipantAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=PARTICIPANT,
                handler=self.get,
                name="getParticipant",
                summary="Read a participant",
                tag="Participants",
                access=Scope.PARTICIPANTS_READ,
                answer=ParticipantAnswer,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=PARTICIPANT,
                handler=self.change,
                name="changeParticipant",
                summary="Change a participant; a new preset applies to those who are in at once",
                tag="Participants",
                access=Scope.PARTICIPANTS_WRITE,
                body=ParticipantPatch,
                answer=ChangedParticipant,
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=PARTICIPANT,
                handler=self.remove,
                name="removeParticipant",
                summary="Remove a participant: its tokens are void, and it is put out",
                tag="Participants",
                access=Scope.PARTICIPANTS_WRITE,
                answer=RemovedParticipant,
                conditional=True,
            ),
            Operation(
                method="POST",
                path=PARTICIPANT + "/token",
                handler=self.token,
                name="createParticipantToken",
                summary="Make a fresh token for a participant",
                tag="Participants",
                access=Scope.PARTICIPANTS_WRITE,
                answer=TokenAnswer,
                errors=(JoinRefusedError,),
            ),
        ]

    async def add(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ParticipantBody)
        organization_id, meeting_id = organization_id_of(request), request.match_info["meeting_id"]
        once = await once_of(request, ParticipantAnswer.of)
        try:
            participant = await self._service.add(
                organization_id,
                meeting_id,
                custom_participant_id=body.custom_participant_id,
                preset_name=body.preset_name,
                name=body.name or DEFAULT_NAME,
                picture=body.picture,
                unit_id=body.unit_id,
                caller=caller_of(request),
                once=once,
            )
        except AnsweredBefore as before:
            # The token is kept nowhere; this one is as good.
            participant_id = json.loads(before.answer)["id"]
            token = await self._service.fresh_token(organization_id, meeting_id, participant_id)
            return replayed(before, token=token)
        return tagged(success(self._with_token(participant), status=201), participant.version)

    async def list(self, request: web.Request) -> web.Response:
        page = parse_query(request, Page)
        participants, total = await self._service.list(
            organization_id_of(request),
            request.match_info["meeting_id"],
            offset=page.offset,
            limit=page.per_page,
        )
        return listing([ParticipantAnswer.of(one) for one in participants], page, total)

    async def get(self, request: web.Request) -> web.Response:
        participant = await self._service.get(*_path(request))
        return tagged(success(ParticipantAnswer.of(participant)), participant.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ParticipantPatch)
        changed = await self._service.change(
            *_path(request),
            caller=caller_of(request),
            if_version=expected_versions(request),
            **body.given(),
        )
        answer = ChangedParticipant.reading(changed.participant, token=changed.token)
        return tagged(success(answer), changed.participant.version)

    async def remove(self, request: web.Request) -> web.Response:
        removed = await self._service.remove(*_path(request), if_version=expected_versions(request))
        return success(RemovedParticipant.reading(removed.participant, preset_id=removed.preset_id))

    async def token(self, request: web.Request) -> web.Response:
        return success(TokenAnswer(token=await self._service.fresh_token(*_path(request))))

    def _with_token(self, participant: Participant) -> ParticipantWithToken:
        return ParticipantWithToken.reading(participant, token=self._service.token_for(participant))


def _path(request: web.Request) -> tuple[str, str, str]:
    """organization, meeting, participant"""
    return (
        organization_id_of(request),
        request.match_info["meeting_id"],
        request.match_info["participant_id"],
    )
