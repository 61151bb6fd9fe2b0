"""What an organization's backend does to the session that runs in one of its meetings."""

from __future__ import annotations

from collections.abc import Sequence

from signaling.domain.participant import Participant
from signaling.errors import NoActiveSessionError, NotFoundError
from signaling.services.meetings import load_meeting
from signaling.services.ports import LiveSessions, LiveSessionView, UnitOfWorkFactory


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

    async def kick(
        self,
        organization_id: str,
        meeting_id: str,
        participant_ids: Sequence[str],
        custom_participant_ids: Sequence[str],
    ) -> Sequence[Participant]:
        """Returns those put out; raises `NotFoundError` when none of them was in."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.kick(meeting_id, participant_ids, custom_participant_ids))

    async def kick_all(self, organization_id: str, meeting_id: str) -> int:
        """Returns how many participants were in."""
        await self._check(organization_id, meeting_id)
        return await self._live.kick_all(meeting_id)

    async def mute(
        self,
        organization_id: str,
        meeting_id: str,
        participant_ids: Sequence[str],
        custom_participant_ids: Sequence[str],
    ) -> Sequence[Participant]:
        """Returns those whose microphones are muted now; raises `NotFoundError` when none of them is in."""
        await self._check(organization_id, meeting_id)
        return _some(await self._live.mute(meeting_id, participant_ids, custom_participant_ids))

    async def _check(self, organization_id: str, meeting_id: str) -> None:
        async with self._units(reading=True) as uow:
            await load_meeting(uow, organization_id, meeting_id)


def _some(participants: Sequence[Participant]) -> Sequence[Participant]:
    if not participants:
        raise NotFoundError("None of these participants is in the session. Check the ids.")
    return participants
