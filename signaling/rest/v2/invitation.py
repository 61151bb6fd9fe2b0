"""`/v2/invitation`: what a participant sees of a meeting before joining; a token speaks here, not a key."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from signaling.domain.preset import Access, ViewType
from signaling.errors import JoinRefusedError, MeetingInactiveError, NotFoundError
from signaling.rest import operation
from signaling.rest.access import participant_token_of
from signaling.rest.envelope import success
from signaling.rest.operation import Operation
from signaling.rest.parsing import Answer, shown
from signaling.services.invitation import Invitation, InvitationService

INVITATION: Final = "/v2/invitation"


class InvitedTo(Answer):
    id: str
    title: str | None
    view_type: ViewType


class Invited(Answer):
    id: str
    name: str
    picture: str | None
    preset_name: str


class MayStage(Answer):
    enabled: bool
    access: Access


class May(Answer):
    edit_display_name: bool
    audio: Access
    video: Access
    screenshare: Access
    stage: MayStage


class Present(Answer):
    name: str
    picture: str | None


class InvitationAnswer(Answer):
    model_config = shown(
        {
            "meeting": {
                "id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
                "title": "Weekly",
                "view_type": "GROUP_CALL",
            },
            "participant": {
                "id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
                "name": "Ada Lovelace",
                "picture": None,
                "preset_name": "group_call_host",
            },
            "may": {
                "edit_display_name": True,
                "audio": "ALLOWED",
                "video": "ALLOWED",
                "screenshare": "ALLOWED",
                "stage": {"enabled": False, "access": "ALLOWED"},
            },
            "live_participants": 3,
            "present": [{"name": "Grace Hopper", "picture": None}],
            "waits": False,
        }
    )

    meeting: InvitedTo
    participant: Invited
    may: May
    live_participants: int
    present: list[Present]
    """The first of them, for those who may see who takes part and do not have to wait."""
    waits: bool
    """Whether somebody has to admit them first."""

    @classmethod
    def of(cls, invitation: Invitation) -> InvitationAnswer:
        permissions = invitation.preset.permissions
        return cls(
            meeting=InvitedTo.reading(invitation.meeting, view_type=invitation.view_type),
            participant=Invited.reading(invitation.participant),
            may=May(
                edit_display_name=permissions.can_edit_display_name,
                audio=permissions.media.audio.can_produce,
                video=permissions.media.video.can_produce,
                screenshare=permissions.media.screenshare.can_produce,
                stage=MayStage(enabled=invitation.stage_enabled, access=invitation.stage_access),
            ),
            live_participants=invitation.live_participants,
            present=[Present.reading(one) for one in invitation.present],
            waits=invitation.waits,
        )


class InvitationRoutes:
    def __init__(self, service: InvitationService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=INVITATION,
                handler=self.get,
                name="getInvitation",
                summary="What a participant sees of a meeting before joining",
                tag="Joining",
                access=operation.Access.PARTICIPANT,
                answer=InvitationAnswer,
                errors=(MeetingInactiveError, NotFoundError, JoinRefusedError),
            )
        ]

    async def get(self, request: web.Request) -> web.Response:
        return success(InvitationAnswer.of(await self._service.read(participant_token_of(request))))
