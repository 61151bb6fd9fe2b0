"""Keeps those who are limited to a unit to the meetings of that unit."""

from __future__ import annotations

from signaling.domain.caller import Caller
from signaling.domain.meeting import Meeting
from signaling.domain.reach import reaches
from signaling.errors import NotFoundError
from signaling.services.ports import UnitOfWork, UnitOfWorkFactory


class Reach:
    """For whoever is not limited to a unit nothing is looked up. What is not there at all passes: whoever is
    asked for it says so."""

    def __init__(self, units: UnitOfWorkFactory) -> None:
        self._units = units

    async def check_meeting(self, caller: Caller, name: str, *, only_looks: bool = False) -> None:
        """By its id, unique name or short id. Raises `NotFoundError`."""
        if caller.unit_id is None:
            return
        async with self._units(reading=True) as uow:
            meeting = await uow.meetings.get(caller.organization_id, name)
            meeting = meeting or await uow.meetings.find(caller.organization_id, name)
            if meeting is not None and not await _reaches(uow, caller, meeting, only_looks=only_looks):
                raise NotFoundError.of("meeting", name)

    async def check_session(self, caller: Caller, session_id: str) -> None:
        """Raises `NotFoundError`, also where the meeting was deleted: nobody can tell whose it was."""
        if caller.unit_id is None:
            return
        async with self._units(reading=True) as uow:
            session = await uow.sessions.get(session_id)
            if session is None or session.organization_id != caller.organization_id:
                return
            meeting = await uow.meetings.get(caller.organization_id, session.meeting_id)
            if meeting is None or not await _reaches(uow, caller, meeting, only_looks=False):
                raise NotFoundError.of("session", session_id)


async def _reaches(uow: UnitOfWork, caller: Caller, meeting: Meeting, *, only_looks: bool) -> bool:
    unit = None
    if meeting.unit_id is not None:
        unit = await uow.units.get(meeting.organization_id, meeting.unit_id)
    return reaches(caller, meeting, () if unit is None else unit.path, only_looks=only_looks)
