"""Meetings: create, look up, change."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import TypedDict, Unpack

from signaling.domain.meeting import Meeting, MeetingStatus, Region
from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.domain.version import check_version
from signaling.errors import NotFoundError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.ports import Clock, LiveSessions, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


class MeetingSettings(TypedDict, total=False):
    """What may be set of a meeting; what is absent stays as it is (or takes its default)."""

    title: str | None
    status: MeetingStatus
    preferred_region: Region | None
    record_on_start: bool
    live_stream_on_start: bool
    persist_chat: bool
    summarize_on_end: bool
    session_keep_alive_time_in_secs: int
    recording_config: RecordingConfig | None
    ai_config: AiConfig | None
    loudest_audio: int | None


class MeetingService:
    def __init__(self, units: UnitOfWorkFactory, live: LiveSessions, clock: Clock, keep_alive: int) -> None:
        """`keep_alive`: seconds a session outlives its last peer where a meeting does not say."""
        self._units = units
        self._live = live
        self._clock = clock
        self._keep_alive = keep_alive

    async def create(
        self, organization_id: str, *, once: Once[Meeting] | None = None, **settings: Unpack[MeetingSettings]
    ) -> Meeting:
        """For `once` see `signaling.services.idempotency`."""
        now = self._clock.now()
        blank = Meeting(
            id=new_uuid(),
            organization_id=organization_id,
            title=None,
            created_at=now,
            updated_at=now,
            session_keep_alive_time_in_secs=self._keep_alive,
        )
        meeting = replace(blank, **settings)

        async def work(uow: UnitOfWork) -> Meeting:
            await uow.meetings.add(meeting)
            return meeting

        return await create_once(self._units, self._clock, organization_id, once, work)

    async def get(self, organization_id: str, meeting_id: str) -> Meeting:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            return await load_meeting(uow, organization_id, meeting_id)

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
        """A page, newest first, and the total."""
        async with self._units(reading=True) as uow:
            return await uow.meetings.list(
                organization_id,
                search=search,
                start_time=start_time,
                end_time=end_time,
                offset=offset,
                limit=limit,
            )

    async def change(
        self,
        organization_id: str,
        meeting_id: str,
        *,
        if_version: Set[int] | None = None,
        **settings: Unpack[MeetingSettings],
    ) -> Meeting:
        """Raises `NotFoundError`, and `PreconditionFailedError` for a version that is not in `if_version`. A
        session that runs is told."""

        async def work(uow: UnitOfWork) -> Meeting:
            meeting = await load_meeting(uow, organization_id, meeting_id)
            check_version("meeting", meeting.version, if_version)
            version = meeting.version + 1
            meeting = replace(meeting, **settings, version=version, updated_at=self._clock.now())
            await uow.meetings.save(meeting)
            return meeting

        meeting = await committed(self._units, work)
        await self._live.meeting_changed(meeting)
        return meeting


async def load_meeting(uow: UnitOfWork, organization_id: str, meeting_id: str) -> Meeting:
    """Raises `NotFoundError` for one that is not there or belongs to somebody else."""
    meeting = await uow.meetings.get(organization_id, meeting_id)
    if meeting is None:
        raise NotFoundError.of("meeting", meeting_id)
    return meeting
