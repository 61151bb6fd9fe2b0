"""Sessions, and who attended them when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, or_, select, update

from signaling.domain.attendance import Attendance
from signaling.domain.session_status import SessionEndReason, SessionRecord, SessionStatus
from signaling.store.attendances import attendance_values, read_attendance
from signaling.store.connection import Statements
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import attendances, sessions
from signaling.store.tables import webhook_deliveries as deliveries
from signaling.store.tables.session import UNARCHIVED

_SAVE = update(sessions).where(sessions.c.id == bindparam("saved"), sessions.c.ended_at.is_(None))
_ADD_SECONDS = (
    update(sessions)
    .where(sessions.c.id == bindparam("of"))
    .values(seconds_consumed=sessions.c.seconds_consumed + bindparam("more"))
)
_ADD_ATTENDANCE = insert(attendances).from_select(
    attendances.c.keys(),
    select(*(bindparam(column.key, type_=column.type) for column in attendances.c)).where(
        exists().where(sessions.c.id == bindparam("session_id"), sessions.c.ended_at.is_(None))
    ),
)
_SAVE_ATTENDANCE = update(attendances).where(
    attendances.c.peer_id == bindparam("saved"), attendances.c.left_at.is_(None)
)

_SETTLED = (
    select(sessions)
    .where(
        UNARCHIVED,
        ~exists().where(deliveries.c.session_id == sessions.c.id, deliveries.c.finished_at.is_(None)),
        ~exists().where(attendances.c.session_id == sessions.c.id, attendances.c.left_at.is_(None)),
    )
    .order_by(sessions.c.ended_at, sessions.c.id)
)


class SqlSessions:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def add(self, session: SessionRecord) -> None:
        """Raises `ConflictError` when the meeting has another session that has not ended."""
        statement = insert(sessions).values(values_of(session))
        await insert_unique(
            self._db,
            statement,
            f"The meeting {session.meeting_id!r} is gone or has an active session already.",
        )

    async def save(self, session: SessionRecord) -> bool:
        values = values_of(session) | {"saved": session.id}
        del values["seconds_consumed"]
        return (await self._db.execute(_SAVE, values)).rowcount == 1

    async def get(self, session_id: str) -> SessionRecord | None:
        row = (await self._db.execute(select(sessions).where(sessions.c.id == session_id))).first()
        return read_session(row._mapping) if row else None

    async def active_for(self, meeting_id: str) -> SessionRecord | None:
        query = select(sessions).where(sessions.c.meeting_id == meeting_id, sessions.c.ended_at.is_(None))
        row = (await self._db.execute(query)).first()
        return read_session(row._mapping) if row else None

    async def unfinished(self) -> Sequence[SessionRecord]:
        query = select(sessions).where(sessions.c.ended_at.is_(None)).order_by(sessions.c.created_at)
        return [read_session(row._mapping) for row in await self._db.execute(query)]

    async def running_in(self, organization_id: str) -> Sequence[str]:
        unfinished = (sessions.c.organization_id == organization_id, sessions.c.ended_at.is_(None))
        return list(await self._db.scalars(select(sessions.c.meeting_id).where(*unfinished)))

    async def count_unfinished(self, organization_id: str) -> int:
        unfinished = (sessions.c.organization_id == organization_id, sessions.c.ended_at.is_(None))
        query = select(func.count()).select_from(sessions).where(*unfinished)
        return int((await self._db.execute(query)).scalar_one())

    async def add_attendance(self, attendance: Attendance) -> bool:
        complaint = f"Peer {attendance.peer_id!r} attends already."
        return await insert_unique(self._db, _ADD_ATTENDANCE, complaint, attendance_values(attendance)) == 1

    async def save_attendance(self, attendance: Attendance) -> bool:
        values = attendance_values(attendance) | {"saved": attendance.peer_id}
        saved = (await self._db.execute(_SAVE_ATTENDANCE, values)).rowcount == 1
        if saved and attendance.counted and attendance.left_at is not None:
            more = {"of": attendance.session_id, "more": attendance.seconds(attendance.left_at)}
            await self._db.execute(_ADD_SECONDS, more)
        return saved

    async def settled(
        self, *, before: datetime, elsewhere: Collection[str], limit: int
    ) -> Sequence[SessionRecord]:
        query = _SETTLED.where(sessions.c.ended_at < before).limit(limit)
        if elsewhere:
            query = query.where(or_(sessions.c.server_id.is_(None), sessions.c.server_id.not_in(elsewhere)))
        return [read_session(row._mapping) for row in await self._db.execute(query)]

    async def archive(self, session_ids: Collection[str], now: datetime) -> int:
        done = await self._db.execute(
            update(sessions)
            .where(sessions.c.id.in_(session_ids), UNARCHIVED)
            .values(status=SessionStatus.ARCHIVED, archived_at=now, updated_at=now)
        )
        return int(done.rowcount)

    async def attendances(self, session_id: str) -> Sequence[Attendance]:
        query = (
            select(attendances)
            .where(attendances.c.session_id == session_id)
            .order_by(attendances.c.joined_at, attendances.c.peer_id)
        )
        return [read_attendance(row._mapping) for row in await self._db.execute(query)]


def read_session(row: Mapping[Any, Any]) -> SessionRecord:
    values = {**row, "status": SessionStatus(row["status"])}
    if values["end_reason"] is not None:
        values["end_reason"] = SessionEndReason(values["end_reason"])
    return SessionRecord(**values)
