"""Meetings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signaling.domain.meeting import Meeting, MeetingStatus, Region
from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.store.rows import insert_unique, page, values_of
from signaling.store.tables import meetings

_GET = select(meetings).where(
    meetings.c.organization_id == bindparam("organization"), meetings.c.id == bindparam("meeting")
)


class SqlMeetings:
    def __init__(self, db: AsyncConnection) -> None:
        self._db = db

    async def get(self, organization_id: str, meeting_id: str) -> Meeting | None:
        wanted = {"organization": organization_id, "meeting": meeting_id}
        row = (await self._db.execute(_GET, wanted)).first()
        return _meeting(row) if row else None

    async def add(self, meeting: Meeting) -> None:
        statement = insert(meetings).values(values_of(meeting))
        await insert_unique(self._db, statement, f"There is a meeting {meeting.id!r} already.")

    async def save(self, meeting: Meeting) -> None:
        await self._db.execute(
            update(meetings)
            .where(meetings.c.organization_id == meeting.organization_id, meetings.c.id == meeting.id)
            .values(values_of(meeting))
        )

    async def list(
        self,
        organization_id: str,
        *,
        search: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Meeting], int]:
        query = select(meetings).where(meetings.c.organization_id == organization_id)
        if search:
            query = query.where(
                or_(meetings.c.title.icontains(search, autoescape=True), meetings.c.id == search)
            )
        if start_time:
            query = query.where(meetings.c.created_at >= start_time)
        if end_time:
            query = query.where(meetings.c.created_at <= end_time)
        query = query.order_by(meetings.c.created_at.desc(), meetings.c.id.desc())
        return await page(self._db, query, _meeting, offset=offset, limit=limit)


def _meeting(row: Row[Any]) -> Meeting:
    return read_meeting(row._mapping)


def read_meeting(values: Mapping[str, Any] | RowMapping) -> Meeting:
    region, recording, ai = values["preferred_region"], values["recording_config"], values["ai_config"]
    return Meeting(
        **{**values}
        | {
            "status": MeetingStatus(values["status"]),
            "preferred_region": Region(region) if region else None,
            "recording_config": None if recording is None else RecordingConfig.model_validate(recording),
            "ai_config": None if ai is None else AiConfig.model_validate(ai),
        }
    )
