"""`/v2/meetings/{meeting_id}/active-session`: what runs in a meeting now, and what moderation does to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, Literal

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import Field, JsonValue

from signaling.domain.caller import Scope
from signaling.domain.listed import EndReasonText
from signaling.domain.participant import Participant
from signaling.domain.session_status import SessionStatus
from signaling.domain.targets import Targets
from signaling.errors import NoActiveSessionError, SignalingError, ValidationFailedError
from signaling.rest.access import meeting_path_of
from signaling.rest.envelope import Timestamp, success
from signaling.rest.operation import Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.services.active_session import ActiveSessionService
from signaling.services.ports import LiveSessionView
from signaling.services.sessions import SessionView

Ids = Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(max_length=1000)]


class TargetsBody(Body):
    """`participant_ids` may also be "all", but for those whose participant or custom ids are in `exclude`."""

    model_config = shown({"participant_ids": ["5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d"]})

    participant_ids: Ids | Literal["all"] = ()
    custom_participant_ids: Ids = ()
    exclude: Ids = ()

    def targets(self) -> Targets:
        """Raises `ValidationFailedError` when nobody is named."""
        everybody = self.participant_ids == "all"
        targets = Targets(
            participant_ids=() if isinstance(self.participant_ids, str) else self.participant_ids,
            custom_participant_ids=self.custom_participant_ids,
            everybody=everybody,
            exclude=self.exclude,
        )
        if targets.nobody:
            raise ValidationFailedError(
                "participant_ids: name at least one participant here or in custom_participant_ids",
                field="participant_ids",
            )
        return targets


class MuteAllBody(Body):
    model_config = shown({"allow_unmute": False})

    allow_unmute: bool = True
    """Whether those who are muted may unmute themselves. If not, those who come later cannot speak either."""


_TIME: Final = "2026-01-31T09:30:00.125Z"
_PARTICIPANT: Final = {
    "id": "5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d",
    "name": "Ada Lovelace",
    "email": None,
    "picture": None,
    "custom_participant_id": "user-17",
    "created_at": _TIME,
    "updated_at": _TIME,
}


class SessionAnswer(Answer):
    model_config = shown(
        {
            "id": "1e5f1f4d-5c11-49d0-8a6f-0d5b7c110c0b",
            "associated_id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
            "meeting_display_name": "Weekly",
            "type": "meeting",
            "status": "LIVE",
            "lifecycle_status": "LIVE",
            "live_participants": 3,
            "max_concurrent_participants": 4,
            "minutes_consumed": 17.5,
            "organization_id": "6f0d5a5b-7c11-4c0b-8c1e-5f1f4d5c9d0a",
            "started_at": _TIME,
            "created_at": _TIME,
            "updated_at": _TIME,
            "ended_at": None,
            "end_reason": None,
            "archived_at": None,
            "meta": {},
            "breakout_rooms": [],
        }
    )

    id: str
    associated_id: str
    """Of the meeting."""
    meeting_display_name: str | None
    type: Literal["meeting"]
    status: Literal["LIVE", "ENDED"]
    """LIVE until it has ended, also while nobody was in yet."""
    lifecycle_status: SessionStatus
    live_participants: int
    max_concurrent_participants: int
    minutes_consumed: float
    organization_id: str
    started_at: Timestamp | None
    """When the first was in; null: nobody was."""
    created_at: Timestamp
    updated_at: Timestamp
    ended_at: Timestamp | None
    end_reason: EndReasonText | None
    """As webhooks have it (docs/sessions.md); null until it has ended."""
    archived_at: Timestamp | None
    """From then on nothing of it changes."""
    meta: dict[str, JsonValue]
    breakout_rooms: list[JsonValue]

    @classmethod
    def of(cls, view: LiveSessionView) -> SessionAnswer:
        return cls.reading(
            view,
            associated_id=view.meeting_id,
            meeting_display_name=view.meeting_title,
            type="meeting",
            status="LIVE",
            lifecycle_status=view.status,
            minutes_consumed=round(view.minutes_consumed, 3),
            ended_at=None,
            end_reason=None,
            archived_at=None,
            meta={},
            breakout_rooms=[],
        )

    @classmethod
    def of_any(cls, view: SessionView) -> SessionAnswer:
        """Also of one that has ended."""
        record = view.record
        return cls(
            id=record.id,
            associated_id=record.meeting_id,
            meeting_display_name=record.meeting_title,
            type="meeting",
            status="LIVE" if record.ended_at is None else "ENDED",
            lifecycle_status=record.status,
            live_participants=view.live_participants,
            max_concurrent_participants=view.max_concurrent_participants,
            minutes_consumed=round(view.minutes_consumed, 3),
            organization_id=record.organization_id,
            started_at=record.started_at,
            created_at=record.created_at,
            updated_at=record.updated_at,
            ended_at=record.ended_at,
            end_reason=None if record.end_reason is None else record.end_reason.upper(),
            archived_at=record.archived_at,
            meta={},
            breakout_rooms=[],
        )


Action = Literal["kick", "mute", "unmute", "censor", "admit", "deny"]
"""What is done to those whom a body names."""


class TargetedParticipant(Answer):
    model_config = shown(_PARTICIPANT)

    id: str
    name: str
    email: str | None
    picture: str | None
    custom_participant_id: str
    created_at: Timestamp
    updated_at: Timestamp


class Targeted(Answer):
    model_config = shown({"action": "kick", "participants": [_PARTICIPANT]})

    action: Action
    participants: list[TargetedParticipant]

    @classmethod
    def of(cls, action: Action, participants: Sequence[Participant]) -> Targeted:
        found = [TargetedParticipant.reading(one, email=None) for one in participants]
        return cls(action=action, participants=found)


class MutedAll(Answer):
    model_config = shown({"action": "mute-all", "muted_participants_count": 3})

    action: Literal["mute-all"] = "mute-all"
    muted_participants_count: int


class KickedAll(Answer):
    model_config = shown({"action": "kick-all", "kicked_participants_count": 3})

    action: Literal["kick-all"] = "kick-all"
    kicked_participants_count: int


ACTIVE_SESSION: Final = "/v2/meetings/{meeting_id}/active-session"


class ActiveSessionRoutes:
    def __init__(self, service: ActiveSessionService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=ACTIVE_SESSION,
                handler=self.get,
                name="getActiveSession",
                summary="Read the session that runs in a meeting",
                tag="Active session",
                access=Scope.SESSIONS_READ,
                answer=SessionAnswer,
                errors=(NoActiveSessionError,),
            ),
            moderation(ACTIVE_SESSION + "/kick", self.kick, "kickParticipants", "Put participants out"),
            Operation(
                method="POST",
                path=ACTIVE_SESSION + "/kick-all",
                handler=self.kick_all,
                name="kickAllParticipants",
                summary="Put everybody out and end the session",
                tag="Active session",
                access=Scope.SESSIONS_WRITE,
                answer=KickedAll,
                errors=(NoActiveSessionError,),
            ),
            moderation(
                ACTIVE_SESSION + "/mute",
                self.mute,
                "muteParticipants",
                "Mute what participants say, once: they may unmute",
            ),
            Operation(
                method="POST",
                path=ACTIVE_SESSION + "/mute-all",
                handler=self.mute_all,
                name="muteAllParticipants",
                summary="Mute what everybody says",
                tag="Active session",
                access=Scope.SESSIONS_WRITE,
                body=MuteAllBody,
                body_required=False,
                answer=MutedAll,
                errors=(NoActiveSessionError,),
            ),
            moderation(
                ACTIVE_SESSION + "/censor",
                self.censor,
                "censorParticipants",
                "Mute what participants say until they are unmuted here: they cannot lift it themselves",
            ),
            moderation(
                ACTIVE_SESSION + "/unmute",
                self.unmute,
                "unmuteParticipants",
                "Let participants speak again who were censored or muted with all",
            ),
        ]

    async def get(self, request: web.Request) -> web.Response:
        return success(SessionAnswer.of(await self._service.get(*meeting_path_of(request))))

    async def kick(self, request: web.Request) -> web.Response:
        return await moderated(request, "kick", self._service.kick)

    async def kick_all(self, request: web.Request) -> web.Response:
        count = await self._service.kick_all(*meeting_path_of(request))
        return success(KickedAll(action="kick-all", kicked_participants_count=count))

    async def mute(self, request: web.Request) -> web.Response:
        return await moderated(request, "mute", self._service.mute)

    async def mute_all(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MuteAllBody)
        count = await self._service.mute_all(*meeting_path_of(request), allow_unmute=body.allow_unmute)
        return success(MutedAll(action="mute-all", muted_participants_count=count))

    async def censor(self, request: web.Request) -> web.Response:
        return await moderated(request, "censor", self._service.censor)

    async def unmute(self, request: web.Request) -> web.Response:
        return await moderated(request, "unmute", self._service.unmute)


def moderation(
    path: str, handler: Handler, name: str, summary: str, *errors: type[SignalingError]
) -> Operation:
    """What the handler does by `moderated`."""
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        name=name,
        summary=summary,
        tag="Active session",
        access=Scope.SESSIONS_WRITE,
        body=TargetsBody,
        answer=Targeted,
        errors=(NoActiveSessionError, *errors),
    )


async def moderated(
    request: web.Request,
    action: Action,
    act: Callable[[str, str, Targets], Awaitable[Sequence[Participant]]],
) -> web.Response:
    """What is done to those that the body names, in a meeting of an organization; and to whom it was."""
    targets = (await parse_body(request, TargetsBody)).targets()
    return success(Targeted.of(action, await act(*meeting_path_of(request), targets)))
