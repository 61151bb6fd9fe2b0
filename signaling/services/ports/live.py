"""The sessions that run, on this server or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signaling.domain.configuration import Configuration
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.session_status import SessionStatus
from signaling.domain.targets import Targets


@dataclass(frozen=True, slots=True)
class LiveSessionView:
    """The active session of a meeting as REST shows it. `started_at`: None while nobody was in."""

    id: str
    meeting_id: str
    organization_id: str
    meeting_title: str | None
    live_participants: int
    max_concurrent_participants: int
    minutes_consumed: float
    """Sum over all peers, those that left included, of their time in the session."""
    status: SessionStatus
    started_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Somebody who waits to be admitted, as REST shows them."""

    peer_id: str
    participant_id: str
    custom_participant_id: str | None
    name: str
    picture: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class PresentView:
    """Somebody who is in, as those see them who are not."""

    name: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a session is like for somebody before they join. `present`: the first of those who count, in the
    order of coming. `lobby` and `moderated` as in `signaling.domain.waiting_room`; `admitted`: whether this
    one was before."""

    live_participants: int
    present: tuple[PresentView, ...]
    lobby: bool
    moderated: bool
    admitted: bool


class LiveSessions(Protocol):
    """What REST tells and asks the sessions that run.

    The first parameter says where a call goes (`signaling.services.live.calls`): `meeting_id`, `meeting` and
    `participant` to the server that has the session, `organization_id` to all of them. So all arguments and
    answers are values that JSON can carry. Raises `ServerUnreachableError` where such a server does not
    answer.

    Each call returns once the change is in force: a kicked peer's media is stopped at the node. Whether the
    caller may see the meeting was decided before.
    """

    async def active(self, meeting_id: str) -> LiveSessionView | None: ...

    async def outlook(self, meeting_id: str, participant_id: str, *, names: int) -> Outlook | None:
        """For this participant, with so many names at most; None where nothing runs."""
        ...

    async def kick(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Put them out; returns those who were in. Raises `NoActiveSessionError`."""
        ...

    async def kick_all(self, meeting_id: str) -> int:
        """End the session; returns how many participants were in it. Raises `NoActiveSessionError`."""
        ...

    async def mute(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Mute what they say, which they may unmute; returns those who are in. Raises
        `NoActiveSessionError`."""
        ...

    async def mute_all(self, meeting_id: str, *, allow_unmute: bool) -> int:
        """Mute what everybody says; returns how many participants are in. Without `allow_unmute` nobody can
        unmute, those who come later included, until it is called again with it, or `unmute` allows them.
        Raises `NoActiveSessionError`."""
        ...

    async def censor(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Mute what they say until `unmute`: they cannot lift it. Returns those who are in. Raises
        `NoActiveSessionError`."""
        ...

    async def unmute(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Lift `censor` and `mute_all`: they may speak again, when they will. Returns those who are in.
        Raises `NoActiveSessionError`."""
        ...

    async def waiting(self, meeting_id: str) -> Sequence[WaitingView]:
        """Who waits to be admitted, longest first. Raises `NoActiveSessionError`."""
        ...

    async def admit(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Let in those of them who wait; returns who is in now. Raises `NoActiveSessionError`, and, where it
        keeps out all of them, `MeetingFullError` or `OverloadedError`."""
        ...

    async def deny(self, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Turn away those of them who wait; returns them. Raises `NoActiveSessionError`."""
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
    async def meeting_removed(self, meeting: Meeting) -> None:
        """Its session ends, and everybody is put out."""
        ...

    async def open(self, meeting: Meeting, said: Configuration) -> LiveSessionView:
        """The session that runs, or a new one with what is `said` for it alone."""
        ...
