"""When one peer was in one session, and what there is to say of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, get_args

from signaling.domain.events import LeaveReason
from signaling.domain.peer import Device, Peer
from signaling.domain.preset import ViewType
from signaling.domain.session_status import EndOfAll, SessionRecord

MAX_PEER_EVENTS: Final = 100
"""Of one attendance. Those that come after are not kept: the connection is known to be bad by then."""

LeftBecause = LeaveReason | EndOfAll
LEFT_BECAUSE: Final[tuple[LeftBecause, ...]] = (*LeaveReason, *get_args(EndOfAll))


def left_because(stored: str) -> LeftBecause:
    """Raises `ValueError` for what no version has stored."""
    for reason in LEFT_BECAUSE:
        if reason == stored:
            return reason
    raise ValueError(f"{stored!r} is no reason to leave")


class PeerEventKind(StrEnum):
    DETACHED = "detached"
    """Its socket was gone."""
    RESUMED = "resumed"
    """Another socket spoke for it."""


@dataclass(frozen=True, slots=True)
class PeerEvent:
    kind: PeerEventKind
    at: datetime
    socket_id: str | None = None
    """The one that speaks for it since."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """Outlives its participant. What is None was not known, or not kept when it was written."""

    peer_id: str
    session_id: str
    organization_id: str
    meeting_id: str
    participant_id: str
    custom_participant_id: str | None
    name: str
    preset_name: str
    joined_at: datetime
    updated_at: datetime
    left_at: datetime | None = None
    leave_reason: LeftBecause | None = None
    view_type: ViewType | None = None
    """Of the preset, when it joined."""
    device: Device | None = None
    sdk: str | None = None
    """What the client calls itself."""
    user_agent: str | None = None
    address: str | None = None
    """Where its socket came from."""
    context: str | None = None
    """What the client gave to be kept with it; we do not look into it."""
    counted: bool = True
    """Hidden participants and recorders do not: not as present, nor as the most at once, nor in minutes."""
    events: tuple[PeerEvent, ...] = ()
    socket_id: str | None = None
    """The one that it joined over; None of who came over HTTP."""
    opened_at: datetime | None = None
    """When that socket was opened."""
    cores: int | None = None
    """Of the machine that the client runs on."""
    memory: float | None = None
    """Of that machine, in GiB, as browsers round it."""

    @property
    def created_at(self) -> datetime:
        """When there was such a peer: where it had to wait to be admitted, long before it joined."""
        return self.joined_at if self.opened_at is None else min(self.opened_at, self.joined_at)

    @property
    def last_socket_id(self) -> str | None:
        """The one that speaks for it, or did last."""
        later = [one.socket_id for one in self.events if one.socket_id is not None]
        return later[-1] if later else self.socket_id

    def seconds(self, now: datetime) -> float:
        """How long it has been in, or was."""
        return max(0.0, ((self.left_at or now) - self.joined_at).total_seconds())

    def left(self, reason: LeftBecause, now: datetime) -> Attendance:
        return replace(self, left_at=now, leave_reason=reason, updated_at=now)

    def noted(self, event: PeerEvent) -> Attendance:
        if len(self.events) >= MAX_PEER_EVENTS:
            return self
        return replace(self, events=(*self.events, event), updated_at=event.at)


def attendance_of(peer: Peer, session: SessionRecord) -> Attendance:
    """As it joins."""
    return Attendance(
        peer_id=peer.id,
        session_id=session.id,
        organization_id=session.organization_id,
        meeting_id=session.meeting_id,
        participant_id=peer.participant_id,
        custom_participant_id=peer.custom_participant_id,
        name=peer.name,
        preset_name=peer.preset_name,
        joined_at=peer.joined_at,
        updated_at=peer.joined_at,
        view_type=peer.preset.config.view_type,
        device=peer.device,
        counted=peer.counted,
        sdk=peer.origin.sdk,
        user_agent=peer.origin.user_agent,
        address=peer.origin.address,
        context=peer.origin.context,
        socket_id=peer.origin.socket_id,
        opened_at=peer.origin.opened_at,
        cores=peer.origin.cores,
        memory=peer.origin.memory,
    )
