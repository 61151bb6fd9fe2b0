"""`/v2/invitation`: what a participant sees of a meeting before joining; a token speaks here, not a key."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from signaling.rest.access import INVITATION, participant_token_of
from signaling.rest.envelope import success
from signaling.services.invitation import Invitation, InvitationService


class InvitationRoutes:
    def __init__(self, service: InvitationService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [web.get(INVITATION, self.get)]

    async def get(self, request: web.Request) -> web.Response:
        return success(render_invitation(await self._service.read(participant_token_of(request))))


def render_invitation(invitation: Invitation) -> dict[str, Any]:
    meeting, participant = invitation.meeting, invitation.participant
    permissions = invitation.preset.permissions
    return {
        "meeting": {"id": meeting.id, "title": meeting.title, "view_type": invitation.view_type},
        "participant": {
            "id": participant.id,
            "name": participant.name,
            "picture": participant.picture,
            "preset_name": participant.preset_name,
        },
        "may": {
            "edit_display_name": permissions.can_edit_display_name,
            "audio": permissions.media.audio.can_produce,
            "video": permissions.media.video.can_produce,
            "screenshare": permissions.media.screenshare.can_produce,
            "stage": {"enabled": invitation.stage_enabled, "access": invitation.stage_access},
        },
        "live_participants": invitation.live_participants,
    }
