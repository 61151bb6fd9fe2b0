"""What an organization's backend does to a session that it names by its id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from signaling.domain.participant import Participant
from signaling.domain.targets import Targets
from signaling.errors import NoActiveSessionError, NotFoundError, SessionEndedError
from signaling.services.active_session import ActiveSessionService
from signaling.services.ports import UnitOfWorkFactory


class SessionActionService:
    """Every method raises `NotFoundError` for a session that is not the organization's, and
    `SessionEndedError` for one that has ended."""

    def __init__(self, units: UnitOfWorkFactory, active: ActiveSessionService) -> None:
        self._units = units
        self._active = active

    async def end(self, organization_id: str, session_id: str) -> int:
        """For everybody; returns how many participants were in."""
        async with self._meeting_of(organization_id, session_id) as meeting_id:
            return await self._active.kick_all(organization_id, meeting_id)

    async def kick(self, organization_id: str, session_id: str, targets: Targets) -> Sequence[Participant]:
        """Returns those put out; raises `NotFoundError` when none of those named was in."""
        async with self._meeting_of(organization_id, session_id) as meeting_id:
            return await self._active.kick(organization_id, meeting_id, targets)

    async def censor(self, organization_id: str, session_id: str, targets: Targets) -> Sequence[Participant]:
        """Mutes them until `unmute`; raises `NotFoundError` when none of those named is in."""
        async with self._meeting_of(organization_id, session_id) as meeting_id:
            return await self._active.censor(organization_id, meeting_id, targets)

    async def unmute(self, organization_id: str, session_id: str, targets: Targets) -> Sequence[Participant]:
        """Lets them speak again; raises `NotFoundError` when none of those named is in."""
        async with self._meeting_of(organization_id, session_id) as meeting_id:
            return await self._active.unmute(organization_id, meeting_id, targets)

    @asynccontextmanager
    async def _meeting_of(self, organization_id: str, session_id: str) -> AsyncIterator[str]:
        """The block may find that it has ended in the meantime."""
        async with self._units(reading=True) as uow:
            session = await uow.history.session(organization_id, session_id)
        if session is None:
            raise NotFoundError.of("session", session_id)
        if session.ended_at is not None:
            raise SessionEndedError
        try:
            yield session.meeting_id
        except NoActiveSessionError:
            raise SessionEndedError from None
