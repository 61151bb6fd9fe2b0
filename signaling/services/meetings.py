"""Meetings: create, look up, change, open, close, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from pydantic import BaseModel

from signaling.domain.caller import Caller
from signaling.domain.configuration import Configuration, parse_configuration, patched
from signaling.domain.join_policy import ListPolicy, Policy
from signaling.domain.listing import EVERY_MEETING, FIRST_PAGE, MeetingFilter, Page
from signaling.domain.meeting import Meeting, MeetingStatus
from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.domain.plan import Feature
from signaling.domain.reach import EVERYTHING_SEEN, Sight, outline
from signaling.domain.region import Region
from signaling.domain.unit import may_touch
from signaling.domain.version import check_version
from signaling.errors import (
    MeetingInactiveError,
    NoActiveSessionError,
    NotFoundError,
    ValidationFailedError,
)
from signaling.ids import new_short_id, new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.levels import House, check_meeting, check_session
from signaling.services.organizations import check_feature
from signaling.services.ports import (
    Clock,
    LiveSessions,
    LiveSessionView,
    UnitOfWork,
    UnitOfWorkFactory,
)
from signaling.services.ports.secrets import Passwords
from signaling.services.ports.webhooks import Destinations
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
    join_password: str | None
    """Kept as a hash; None: none."""
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
    default_member_preset: str | None
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
    def __init__(
        self,
        units: UnitOfWorkFactory,
        live: LiveSessions,
        clock: Clock,
        house: House,
        passwords: Passwords,
        destinations: Destinations,
    ) -> None:
        self._units = units
        self._live = live
        self._clock = clock
        self._house = house
        self._passwords = passwords
        self._destinations = destinations

    async def create(
        self,
        organization_id: str,
        *,
        caller: Caller | None = None,
        once: Once[Meeting] | None = None,
        **settings: Unpack[MeetingSettings],
    ) -> Meeting:
        """Of the caller's unit, where they are limited to one and say nothing. For `once` see
        `signaling.services.idempotency`. Raises `ValidationFailedError` (the unique name is
        taken, there is no such unit, no webhook would be sent to a URL), `ConfigurationLockedError` and
        `FeatureDisabledError`."""
        now = self._clock.now()
        blank = Meeting(
            id=new_uuid(),
            organization_id=organization_id,
            title=None,
            created_at=now,
            updated_at=now,
            short=new_short_id(),
        )
        if caller is not None and caller.unit_id is not None:
            settings = {"unit_id": caller.unit_id, **settings}
        meeting = with_settings(blank, await self._checked(settings))

        async def work(uow: UnitOfWork) -> Meeting:
            await _check_unit(uow, caller, meeting)
            await check_meeting(uow, self._house, meeting)
            await _check_told(uow, meeting)
            await uow.meetings.add(meeting)
            return meeting

        return await create_once(self._units, self._clock, organization_id, once, work)

    async def get(self, organization_id: str, meeting_id: str, *, caller: Caller | None = None) -> Meeting:
        """What the caller sees of it (None: everything). Raises `NotFoundError`."""
        async with self._units(reading=True, apart=True) as uow:
            meeting = await load_meeting(uow, organization_id, meeting_id)
            return (await _as_seen(uow, caller, [meeting]))[0]

    async def find(self, organization_id: str, name: str, *, caller: Caller | None = None) -> Meeting:
        """As `get`, by its id, its unique name, or its short id. Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            found = await uow.meetings.get(organization_id, name)
            found = found or await uow.meetings.find(organization_id, name)
            if found is None:
                raise NotFoundError.of("meeting", name)
            return (await _as_seen(uow, caller, [found]))[0]

    async def list(
        self,
        organization_id: str,
        which: MeetingFilter = EVERY_MEETING,
        page: Page = FIRST_PAGE,
        *,
        caller: Caller | None = None,
    ) -> tuple[Sequence[Meeting], int]:
        """A page of what the caller sees (None: everything), newest first, and the total."""
        async with self._units(reading=True) as uow:
            sight = EVERYTHING_SEEN if caller is None else Sight.of(caller)
            found, total = await uow.meetings.list(organization_id, which, page, sight=sight)
            return await _as_seen(uow, caller, found), total

    async def change(
        self,
        organization_id: str,
        meeting_id: str,
        *,
        caller: Caller | None = None,
        if_version: Set[int] | None = None,
        **settings: Unpack[MeetingSettings],
    ) -> Meeting:
        """Raises `NotFoundError`, `PreconditionFailedError` for a version that is not in `if_version`, and
        what `create` raises. Configuration is laid over what there is, key by key. A session that runs is
        told."""
        hashed = await self._checked(settings)
        return await self._save(
            organization_id, meeting_id, caller, if_version, lambda before: with_settings(before, hashed)
        )

    async def replace(
        self,
        organization_id: str,
        meeting_id: str,
        *,
        caller: Caller | None = None,
        if_version: Set[int] | None = None,
        **settings: Unpack[MeetingSettings],
    ) -> Meeting:
        """As `change`, but what is absent takes its default: the meeting is as if it were made with these
        settings. Id, short id and password stay."""

        def anew(before: Meeting) -> Meeting:
            blank = Meeting(
                id=before.id,
                organization_id=before.organization_id,
                title=None,
                created_at=before.created_at,
                updated_at=before.updated_at,
                short=before.short,
                join_password_hash=before.join_password_hash,
                version=before.version,
            )
            return with_settings(blank, hashed)

        if caller is not None and caller.unit_id is not None:
            settings = {"unit_id": caller.unit_id, **settings}
        hashed = await self._checked(settings)
        return await self._save(organization_id, meeting_id, caller, if_version, anew)

    async def remove(
        self, organization_id: str, meeting_id: str, *, if_version: Set[int] | None = None
    ) -> Meeting:
        """Raises `NotFoundError` and `PreconditionFailedError`. Everybody is put out, tokens of its
        participants are void, and nobody finds it any more; what was recorded of its sessions stays."""

        async def work(uow: UnitOfWork) -> Meeting:
            meeting = await load_meeting(uow, organization_id, meeting_id)
            check_version("meeting", meeting.version, if_version)
            now = self._clock.now()
            meeting = replace(meeting, deleted_at=now, updated_at=now, version=meeting.version + 1)
            await uow.meetings.save(meeting)
            return meeting

        meeting = await committed(self._units, work)
        await self._live.meeting_removed(meeting)
        return meeting

    async def open(
        self, organization_id: str, meeting_id: str, said: Mapping[str, Any] | None = None
    ) -> LiveSessionView:
        """The session that runs, or a new one, which waits for somebody to join; `said` is configuration for
        that one alone. Raises `NotFoundError`, `MeetingInactiveError`, `ValidationFailedError`,
        `ConfigurationLockedError`, and `ConflictError` where one runs that was not begun with this."""
        alone = parse_configuration(said or {})
        async with self._units(reading=True) as uow:
            meeting = await load_meeting(uow, organization_id, meeting_id)
            await check_session(uow, self._house, meeting, alone)
        if not meeting.active:
            raise MeetingInactiveError
        return await self._live.open(meeting, alone)

    async def close(self, organization_id: str, meeting_id: str) -> int:
        """Ends the session for all; returns how many participants were in, 0 where none runs. Raises
        `NotFoundError`."""
        async with self._units(reading=True) as uow:
            await load_meeting(uow, organization_id, meeting_id)
        try:
            return await self._live.kick_all(meeting_id)
        except NoActiveSessionError:
            return 0

    async def _checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """With the hashes of passwords instead of these. Raises `ValidationFailedError` for a URL that no
        webhook would be sent to."""
        for field in ("webhook_event_url", "webhook_event_failover_url"):
            url = settings.get(field)
            if url is not None:
                self._destinations.check(url, field=field)
        checked = dict(settings)
        if "join_password" in checked:
            text = checked.pop("join_password")
            checked["join_password_hash"] = None if text is None else await self._passwords.hash(text)
        return checked

    async def _save(
        self,
        organization_id: str,
        meeting_id: str,
        caller: Caller | None,
        if_version: Set[int] | None,
        change: Callable[[Meeting], Meeting],
    ) -> Meeting:
        async def work(uow: UnitOfWork) -> Meeting:
            before = await load_meeting(uow, organization_id, meeting_id)
            check_version("meeting", before.version, if_version)
            after = replace(change(before), version=before.version + 1, updated_at=self._clock.now())
            if after.unit_id != before.unit_id:
                await _check_unit(uow, caller, after)
            await check_meeting(uow, self._house, after, before.configuration)
            if _urls(after) != _urls(before):
                await _check_told(uow, after)
            await uow.meetings.save(after)
            return after

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


