"""Fakes of the ports, for tests of what stands on them; small enough to be read at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from signaling.domain.configuration import Configuration
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.domain.session_status import SessionStatus
from signaling.domain.targets import Targets
from signaling.errors import InvalidTokenError, NoActiveSessionError, ServerUnreachableError
from signaling.services.ports import LiveSessionView, Outlook, PresentView, WaitingView, WorkerStatus
from signaling.testing.store import MemoryStore

__all__ = [
    "FakeClock",
    "FakeLiveSessions",
    "FakeMetricsSource",
    "FakeTokens",
    "MemoryStore",
]


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


class FakeTokens:
    """Tokens that are readable: `fake.<organization>.<meeting>.<participant>`."""

    def issue(self, participant: Participant) -> str:
        return f"fake.{participant.organization_id}.{participant.meeting_id}.{participant.id}"

    def verify(self, token: str) -> ParticipantClaims:
        match token.split("."):
            case ["fake", organization_id, meeting_id, participant_id]:
                forever = datetime(9999, 1, 1, tzinfo=UTC)
                return ParticipantClaims(organization_id, meeting_id, participant_id, forever)
        raise InvalidTokenError


# --- live sessions and nodes ---------------------------------------------------------------------------


@dataclass
class FakeLiveSessions:
    """Remembers what it was told in `calls`; `present` says who is in which meeting, `knocking` who waits
    in those with a lobby."""

    views: dict[str, LiveSessionView] = field(default_factory=dict)
    present: dict[str, list[Participant]] = field(default_factory=dict)
    knocking: dict[str, list[Participant]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    """Meetings whose server does not answer."""

    async def active(self, meeting_id: str) -> LiveSessionView | None:
        return self.views.get(meeting_id)

    async def outlook(self, meeting_id: str, participant_id: str, *, names: int) -> Outlook | None:
        if meeting_id in self.unreachable:
            raise ServerUnreachableError
        if meeting_id not in self.present:
            return None
        present = self.present[meeting_id]
        return Outlook(
            live_participants=len(present),
            present=tuple(PresentView(one.name, one.picture) for one in present[:names]),
            lobby=meeting_id in self.knocking,
            moderated=bool(present),
            admitted=any(one.id == participant_id for one in present),
        )

    async def kick(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        chosen = self._choose(meeting_id, targets)
        self.present[meeting_id] = [one for one in self.present[meeting_id] if one not in chosen]
        return chosen

    async def kick_all(self, meeting_id: str) -> int:
        if meeting_id not in self.present:
            raise NoActiveSessionError
        return len(self.present.pop(meeting_id))

    async def mute(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        return self._choose(meeting_id, targets)

    async def mute_all(self, meeting_id: str, *, allow_unmute: bool) -> int:
        self.calls.append(("mute_all", str(allow_unmute)))
        return len(self._choose(meeting_id, Targets(everybody=True)))

    async def censor(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        self.calls.append(("censor", meeting_id))
        return self._choose(meeting_id, targets)

    async def unmute(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        self.calls.append(("unmute", meeting_id))
        return self._choose(meeting_id, targets)

    async def waiting(self, meeting_id: str) -> Sequence[WaitingView]:
        if meeting_id not in self.present:
            raise NoActiveSessionError
        return [
            WaitingView(
                peer_id=f"peer-{one.id}",
                participant_id=one.id,
                custom_participant_id=one.custom_participant_id,
                name=one.name,
                picture=one.picture,
                since=one.created_at,
            )
            for one in self.knocking.get(meeting_id, [])
        ]

    async def admit(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        chosen = await self.deny(meeting_id, targets)
        self.present[meeting_id] += chosen
        return chosen

    async def deny(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        if meeting_id not in self.present:
            raise NoActiveSessionError
        chosen = _chosen(self.knocking.get(meeting_id, []), targets)
        self.knocking[meeting_id] = [one for one in self.knocking.get(meeting_id, []) if one not in chosen]
        return chosen

    async def preset_changed(self, organization_id: str, preset_name: str) -> None:
        self.calls.append(("preset_changed", preset_name))

    async def participant_changed(self, participant: Participant) -> None:
        self.calls.append(("participant_changed", participant.id))

    async def participant_removed(self, participant: Participant) -> None:
        self.calls.append(("participant_removed", participant.id))

    async def meeting_changed(self, meeting: Meeting) -> None:
        self.calls.append(("meeting_changed", meeting.id))

    async def meeting_removed(self, meeting: Meeting) -> None:
        self.calls.append(("meeting_removed", meeting.id))
        if meeting.id in self.unreachable:
            raise ServerUnreachableError
        self.present.pop(meeting.id, None)
        self.views.pop(meeting.id, None)

    async def open(self, meeting: Meeting, said: Configuration) -> LiveSessionView:
        self.calls.append(("open", meeting.id))
        self.present.setdefault(meeting.id, [])
        opened = LiveSessionView(
            id=f"session-{meeting.id}",
            meeting_id=meeting.id,
            organization_id=meeting.organization_id,
            meeting_title=meeting.title,
            live_participants=0,
            max_concurrent_participants=0,
            minutes_consumed=0.0,
            status=SessionStatus.READY,
            started_at=None,
            created_at=meeting.created_at,
            updated_at=meeting.created_at,
        )
        return self.views.setdefault(meeting.id, opened)

    def _choose(self, meeting_id: str, targets: Targets) -> list[Participant]:
        if meeting_id not in self.present:
            raise NoActiveSessionError
        return _chosen(self.present[meeting_id], targets)


def _chosen(participants: Sequence[Participant], targets: Targets) -> list[Participant]:
    return [
        one
        for one in participants
        if not {one.id, one.custom_participant_id} & set(targets.exclude)
        and (
            targets.everybody
            or one.id in targets.participant_ids
            or one.custom_participant_id in targets.custom_participant_ids
        )
    ]


@dataclass
class FakeMetricsSource:
    statuses: list[WorkerStatus] = field(default_factory=list)

    def workers(self) -> Sequence[WorkerStatus]:
        return self.statuses
