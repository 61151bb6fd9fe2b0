"""`/v2/meetings/{meeting_id}/active-session`: what runs in a meeting now, and what moderation does to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from signaling.domain.participant import Participant
from signaling.errors import ValidationFailedError
from signaling.rest.access import organization_id_of
from signaling.rest.envelope import success, to_text
from signaling.rest.parsing import Body, parse_body
from signaling.services.active_session import ActiveSessionService
from signaling.services.ports import LiveSessionView

Ids = Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(max_length=1000)]


class Targets(Body):
    participant_ids: Ids = ()
    custom_participant_ids: Ids = ()

    def checked(self) -> Targets:
        """Raises `ValidationFailedError` when nobody is named."""
        if not self.participant_ids and not self.custom_participant_ids:
            raise ValidationFailedError(
                "participant_ids: name at least one participant here or in custom_participant_ids",
                field="participant_ids",
            )
        return self


class ActiveSessionRoutes:
    def __init__(self, service: ActiveSessionService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        base = "/v2/meetings/{meeting_id}/active-session"
        return [
            web.get(base, self.get),
            web.post(base + "/kick", self.kick),
            web.post(base + "/kick-all", self.kick_all),
            web.post(base + "/mute", self.mute),
        ]

    async def get(self, request: web.Request) -> web.Response:
        return success(render_session(await self._service.get(*_path(request))))

    async def kick(self, request: web.Request) -> web.Response:
        who = (await parse_body(request, Targets)).checked()
        kicked = await self._service.kick(*_path(request), who.participant_ids, who.custom_participant_ids)
        return success({"action": "kick", "participants": _participants(kicked)})

    async def kick_all(self, request: web.Request) -> web.Response:
        count = await self._service.kick_all(*_path(request))
        return success({"action": "kick-all", "kicked_participants_count": count})

    async def mute(self, request: web.Request) -> web.Response:
        who = (await parse_body(request, Targets)).checked()
        muted = await self._service.mute(*_path(request), who.participant_ids, who.custom_participant_ids)
        return success({"action": "mute", "participants": _participants(muted)})


def render_session(view: LiveSessionView) -> dict[str, Any]:
    return {
        "id": view.id,
        "associated_id": view.meeting_id,
        "meeting_display_name": view.meeting_title,
        "type": "meeting",
        "status": "LIVE",
        "live_participants": view.live_participants,
        "max_concurrent_participants": view.max_concurrent_participants,
        "minutes_consumed": round(view.minutes_consumed, 3),
        "organization_id": view.organization_id,
        "started_at": to_text(view.started_at),
        "created_at": to_text(view.created_at),
        "updated_at": to_text(view.updated_at),
        "ended_at": None,
        "meta": {},
        "breakout_rooms": [],
    }


def _participants(participants: Sequence[Participant]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "name": one.name,
            "email": None,
            "picture": one.picture,
            "custom_participant_id": one.custom_participant_id,
            "created_at": to_text(one.created_at),
            "updated_at": to_text(one.updated_at),
        }
        for one in participants
    ]


def _path(request: web.Request) -> tuple[str, str]:
    """organization, meeting"""
    return organization_id_of(request), request.match_info["meeting_id"]
