"""Sessions, and who attended them when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signaling.domain.attendance import Attendance
from signaling.domain.session import SessionRecord, SessionStatus
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import attendances, sessions

_SAVE = update(sessions).where(sessions.c.id == bindparam("saved"))
_ADD_ATTENDANCE = insert(attendances)
_SAVE_ATTENDANCE = update(attendances).where(attendances.c.peer_id == bindparam("saved"))


class SqlSessions:
    def __init__(self, db: AsyncConnection) -> None:
        self._db = db

    async def add(self, session: SessionRecord) -> None:
        """Raises `ConflictError` when the meeting has another session that has not ended."""
        statement = insert(sessions).values(values_of(session))
        await insert_unique(
            self._db,
            statement,
            f"The meeting {session.meeting_id!r} is gone or has an active session already.",
        )

    async def save(self, session: SessionRecord) -> None:
        await self._db.execute(_SAVE, values_of(session) | {"saved": session.id})

    async def get(self, session_id: str) -> SessionRecord | None:
        row = (await self._db.execute(select(sessions).where(sessions.c.id == session_id))).first()
        return _session(row) if row else None

    async def active_for(self, meeting_id: str) -> SessionRecord | None:
        query = select(sessions).where(sessions.c.meeting_id == meeting_id, sessions.c.ended_at.is_(None))
        row = (await self._db.execute(query)).first()
        return _session(row) if row else None

    async def unfinished(self) -> Sequence[SessionRecord]:
        query = select(sessions).where(sessions.c.ended_at.is_(None)).order_by(sessions.c.created_at)
        return [_session(row) for row in await self._db.execute(query)]

    async def add_attendance(self, attendance: Attendance) -> None:
        complaint = f"Peer {attendance.peer_id!r} attends already, or its session is gone."
        await insert_unique(self._db, _ADD_ATTENDANCE, complaint, values_of(attendance))

    async def save_attendance(self, attendance: Attendance) -> None:
        await self._db.execute(_SAVE_ATTENDANCE, values_of(attendance) | {"saved": attendance.peer_id})

    async def attendances(self, session_id: str) -> Sequence[Attendance]:
        query = (
            select(attendances)
            .where(attendances.c.session_id == session_id)
            .order_by(attendances.c.joined_at, attendances.c.peer_id)
        )
        return [Attendance(**row._mapping) for row in await self._db.execute(query)]


def _session(row: Row[Any]) -> SessionRecord:
    values = dict(row._mapping)
    return SessionRecord(**values | {"status": SessionStatus(values["status"])})
