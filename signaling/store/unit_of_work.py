"""One transaction over all repositories."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.services.ports import (
    MeetingRepository,
    OrganizationRepository,
    ParticipantRepository,
    PresetRepository,
    SessionRepository,
)
from signaling.store.meetings import SqlMeetings
from signaling.store.organizations import SqlOrganizations
from signaling.store.participants import SqlParticipants
from signaling.store.presets import SqlPresets
from signaling.store.sessions import SqlSessions


class SqlUnitOfWork:
    """`async with` begins, `commit` makes it last, leaving without it rolls back.

    Do not wait for anything but the store inside: on SQLite every other unit waits meanwhile.
    """

    organizations: OrganizationRepository
    meetings: MeetingRepository
    participants: ParticipantRepository
    presets: PresetRepository
    sessions: SessionRepository

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._db: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        assert self._db is None, "a unit of work is entered once"
        db = self._db = await self._engine.connect()
        try:
            await db.begin()
        except BaseException:
            await db.close()
            raise
        self.organizations = SqlOrganizations(db)
        self.meetings = SqlMeetings(db)
        self.participants = SqlParticipants(db)
        self.presets = SqlPresets(db)
        self.sessions = SqlSessions(db)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._db is not None
        await self._db.close()

    async def commit(self) -> None:
        assert self._db is not None, "a unit of work is committed inside its async with"
        await self._db.commit()