async def _check_unit(uow: UnitOfWork, caller: Caller | None, meeting: Meeting) -> None:
    """That a caller who is limited to a unit leaves the meeting within it. Raises `ValidationFailedError`."""
    if caller is None or caller.unit_id is None:
        return
    unit = None
    if meeting.unit_id is not None:
        unit = await uow.units.get(meeting.organization_id, meeting.unit_id)
    if unit is None or not may_touch(caller, unit.path):
        raise ValidationFailedError("unit_id: name your unit, or one below it", field="unit_id")


async def _as_seen(uow: UnitOfWork, caller: Caller | None, found: Sequence[Meeting]) -> Sequence[Meeting]:
    """Those that are not of the caller's unit in outline only."""
    if caller is None or caller.unit_id is None:
        return found
    own = {unit.id for unit in await uow.units.all(caller.organization_id, within=caller.unit_id)}
    return [one if one.unit_id in own else outline(one) for one in found]


def _urls(meeting: Meeting) -> tuple[str | None, str | None]:
    return meeting.webhook_event_url, meeting.webhook_event_failover_url


async def _check_told(uow: UnitOfWork, meeting: Meeting) -> None:
    """That the organization has webhooks, if the meeting names a URL. Raises `FeatureDisabledError`."""
    if any(_urls(meeting)):
        await check_feature(uow, meeting.organization_id, Feature.WEBHOOKS)


async def load_meeting(uow: UnitOfWork, organization_id: str, meeting_id: str) -> Meeting:
    """Raises `NotFoundError` for one that is not there or belongs to somebody else."""
    meeting = await uow.meetings.get(organization_id, meeting_id)
    if meeting is None:
        raise NotFoundError.of("meeting", meeting_id)
    return meeting
