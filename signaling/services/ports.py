"""What the services need of the outside, as narrow protocols. `app.py` plugs the adapters in.

`store` implements `UnitOfWork` and the repositories; `auth` implements `Tokens`; `services.live` implements
`LiveSessions`; `nodes` implements `MetricsSource`; `testing.py` ships a fake of each. What one organization
owns is invisible to every other: repositories take the organization's id and find nothing outside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from signaling.domain.attendance import Attendance
from signaling.domain.idempotency import MadeBefore
from signaling.domain.meeting import Meeting
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.domain.preset import PresetRecord
from signaling.domain.session import SessionRecord

# --- the store -----------------------------------------------------------------------------------------


class OrganizationRepository(Protocol):
    async def get(self, organization_id: str) -> Organization | None: ...
    async def add(self, organization: Organization) -> None: ...
    async def first(self) -> Organization | None: ...
    async def add_key(self, key: ApiKey) -> None: ...
    async def keys(self, organization_id: str) -> Sequence[ApiKey]: ...


class MeetingRepository(Protocol):
    async def get(self, organization_id: str, meeting_id: str) -> Meeting | None: ...
    async def add(self, meeting: Meeting) -> None: ...
    async def save(self, meeting: Meeting) -> None: ...
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
        """A page, newest first, and the total count."""
        ...


class ParticipantRepository(Protocol):
    async def get(self, organization_id: str, meeting_id: str, participant_id: str) -> Participant | None: ...
    async def with_its_own(
        self, organization_id: str, meeting_id: str, participant_id: str
    ) -> tuple[Participant, Meeting, PresetRecord | None] | None:
        """With its meeting and its preset, which may be gone: in one look."""
        ...

    async def add(self, participant: Participant) -> None: ...
    async def save(self, participant: Participant) -> None: ...
    async def remove(self, participant: Participant) -> None: ...
    async def count_with_preset(self, organization_id: str, preset_name: str) -> int: ...
    async def list(
        self, organization_id: str, meeting_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Participant], int]: ...


class PresetRepository(Protocol):
    async def get(self, organization_id: str, preset_id: str) -> PresetRecord | None: ...
    async def by_name(self, organization_id: str, name: str) -> PresetRecord | None: ...
    async def has(self, organization_id: str, name: str) -> bool: ...
    async def add(self, preset: PresetRecord) -> None: ...
    async def save(self, preset: PresetRecord) -> None: ...
    async def remove(self, preset: PresetRecord) -> None: ...
    async def list(
        self, organization_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[PresetRecord], int]: ...


class SessionRepository(Protocol):
    async def add(self, session: SessionRecord) -> None: ...
    async def save(self, session: SessionRecord) -> None: ...
    async def get(self, session_id: str) -> SessionRecord | None: ...
    async def active_for(self, meeting_id: str) -> SessionRecord | None: ...
    async def unfinished(self) -> Sequence[SessionRecord]:
        """Sessions that a process which died left behind; ended at the next start."""
        ...

    async def add_attendance(self, attendance: Attendance) -> None: ...
    async def save_attendance(self, attendance: Attendance) -> None: ...
    async def attendances(self, session_id: str) -> Sequence[Attendance]: ...


class IdempotencyRepository(Protocol):
    async def get(self, organization_id: str, key: str) -> MadeBefore | None: ...
    async def add(self, made: MadeBefore) -> None:
        """Raises `ConflictError` where the organization has the key."""
        ...

    async def remove(self, organization_id: str, key: str) -> None: ...
    async def forget(self, *, before: datetime, keep: int) -> None:
        """Those made before that time, and of each organization all but the newest `keep` (and those that
        are as old as the last of these)."""
        ...


class UnitOfWork(Protocol):
    """One transaction: `async with uow_factory() as uow: ...; await uow.commit()`. Leaving without commit
    rolls back."""

    organizations: OrganizationRepository
    meetings: MeetingRepository
    participants: ParticipantRepository
    presets: PresetRepository
    sessions: SessionRepository
    idempotency: IdempotencyRepository

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def commit(self) -> None: ...


class UnitOfWorkFactory(Protocol):
    """Entering and everything inside raises `StoreUnavailableError` while the database does not answer."""

    def __call__(self, *, reading: bool = False) -> UnitOfWork:
        """A unit that is only `reading` sees one state of the store, keeps nobody waiting, and never fails
        for what others do. Any other may end in `ContendedError`: see `signaling.services.transaction`."""
        ...


# --- live sessions ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LiveSessionView:
    """The active session of a meeting as REST shows it."""

    id: str
    meeting_id: str
    organization_id: str
    meeting_title: str | None
    live_participants: int
    max_concurrent_participants: int
    minutes_consumed: float
    """Sum over all peers, those that left included, of their time in the session."""
    started_at: datetime
    created_at: datetime
    updated_at: datetime


class LiveSessions(Protocol):
    """What REST tells and asks the sessions that run in this process.

    Each call returns once the change is in force: a kicked peer's media is stopped at the node. Whether the
    caller may see the meeting was decided before.
    """

    async def active(self, meeting_id: str) -> LiveSessionView | None: ...

    async def kick(
        self, meeting_id: str, participant_ids: Sequence[str], custom_participant_ids: Sequence[str]
    ) -> Sequence[Participant]:
        """Put every peer of these participants out; returns those who were in. Raises
        `NoActiveSessionError`."""
        ...

    async def kick_all(self, meeting_id: str) -> int:
        """End the session; returns how many participants were in it. Raises `NoActiveSessionError`."""
        ...

    async def mute(
        self, meeting_id: str, participant_ids: Sequence[str], custom_participant_ids: Sequence[str]
    ) -> Sequence[Participant]:
        """Mute the microphones of these participants; returns those who are in. Raises
        `NoActiveSessionError`."""
        ...

    async def preset_changed(self, organization_id: str, preset_name: str) -> None:
        """The stored preset is another one now: apply it to every peer that has it. (One that was removed
        stays in force for the peers that joined with it.)"""
        ...

    async def participant_changed(self, participant: Participant) -> None:
        """Name, picture or preset is another one now."""
        ...

    async def participant_removed(self, participant: Participant) -> None:
        """Its token is void: put its peers out."""
        ...

    async def meeting_changed(self, meeting: Meeting) -> None: ...


# --- media nodes -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spread:
    """Counts by bucket: one per upper bound, and one for what is above them all. `total` sums the values."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True, slots=True)
