"""A store in memory. It passes the conformance tests of the database
(`tests/signaling/store/test_conformance.py`)."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from signaling.domain.attendance import Attendance
from signaling.domain.idempotency import MadeBefore
from signaling.domain.meeting import Meeting
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.participant import Participant
from signaling.domain.preset import PresetRecord
from signaling.domain.session import SessionRecord
from signaling.errors import ConflictError
from signaling.services.ports import (
    IdempotencyRepository,
    MeetingRepository,
    OrganizationRepository,
    ParticipantRepository,
    PresetRepository,
    ServerRepository,
    SessionRepository,
)

T = TypeVar("T")


@dataclass(slots=True)
class _Tables:
    organizations: dict[str, Organization] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    meetings: dict[str, Meeting] = field(default_factory=dict)
    participants: dict[str, Participant] = field(default_factory=dict)
    presets: dict[str, PresetRecord] = field(default_factory=dict)
    sessions: dict[str, SessionRecord] = field(default_factory=dict)
    attendances: dict[str, Attendance] = field(default_factory=dict)
    idempotency: dict[tuple[str, str], MadeBefore] = field(default_factory=dict)


class FakeStore:
    """`store()` is a new unit of work; units run one after the other, as with SQLite."""

    def __init__(self) -> None:
        self._tables = _Tables()
        self._turn = asyncio.Lock()

    def __call__(self, *, reading: bool = False) -> FakeUnitOfWork:
        return FakeUnitOfWork(self)

    async def begin(self) -> _Tables:
        await self._turn.acquire()
        return _Tables(**{name: dict(getattr(self._tables, name)) for name in _Tables.__slots__})

    def commit(self, tables: _Tables) -> None:
        self._tables = copy.copy(tables)

    def end(self) -> None:
        self._turn.release()


class FakeUnitOfWork:
    organizations: OrganizationRepository
    meetings: MeetingRepository
    participants: ParticipantRepository
    presets: PresetRepository
    sessions: SessionRepository
    idempotency: IdempotencyRepository
    servers: ServerRepository

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._tables = _Tables()

    async def __aenter__(self) -> Self:
        tables = self._tables = await self._store.begin()
        self.organizations = _Organizations(tables)
        self.meetings = _Meetings(tables)
        self.participants = _Participants(tables)
        self.presets = _Presets(tables)
        self.sessions = _Sessions(tables)
        self.idempotency = _Idempotency(tables)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.end()

    async def commit(self) -> None:
        self._store.commit(self._tables)


class _Organizations:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    async def get(self, organization_id: str) -> Organization | None:
        return self._t.organizations.get(organization_id)

    async def first(self) -> Organization | None:
        return min(self._t.organizations.values(), key=lambda one: (one.created_at, one.id), default=None)

    async def add(self, organization: Organization) -> None:
        _insert(self._t.organizations, organization.id, organization)

    async def add_key(self, key: ApiKey) -> None:
        _check(all(key.key_hash != other.key_hash for other in self._t.keys.values()))
        _check(key.organization_id in self._t.organizations)
        _insert(self._t.keys, key.id, key)

    async def keys(self, organization_id: str) -> Sequence[ApiKey]:
        found = (key for key in self._t.keys.values() if key.organization_id == organization_id)
        return sorted(found, key=lambda key: (key.created_at, key.id))


class _Meetings:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    async def get(self, organization_id: str, meeting_id: str) -> Meeting | None:
        meeting = self._t.meetings.get(meeting_id)
        return meeting if meeting and meeting.organization_id == organization_id else None

    async def add(self, meeting: Meeting) -> None:
        _check(meeting.organization_id in self._t.organizations)
        _insert(self._t.meetings, meeting.id, meeting)

    async def save(self, meeting: Meeting) -> None:
        if await self.get(meeting.organization_id, meeting.id):
            self._t.meetings[meeting.id] = meeting

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
        def wanted(one: Meeting) -> bool:
            return (
                one.organization_id == organization_id
                and (not search or search.lower() in (one.title or "").lower() or search == one.id)
                and (not start_time or one.created_at >= start_time)
                and (not end_time or one.created_at <= end_time)
            )

        return _page(self._t.meetings.values(), wanted, offset, limit)


class _Participants:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    async def get(self, organization_id: str, meeting_id: str, participant_id: str) -> Participant | None:
        one = self._t.participants.get(participant_id)
        inside = one and one.organization_id == organization_id and one.meeting_id == meeting_id
        return one if inside else None

    async def with_its_own(
        self, organization_id: str, meeting_id: str, participant_id: str
    ) -> tuple[Participant, Meeting, PresetRecord | None] | None:
        one = await self.get(organization_id, meeting_id, participant_id)
        meeting = await _Meetings(self._t).get(organization_id, meeting_id)
        if one is None or meeting is None:
            return None
        return one, meeting, await _Presets(self._t).by_name(organization_id, one.preset_name)

    async def add(self, participant: Participant) -> None:
        _check(participant.meeting_id in self._t.meetings)
        _insert(self._t.participants, participant.id, participant)

    async def save(self, participant: Participant) -> None:
        if await self.get(participant.organization_id, participant.meeting_id, participant.id):
            self._t.participants[participant.id] = participant

    async def remove(self, participant: Participant) -> None:
        if await self.get(participant.organization_id, participant.meeting_id, participant.id):
            del self._t.participants[participant.id]

    async def count_with_preset(self, organization_id: str, preset_name: str) -> int:
        everyone = self._t.participants.values()
        return sum(p.organization_id == organization_id and p.preset_name == preset_name for p in everyone)

    async def list(
        self, organization_id: str, meeting_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Participant], int]:
        def wanted(one: Participant) -> bool:
            return one.organization_id == organization_id and one.meeting_id == meeting_id

        return _page(self._t.participants.values(), wanted, offset, limit)


class _Presets:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    async def get(self, organization_id: str, preset_id: str) -> PresetRecord | None:
        record = self._t.presets.get(preset_id)
        return record if record and record.organization_id == organization_id else None

    async def by_name(self, organization_id: str, name: str) -> PresetRecord | None:
        everything = self._t.presets.values()
        found = (one for one in everything if one.organization_id == organization_id and one.name == name)
        return next(found, None)

    async def has(self, organization_id: str, name: str) -> bool:
        return await self.by_name(organization_id, name) is not None

    async def add(self, preset: PresetRecord) -> None:
        _check(preset.organization_id in self._t.organizations)
        _check(await self.by_name(preset.organization_id, preset.name) is None)
        _insert(self._t.presets, preset.id, preset)

    async def save(self, preset: PresetRecord) -> None:
        same = await self.by_name(preset.organization_id, preset.name)
        _check(same is None or same.id == preset.id)
        if await self.get(preset.organization_id, preset.id):
            self._t.presets[preset.id] = preset

    async def remove(self, preset: PresetRecord) -> None:
        if await self.get(preset.organization_id, preset.id):
            del self._t.presets[preset.id]

    async def list(
        self, organization_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[PresetRecord], int]:
        def wanted(one: PresetRecord) -> bool:
            return one.organization_id == organization_id

        return _page(self._t.presets.values(), wanted, offset, limit)


class _Sessions:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    async def add(self, session: SessionRecord) -> None:
        _check(session.meeting_id in self._t.meetings)
        _check(session.ended_at is not None or await self.active_for(session.meeting_id) is None)
        _insert(self._t.sessions, session.id, session)

    async def save(self, session: SessionRecord) -> bool:
        if not self._goes_on(session.id):
            return False
        self._t.sessions[session.id] = session
        return True

    def _goes_on(self, session_id: str) -> bool:
        present = self._t.sessions.get(session_id)
        return present is not None and present.ended_at is None

    async def get(self, session_id: str) -> SessionRecord | None:
        return self._t.sessions.get(session_id)

    async def active_for(self, meeting_id: str) -> SessionRecord | None:
        return next((one for one in await self.unfinished() if one.meeting_id == meeting_id), None)

    async def unfinished(self) -> Sequence[SessionRecord]:
        found = (one for one in self._t.sessions.values() if one.ended_at is None)
        return sorted(found, key=lambda one: one.created_at)

    async def add_attendance(self, attendance: Attendance) -> bool:
        _check(attendance.peer_id not in self._t.attendances)
        if not self._goes_on(attendance.session_id):
            return False
        self._t.attendances[attendance.peer_id] = attendance
        return True

    async def save_attendance(self, attendance: Attendance) -> bool:
        present = self._t.attendances.get(attendance.peer_id)
        if present is None or present.left_at is not None:
            return False
        self._t.attendances[attendance.peer_id] = attendance
        return True

    async def attendances(self, session_id: str) -> Sequence[Attendance]:
        found = (one for one in self._t.attendances.values() if one.session_id == session_id)
        return sorted(found, key=lambda one: (one.joined_at, one.peer_id))


class _Idempotency:
    def __init__(self, tables: _Tables) -> None:
        self._t = tables

    async def get(self, organization_id: str, key: str) -> MadeBefore | None:
        return self._t.idempotency.get((organization_id, key))

    async def add(self, made: MadeBefore) -> None:
        _check((made.organization_id, made.key) not in self._t.idempotency)
        self._t.idempotency[made.organization_id, made.key] = made

    async def remove(self, organization_id: str, key: str) -> None:
        self._t.idempotency.pop((organization_id, key), None)

    async def forget(self, *, before: datetime, keep: int) -> None:
        young = [one for one in self._t.idempotency.values() if one.created_at >= before]
        for one in list(self._t.idempotency.values()):
            newer = sum(
                other.organization_id == one.organization_id and other.created_at > one.created_at
                for other in young
            )
            if one not in young or newer >= keep:
                del self._t.idempotency[one.organization_id, one.key]


def _insert(table: dict[str, T], key: str, value: T) -> None:
    _check(key not in table)
    table[key] = value


def _check(holds: bool) -> None:  # noqa: FBT001 - an assertion
    if not holds:
        raise ConflictError


def _page(
    everything: Iterable[T], wanted: Callable[[T], bool], offset: int, limit: int
) -> tuple[Sequence[T], int]:
    def age(one: Any) -> tuple[datetime, str]:
        return one.created_at, one.id

    found = sorted(filter(wanted, everything), key=age, reverse=True)
    return found[offset : offset + limit], len(found)
