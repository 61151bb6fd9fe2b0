"""The events of sessions and of the participants in them, as webhooks hear of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from signaling.domain.attendance import Attendance
from signaling.domain.listed import EndReasonText, LeaveReasonText, RoomEndReasonText
from signaling.domain.session_status import SessionEndReason, SessionRecord
from signaling.domain.webhook import EventName, RoomEventName
from signaling.domain.webhook_events import Payload, RoomPayload, Setting, TimeText, to_text


class Organizer(Payload):
    id: str = Field(description="The organization's id.")
    name: str


class MeetingFacts(Payload):
    id: str
    session_id: str
    title: str | None = None
    status: Literal["LIVE", "ENDED"]
    created_at: TimeText
    started_at: TimeText | None = None
    ended_at: TimeText | None = None
    organized_by: Organizer


class ParticipantFacts(Payload):
    peer_id: str = Field(description="Another one each time that the participant joins.")
    user_display_name: str
    custom_participant_id: str
    client_specific_id: str = Field(description="Deprecated: the same as `customParticipantId`.")
    joined_at: TimeText
    left_at: TimeText | None = None


class MeetingStarted(Payload):
    """The first participant is in."""

    event: Literal["meeting.started"] = "meeting.started"
    meeting: MeetingFacts


class MeetingEnded(Payload):
    """The session is over; nobody is in it any more. Not of one that nobody was in: it did not start."""

    event: Literal["meeting.ended"] = "meeting.ended"
    meeting: MeetingFacts
    reason: EndReasonText = Field(description="As `end_reason` of the session.")


class ParticipantJoined(Payload):
    event: Literal["meeting.participantJoined"] = "meeting.participantJoined"
    meeting: MeetingFacts
    participant: ParticipantFacts


class ParticipantLeft(Payload):
    event: Literal["meeting.participantLeft"] = "meeting.participantLeft"
    meeting: MeetingFacts
    participant: ParticipantFacts


class RoomSessionStarted(RoomPayload):
    session_id: str
    room_id: str


class RoomSessionEnded(RoomSessionStarted):
    duration_secs: int
    ended_reason: RoomEndReasonText


class RoomParticipantJoined(RoomSessionStarted):
    participant_id: str = Field(description="Another one each time that the participant joins.")
    context: str | None = None


class RoomParticipantLeft(RoomParticipantJoined):
    duration_secs: int
    left_reason: LeaveReasonText


EVENTS: Final[dict[str, type[Payload]]] = {
    EventName.MEETING_STARTED: MeetingStarted,
    EventName.MEETING_ENDED: MeetingEnded,
    EventName.PARTICIPANT_JOINED: ParticipantJoined,
    EventName.PARTICIPANT_LEFT: ParticipantLeft,
}
"""What an organization's webhook is sent, by name."""
ROOM_EVENTS: Final[dict[RoomEventName, type[RoomPayload]]] = {
    RoomEventName.SESSION_STARTED: RoomSessionStarted,
    RoomEventName.SESSION_ENDED: RoomSessionEnded,
    RoomEventName.PARTICIPANT_JOINED: RoomParticipantJoined,
    RoomEventName.PARTICIPANT_LEFT: RoomParticipantLeft,
}
"""What is in the `payload` of a room's event, by name."""


@dataclass(frozen=True, slots=True)
class _InSession:
    """What happened in a session, or to it."""

    record: SessionRecord

    @property
    def organization_id(self) -> str:
        return self.record.organization_id

    @property
    def meeting_id(self) -> str:
        return self.record.meeting_id

    @property
    def session_id(self) -> str:
        return self.record.id


@dataclass(frozen=True, slots=True)
class SessionOccurrence(_InSession):
    """A session started or ended: which of the two, its record says."""

    @property
    def name(self) -> EventName:
        return EventName.MEETING_STARTED if self.record.ended_at is None else EventName.MEETING_ENDED

    @property
    def identity(self) -> str:
        return ""

    @property
    def at(self) -> datetime:
        return self.record.ended_at or self.record.started_at or self.record.created_at

    def for_organization(self, setting: Setting) -> Payload:
        facts = _meeting(self.record, setting)
        if self.record.ended_at is None:
            return MeetingStarted(meeting=facts)
        return MeetingEnded(meeting=facts, reason=self._end_reason.upper())

    def for_room(self) -> tuple[RoomEventName, RoomPayload]:
        where = {"session_id": self.record.id, "room_id": self.record.meeting_id}
        if self.record.ended_at is None:
            return RoomEventName.SESSION_STARTED, RoomSessionStarted(**where)
        began = self.record.started_at or self.record.created_at
        return RoomEventName.SESSION_ENDED, RoomSessionEnded(
            **where,
            duration_secs=_seconds(began, self.record.ended_at),
            ended_reason=self._end_reason.lower(),
        )

    @property
    def _end_reason(self) -> SessionEndReason:
        assert self.record.end_reason is not None, "what has ended has a reason"
        return self.record.end_reason


@dataclass(frozen=True, slots=True)
class ParticipantOccurrence(_InSession):
    """Somebody joined a session or left it: which of the two, the attendance says."""

    attendance: Attendance

    @property
    def name(self) -> EventName:
        left = self.attendance.left_at is not None
        return EventName.PARTICIPANT_LEFT if left else EventName.PARTICIPANT_JOINED

    @property
    def identity(self) -> str:
        return self.attendance.peer_id

    @property
    def at(self) -> datetime:
        return self.attendance.left_at or self.attendance.joined_at

    def for_organization(self, setting: Setting) -> Payload:
        running = replace(self.record, ended_at=None)  # it may be over by the time this is written down
        facts, somebody = _meeting(running, setting), self._participant()
        if self.attendance.left_at is None:
            return ParticipantJoined(meeting=facts, participant=somebody)
        return ParticipantLeft(meeting=facts, participant=somebody)

    def for_room(self) -> tuple[RoomEventName, RoomPayload]:
        one = self.attendance
        where: dict[str, Any] = {
            "session_id": self.record.id,
            "room_id": self.record.meeting_id,
            "participant_id": one.peer_id,
            "context": one.context,
        }
        if one.left_at is None:
            return RoomEventName.PARTICIPANT_JOINED, RoomParticipantJoined(**where)
        assert one.leave_reason is not None, "who has left has a reason"
        return RoomEventName.PARTICIPANT_LEFT, RoomParticipantLeft(
            **where,
            duration_secs=round(one.seconds(one.left_at)),
            left_reason=one.leave_reason.lower(),
        )

    def _participant(self) -> ParticipantFacts:
        one = self.attendance
        return ParticipantFacts(
            peer_id=one.peer_id,
            user_display_name=one.name,
            custom_participant_id=one.custom_participant_id or "",
            client_specific_id=one.custom_participant_id or "",
            joined_at=to_text(one.joined_at),
            left_at=None if one.left_at is None else to_text(one.left_at),
        )


def _meeting(record: SessionRecord, setting: Setting) -> MeetingFacts:
    return MeetingFacts(
        id=record.meeting_id,
        session_id=record.id,
        title=setting.meeting_title,
        status="LIVE" if record.ended_at is None else "ENDED",
        created_at=to_text(record.created_at),
        started_at=None if record.started_at is None else to_text(record.started_at),
        ended_at=None if record.ended_at is None else to_text(record.ended_at),
        organized_by=Organizer(id=record.organization_id, name=setting.organization_name),
    )


def _seconds(began: datetime, ended: datetime) -> int:
    return max(0, round((ended - began).total_seconds()))
