"""`/v2/meetings/{meeting_id}/participants`"""

from __future__ import annotations

import json
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from signaling.domain.participant import Participant
from signaling.rest.access import organization_id_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import listing, success, to_text
from signaling.rest.paging import Page
from signaling.rest.parsing import Body, parse_body, parse_query
from signaling.services.idempotency import AnsweredBefore
from signaling.services.participants import ParticipantService

Name = Annotated[str, Field(min_length=1, max_length=128)]
Picture = Annotated[str, Field(max_length=4096, pattern=r"^https?://[^\s]+$")]
DEFAULT_NAME = "Participant"


class ParticipantBody(Body):
    """Of POST."""

    preset_name: Name
    custom_participant_id: Annotated[str, Field(min_length=1, max_length=255)]
    name: Name | None = None
    picture: Picture | None = None


class ParticipantPatch(Body):
    """Of PATCH."""

    name: Name = DEFAULT_NAME
    picture: Picture | None = None
    preset_name: Name = ""


class ParticipantRoutes:
    def __init__(self, service: ParticipantService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        base = "/v2/meetings/{meeting_id}/participants"
        one = base + "/{participant_id}"
        return [
            web.post(base, self.add),
            web.get(base, self.list),
            web.get(one, self.get),
            web.patch(one, self.change),
            web.delete(one, self.remove),
            web.post(one + "/token", self.token),
        ]

    async def add(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ParticipantBody)
        organization_id, meeting_id = organization_id_of(request), request.match_info["meeting_id"]
        once = await once_of(request, render_participant)
        try:
            participant = await self._service.add(
                organization_id,
                meeting_id,
                custom_participant_id=body.custom_participant_id,
                preset_name=body.preset_name,
                name=body.name or DEFAULT_NAME,
                picture=body.picture,
                once=once,
            )
        except AnsweredBefore as before:
            # The token is kept nowhere; this one is as good.
            participant_id = json.loads(before.answer)["id"]
            participant = await self._service.get(organization_id, meeting_id, participant_id)
            return replayed(before, token=self._service.token_for(participant))
        return tagged(success(self._with_token(participant), status=201), participant.version)

    async def list(self, request: web.Request) -> web.Response:
        page = parse_query(request, Page)
        participants, total = await self._service.list(
            organization_id_of(request),
            request.match_info["meeting_id"],
            offset=page.offset,
            limit=page.per_page,
        )
        return listing([render_participant(one) for one in participants], page, total)

    async def get(self, request: web.Request) -> web.Response:
        participant = await self._service.get(*_path(request))
        return tagged(success(render_participant(participant)), participant.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ParticipantPatch)
        participant = await self._service.change(
            *_path(request), if_version=expected_versions(request), **body.given()
        )
        return tagged(success(self._with_token(participant)), participant.version)

    async def remove(self, request: web.Request) -> web.Response:
        removed = await self._service.remove(*_path(request), if_version=expected_versions(request))
        return success(
            {
                "custom_participant_id": removed.participant.custom_participant_id,
                "preset_id": removed.preset_id,
                "created_at": to_text(removed.participant.created_at),
                "updated_at": to_text(removed.participant.updated_at),
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        participant = await self._service.get(*_path(request))
        return success({"token": self._service.token_for(participant)})

    def _with_token(self, participant: Participant) -> dict[str, Any]:
        return render_participant(participant) | {"token": self._service.token_for(participant)}


def render_participant(participant: Participant) -> dict[str, Any]:
    return {
        "id": participant.id,
        "name": participant.name,
        "picture": participant.picture,
        "custom_participant_id": participant.custom_participant_id,
        "preset_name": participant.preset_name,
        "created_at": to_text(participant.created_at),
        "updated_at": to_text(participant.updated_at),
    }


def _path(request: web.Request) -> tuple[str, str, str]:
    """organization, meeting, participant"""
    return (
        organization_id_of(request),
        request.match_info["meeting_id"],
        request.match_info["participant_id"],
    )
