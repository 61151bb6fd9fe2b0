"""Room sessions and room participants, as they are shown. A participant of a room is one stay of one peer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from signaling.domain.attendance import Attendance
from signaling.domain.listing import AttendanceFilter, SessionFilter
from signaling.domain.session_status import SessionRecord
from signaling.rest.envelope import Timestamp
from signaling.rest.parsing import Answer, shown
from signaling.rest.telnyx.paging import CreatedPage, UpdatedPage, When, span

_TIME: Final = "2026-01-31T09:30:00.125Z"
_SESSION: Final = {
    "id": "1e5f1f4d-5c11-49d0-8a6f-0d5b7c110c0b",
    "room_id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
    "active": True,
    "created_at": _TIME,
    "updated_at": _TIME,
    "ended_at": None,
    "participants": None,
    "record_type": "room_session",
}


class RoomParticipantAnswer(Answer):
    model_config = shown(
        {
            "id": "peer_06ehx2k4m8n0p2r4t6v8x0z2b4",
            "session_id": "1e5f1f4d-5c11-49d0-8a6f-0d5b7c110c0b",
            "context": '{"seat": 4}',
            "joined_at": _TIME,
            "updated_at": _TIME,
            "left_at": None,
            "record_type": "room_participant",
        }
    )

    id: str
    session_id: str
    context: str | None
    """What the client gave when it joined."""
    joined_at: Timestamp
    updated_at: Timestamp
    left_at: Timestamp | None
    record_type: Literal["room_participant"] = "room_participant"

    @classmethod
    def of(cls, attendance: Attendance) -> RoomParticipantAnswer:
        return cls.reading(attendance, id=attendance.peer_id)


class RoomSessionAnswer(Answer):
    model_config = shown(_SESSION)

    id: str
    room_id: str
    active: bool
    created_at: Timestamp
    updated_at: Timestamp
    ended_at: Timestamp | None
    participants: list[RoomParticipantAnswer] | None
    """With `include_participants` the latest 100; else null."""
    record_type: Literal["room_session"] = "room_session"

    @classmethod
    def of(cls, session: SessionRecord, inside: Sequence[Attendance] | None = None) -> RoomSessionAnswer:
        participants = None if inside is None else [RoomParticipantAnswer.of(one) for one in inside]
        return cls.reading(
            session, room_id=session.meeting_id, active=session.ended_at is None, participants=participants
        )


class OneSessionQuery(BaseModel):
    include_participants: bool = False


class RoomSessionQuery(CreatedPage):
    """Of the sessions of one room."""

    include_participants: bool = False
    active: Annotated[bool | None, Field(alias="filter[active]")] = None
    ended_eq: Annotated[When | None, Field(alias="filter[date_ended_at][eq]")] = None
    ended_gte: Annotated[When | None, Field(alias="filter[date_ended_at][gte]")] = None
    ended_lte: Annotated[When | None, Field(alias="filter[date_ended_at][lte]")] = None

    def which(self, room_id: str | None) -> SessionFilter:
        return SessionFilter(
            live=self.active,
            meeting_id=room_id,
            created=self.created,
            updated=self.updated,
            ended=span(self.ended_eq, self.ended_gte, self.ended_lte),
        )


class RoomSessionsQuery(RoomSessionQuery):
    """Of those of all rooms."""

    room_id: Annotated[str | None, Field(alias="filter[room_id]", max_length=64)] = None


class InSessionQuery(UpdatedPage):
    """Of the participants of one session."""

    context: Annotated[str | None, Field(alias="filter[context]", max_length=4096)] = None
    joined_eq: Annotated[When | None, Field(alias="filter[date_joined_at][eq]")] = None
    joined_gte: Annotated[When | None, Field(alias="filter[date_joined_at][gte]")] = None
    joined_lte: Annotated[When | None, Field(alias="filter[date_joined_at][lte]")] = None
    left_eq: Annotated[When | None, Field(alias="filter[date_left_at][eq]")] = None
    left_gte: Annotated[When | None, Field(alias="filter[date_left_at][gte]")] = None
    left_lte: Annotated[When | None, Field(alias="filter[date_left_at][lte]")] = None

    def which(self, session_id: str | None) -> AttendanceFilter:
        return AttendanceFilter(
            session_id=session_id,
            context=self.context,
            joined=span(self.joined_eq, self.joined_gte, self.joined_lte),
            updated=self.updated,
            left=span(self.left_eq, self.left_gte, self.left_lte),
        )


class ParticipantsQuery(InSessionQuery):
    """Of those of all sessions."""

    session_id: Annotated[str | None, Field(alias="filter[session_id]", max_length=64)] = None
