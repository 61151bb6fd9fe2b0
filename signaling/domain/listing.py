"""Which part of a list is wanted, and in what order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from signaling.domain.meeting import MeetingStatus
from signaling.domain.session_status import SessionStatus
from signaling.domain.time_range import ANY_TIME, TimeRange
from signaling.domain.unit import Branch


@dataclass(frozen=True, slots=True)
class Page:
    offset: int = 0
    limit: int = 20


FIRST_PAGE: Final = Page()


class SessionOrder(StrEnum):
    CREATED = "created"
    CONSUMED = "consumed"
    """By the time of those who have left; a session that runs has not counted the others yet."""


class AttendanceOrder(StrEnum):
    JOINED = "joined"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class MeetingFilter:
    """What is None leaves nothing out."""

    search: str | None = None
    """Part of the title, or the id, the unique name or the short id."""
    status: MeetingStatus | None = None
    unit_id: str | None = None
    unique_name: str | None = None
    start_time: datetime | None = None
    """They were created at that time or later, ..."""
    end_time: datetime | None = None
    """... and at that one or earlier."""
    created: TimeRange = ANY_TIME
    updated: TimeRange = ANY_TIME


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What is None or empty leaves nothing out."""

    live: bool | None = None
    status: SessionStatus | None = None
    meeting_id: str | None = None
    search: str | None = None
    """Part of the meeting's title, or the id of the session or the meeting."""
    participants: tuple[str, ...] = ()
    """Participant ids or custom ids of whom at least one was in."""
    branch: Branch | None = None
    """Units of which the session is one: those of its meeting when it began."""
    created: TimeRange = ANY_TIME
    updated: TimeRange = ANY_TIME
    ended: TimeRange = ANY_TIME


@dataclass(frozen=True, slots=True)
class AttendanceFilter:
    """What is None leaves nothing out."""

    session_id: str | None = None
    search: str | None = None
    """Part of the name, or one of the ids."""
    context: str | None = None
    """The whole of it."""
    branch: Branch | None = None
    """Units of whose sessions it is one."""
    joined: TimeRange = ANY_TIME
    updated: TimeRange = ANY_TIME
    left: TimeRange = ANY_TIME


EVERY_MEETING: Final = MeetingFilter()
EVERY_SESSION: Final = SessionFilter()
