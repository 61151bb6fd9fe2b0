"""Meetings, sessions and who was in them, by the hundred thousand, straight into the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, text

from signaling.domain.attendance import Attendance
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.session import SessionRecord, SessionStatus
from signaling.store import tables
from signaling.store.attendances import attendance_values
from signaling.store.database import Database
from signaling.store.rows import values_of
from signaling.testing.store import statements

MEETING: Final = "meeting-0000000"
PARTICIPANT: Final = "participant"
PEERS: Final = 2
"""In each session."""
_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BETWEEN: Final = timedelta(seconds=60)
_AT_ONCE: Final = 2000
_TITLES: Final = ("Weekly", "Interview", "Planning", "Consultation", "Lecture")


async def fill(url: str, organization_id: str, since: int, until: int) -> None:
    """Meetings of these numbers, each with a session that has ended."""
    database = await Database.open(url)
    for first in range(since, until, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, until))
        rows = {
            tables.meetings: [values_of(_meeting(organization_id, n)) for n in numbers],
            tables.sessions: [values_of(_session(organization_id, n)) for n in numbers],
            tables.attendances: [one for n in numbers for one in _attendances(organization_id, n)],
        }
        async with statements(database) as db:
            for table, those in rows.items():
                await db.execute(insert(table), those)
    async with statements(database) as db:
        if since == 0:
            await db.execute(insert(tables.participants), values_of(_participant(organization_id)))
        await db.execute(text("ANALYZE"))
    await database.close()


def _meeting(organization_id: str, number: int) -> Meeting:
    at = _BEGAN + number * _BETWEEN
    title = f"{_TITLES[number % len(_TITLES)]} {number}"
    return Meeting(f"meeting-{number:07}", organization_id, title, at, at, short=f"s{number:07}")


def _session(organization_id: str, number: int) -> SessionRecord:
    """Ten meetings share one title and one of them has all sessions of ten."""
    at = _BEGAN + number * _BETWEEN
    meeting = _meeting(organization_id, number - number % 10)
    return SessionRecord(
        id=f"session-{number:07}",
        meeting_id=meeting.id,
        organization_id=organization_id,
        status=SessionStatus.FINISHED,
        created_at=at,
        updated_at=at + timedelta(minutes=number % 60),
        started_at=at,
        ended_at=at + timedelta(minutes=number % 60),
        end_reason="ALL_PARTICIPANTS_LEFT",
        max_concurrent_participants=PEERS,
        meeting_title=meeting.title,
        seconds_consumed=60.0 * (number % 60) * PEERS,
    )


def _attendances(organization_id: str, number: int) -> Iterator[dict[str, Any]]:
    session = _session(organization_id, number)
    for peer in range(PEERS):
        yield attendance_values(
            Attendance(
                peer_id=f"peer-{number:07}-{peer}",
                session_id=session.id,
                organization_id=organization_id,
                meeting_id=session.meeting_id,
                participant_id=f"participant-{number % 1000}",
                custom_participant_id=f"user-{number % 1000}",
                name="Ada",
                preset_name="group_call_host",
                joined_at=session.created_at,
                updated_at=session.updated_at,
                left_at=session.ended_at,
                leave_reason="left",
            )
        )


def _participant(organization_id: str) -> Participant:
    return Participant(
        id=PARTICIPANT,
        organization_id=organization_id,
        meeting_id=MEETING,
        name="Ada",
        custom_participant_id="user-1",
        preset_name="group_call_host",
        picture=None,
        created_at=_BEGAN,
        updated_at=_BEGAN,
    )