class QualitySpread(Spread):
    """Of a `measure` ("rtt", "loss", "jitter", "score", "bitrate", "estimate") of streams that come "in" or
    go "out", by kind; of an estimate, which is of receivers, without either."""

    measure: str
    direction: str | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class FreezeCount:
    """Freezes of streams that come "in" or go "out", by kind, since the worker started."""

    direction: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One media node by its last report. `counters` are totals since it started, by name."""

    index: int
    node_id: str
    serving: bool
    cpu: float = 0.0
    """Busy fraction of one core, 0.0 to 1.0."""
    packets_per_second: float = 0.0
    lag: float = 0.0
    """Mean seconds by which its timers came late."""
    pressure: int = 0
    """The level of what it gives up, 0 for nothing."""
    delays: Spread | None = None
    """Seconds that packets took through the worker."""
    routers: int = 0
    transports: int = 0
    restarts: int = 0
    counters: Mapping[str, float] = field(default_factory=dict)
    quality: Sequence[QualitySpread] = ()
    freezes: Sequence[FreezeCount] = ()
    layers: Sequence[int] = ()
    """Subscriptions that have each spatial layer of a video on the wire, from the lowest on."""


class MetricsSource(Protocol):
    def workers(self) -> Sequence[WorkerStatus]:
        """Every media worker there should be, by index; does no IO."""
        ...


# --- the rest --------------------------------------------------------------------------------------------


class Tokens(Protocol):
    """Participant tokens: JWT, EdDSA pinned, with a key id."""

    def issue(self, participant: Participant) -> str: ...

    def verify(self, token: str) -> ParticipantClaims:
        """Raises `signaling.errors.InvalidTokenError` (bad, expired, wrong algorithm, wrong issuer)."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall clock, UTC, aware."""
        ...

    def monotonic(self) -> float: ...
