"""Meetings: create, look up, change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from pydantic import BaseModel

from signaling.domain.configuration import Configuration, patched
from signaling.domain.join_policy import ListPolicy, Policy
from signaling.domain.meeting import Meeting, MeetingStatus, Region
from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.domain.time_range import ANY_TIME, TimeRange
from signaling.domain.version import check_version
from signaling.errors import NotFoundError
from signaling.ids import new_short_id, new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.ports import Clock, LiveSessions, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


class MeetingSettings(TypedDict, total=False):
    """What may be set of a meeting; what is absent stays as it is (or takes its default).

    From `max_participants` on it is configuration, in which None means: as the levels above say.
    """

    title: str | None
    status: MeetingStatus
    preferred_region: Region | None
    unit_id: str | None
    unique_name: str | None
    list_policy: ListPolicy
    webhook_event_url: str | None
    webhook_event_failover_url: str | None
    webhook_timeout_secs: int | None
    max_participants: int | None
    max_duration_secs: int | None
    session_keep_alive_time_in_secs: int | None
    loudest_audio: int | None
    lobby_enabled: bool | None
    open_policy: Policy | None
    allow_open_units: Sequence[str] | None
    join_policy: Policy | None
    allow_join_units: Sequence[str] | None
    default_guest_preset: str | None
    profile: str | None
    skin: str | None
    persist_chat: bool | None
    record_on_start: bool | None
    live_stream_on_start: bool | None
    transcribe_on_end: bool | None
    summarize_on_end: bool | None
    recording_config: RecordingConfig | Mapping[str, Any] | None
    ai_config: AiConfig | Mapping[str, Any] | None


class MeetingService:
    def __init__(self, units: UnitOfWorkFactory, live: LiveSessions, clock: Clock) -> None:
        self._units = units
        self._live = live
        self._clock = clock

    async def create(
        self, organization_id: str, *, once: Once[Meeting] | None = None, **settings: Unpack[MeetingSettings]
    ) -> Meeting:
        """For `once` see `signaling.services.idempotency`. Raises `ValidationFailedError` where the unique
        name is taken."""
        now = self._clock.now()
        blank = Meeting(
            id=new_uuid(),
            organization_id=organization_id,
            title=None,
            created_at=now,
            updated_at=now,
            short=new_short_id(),
        )
        meeting = with_settings(blank, settings)

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
        unique_name: str | None = None,
        created: TimeRange = ANY_TIME,
        updated: TimeRange = ANY_TIME,
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
                unique_name=unique_name,
                created=created,
                updated=updated,
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
            meeting = replace(
                with_settings(meeting, settings), version=meeting.version + 1, updated_at=self._clock.now()
            )
            await uow.meetings.save(meeting)
            return meeting

        meeting = await committed(self._units, work)
        await self._live.meeting_changed(meeting)
        return meeting


def with_settings(meeting: Meeting, settings: Mapping[str, Any]) -> Meeting:
    """Configuration is laid over what the meeting says already, key by key."""
    said = {name: _plain(value) for name, value in settings.items() if name in Configuration.model_fields}
    own = {name: value for name, value in settings.items() if name not in said}
    return replace(meeting, **own, configuration=patched(meeting.configuration, said))


def _plain(value: Any) -> Any:
    """As JSON; of a model only what was given."""
    return value.model_dump(mode="json", exclude_unset=True) if isinstance(value, BaseModel) else value


async def load_meeting(uow: UnitOfWork, organization_id: str, meeting_id: str) -> Meeting:
    """Raises `NotFoundError` for one that is not there or belongs to somebody else."""
    meeting = await uow.meetings.get(organization_id, meeting_id)
    if meeting is None:
        raise NotFoundError.of("meeting", meeting_id)
    return meeting
