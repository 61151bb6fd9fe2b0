"""`/v2/meetings/{meeting_id}/active-session`: what runs in a meeting now, and what moderation does to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field, JsonValue

from signaling.domain.caller import Scope
from signaling.domain.participant import Participant
from signaling.errors import NoActiveSessionError, ValidationFailedError
from signaling.rest.access import organization_id_of
from signaling.rest.envelope import Timestamp, success
from signaling.rest.operation import Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.services.active_session import ActiveSessionService
from signaling.services.ports import LiveSessionView
from signaling.services.sessions import SessionView

Ids = Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(max_length=1000)]


class Targets(Body):
    model_config = shown({"participant_ids": ["5b7c110c-0b2c-4e1e-8f1f-4d5c9d0a6f0d"]})

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
            "live_participants": 3,
            "max_concurrent_participants": 4,
            "minutes_consumed": 17.5,
            "organization_id": "6f0d5a5b-7c11-4c0b-8c1e-5f1f4d5c9d0a",
            "started_at": _TIME,
            "created_at": _TIME,
            "updated_at": _TIME,
            "ended_at": None,
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
    live_participants: int
    max_concurrent_participants: int
    minutes_consumed: float
    organization_id: str
    started_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp
    ended_at: Timestamp | None
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
            minutes_consumed=round(view.minutes_consumed, 3),
            ended_at=None,
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
            live_participants=view.live_participants,
            max_concurrent_participants=view.max_concurrent_participants,
            minutes_consumed=round(view.minutes_consumed, 3),
            organization_id=record.organization_id,
            started_at=record.started_at or record.created_at,
            created_at=record.created_at,
            updated_at=record.updated_at,
            ended_at=record.ended_at,
            meta={},
            breakout_rooms=[],
        )


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

    action: str
    participants: list[TargetedParticipant]

    @classmethod
    def of(cls, action: str, participants: Sequence[Participant]) -> Targeted:
        found = [TargetedParticipant.reading(one, email=None) for one in participants]
        return cls(action=action, participants=found)


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
            Operation(
                method="POST",
                path=ACTIVE_SESSION + "/kick",
                handler=self.kick,
                name="kickParticipants",
                summary="Put participants out",
                tag="Active session",
                access=Scope.SESSIONS_WRITE,
                body=Targets,
                answer=Targeted,
                errors=(NoActiveSessionError,),
            ),
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
            Operation(
                method="POST",
                path=ACTIVE_SESSION + "/mute",
                handler=self.mute,
                name="muteParticipants",
                summary="Mute the microphones of participants",
                tag="Active session",
                access=Scope.SESSIONS_WRITE,
                body=Targets,
                answer=Targeted,
                errors=(NoActiveSessionError,),
            ),
        ]

    async def get(self, request: web.Request) -> web.Response:
        return success(SessionAnswer.of(await self._service.get(*_path(request))))

    async def kick(self, request: web.Request) -> web.Response:
        who = (await parse_body(request, Targets)).checked()
        kicked = await self._service.kick(*_path(request), who.participant_ids, who.custom_participant_ids)
        return success(Targeted.of("kick", kicked))

    async def kick_all(self, request: web.Request) -> web.Response:
        count = await self._service.kick_all(*_path(request))
        return success(KickedAll(action="kick-all", kicked_participants_count=count))

    async def mute(self, request: web.Request) -> web.Response:
        who = (await parse_body(request, Targets)).checked()
        muted = await self._service.mute(*_path(request), who.participant_ids, who.custom_participant_ids)
        return success(Targeted.of("mute", muted))


def _path(request: web.Request) -> tuple[str, str]:
    """organization, meeting"""
    return organization_id_of(request), request.match_info["meeting_id"]
