"""What an organization's backend does to the session that runs in one of its meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from signaling.domain.participant import Participant
from signaling.domain.targets import Targets
from signaling.errors import NoActiveSessionError, NotFoundError
from signaling.services.meetings import load_meeting
from signaling.services.ports import LiveSessions, LiveSessionView, UnitOfWorkFactory, WaitingView

_NOBODY_IN: Final = "None of these participants is in the session. Check the ids."
_NOBODY_WAITS: Final = "None of these participants waits to be admitted. Check the ids."


class ActiveSessionService:
    """Every method raises `NotFoundError` for a meeting that is not the organization's, and
    `NoActiveSessionError` when nothing runs in it."""

    def __init__(self, units: UnitOfWorkFactory, live: LiveSessions) -> None:
        self._units = units
        self._live = live

    async def get(self, organization_id: str, meeting_id: str) -> LiveSessionView:
        await self._check(organization_id, meeting_id)
        view = await self._live.active(meeting_id)
        if view is None:
            raise NoActiveSessionError
        return view

    async def kick(self, organization_id: str, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Returns those put out; raises `NotFoundError` when none of them was in."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.kick(meeting_id, targets), targets)

    async def kick_all(self, organization_id: str, meeting_id: str) -> int:
        """Ends the session for everybody; returns how many participants were in."""
        await self._check(organization_id, meeting_id)
        return await self._live.kick_all(meeting_id)

    async def mute(self, organization_id: str, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Once: they may unmute. Returns those whose audio is muted now; raises `NotFoundError` when none of
        them is in."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.mute(meeting_id, targets), targets)

    async def mute_all(self, organization_id: str, meeting_id: str, *, allow_unmute: bool) -> int:
        """Returns how many participants are in. For `allow_unmute` see `LiveSessions.mute_all`."""
        await self._check(organization_id, meeting_id)
        return await self._live.mute_all(meeting_id, allow_unmute=allow_unmute)

    async def censor(self, organization_id: str, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Until `unmute`: they cannot lift it. Raises `NotFoundError` when none of them is in."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.censor(meeting_id, targets), targets)

    async def unmute(self, organization_id: str, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Lifts what `censor` and `mute_all` do. Raises `NotFoundError` when none of them is in."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.unmute(meeting_id, targets), targets)

    async def waiting(self, organization_id: str, meeting_id: str) -> Sequence[WaitingView]:
        """Who waits to be admitted, longest first."""
        await self._check(organization_id, meeting_id)
        return await self._live.waiting(meeting_id)

    async def admit(self, organization_id: str, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Returns those who are in now; raises `NotFoundError` when none of them waits, and
        `MeetingFullError` or `OverloadedError` where there is room for none."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.admit(meeting_id, targets), targets, _NOBODY_WAITS)

    async def deny(self, organization_id: str, meeting_id: str, targets: Targets) -> Sequence[Participant]:
        """Returns those turned away; raises `NotFoundError` when none of them waits."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.deny(meeting_id, targets), targets, _NOBODY_WAITS)

    async def _check(self, organization_id: str, meeting_id: str) -> None:
        async with self._units(reading=True) as uow:
            await load_meeting(uow, organization_id, meeting_id)


def _some(
    participants: Sequence[Participant], targets: Targets, complaint: str = _NOBODY_IN
) -> Sequence[Participant]:
    """Who means all means also none."""
    if not participants and not targets.everybody:
        raise NotFoundError(complaint)
    return participants
