"""Keeps those who are limited to a unit to the meetings of that unit.

A session, and who was in it, is of the unit that its meeting was of when it began: where the meeting goes
later, its past does not go with it. To do something to a session one has to reach its meeting as well."""

from __future__ import annotations

from signaling.domain.caller import Caller
from signaling.domain.meeting import Meeting
from signaling.domain.reach import reaches
from signaling.errors import NotFoundError
from signaling.services.ports import UnitOfWork, UnitOfWorkFactory
from signaling.services.units import touches


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

    async def check_session(self, caller: Caller, session_id: str, *, only_looks: bool = False) -> None:
        """Raises `NotFoundError`."""
        if caller.unit_id is None:
            return
        async with self._units(reading=True) as uow:
            session = await uow.history.session(caller.organization_id, session_id)
            if session is None:
                return
            found = await touches(uow, caller, session.unit_id)
            if found and not only_looks:
                meeting = await uow.meetings.get(caller.organization_id, session.meeting_id)
                found = meeting is not None and await _reaches(uow, caller, meeting, only_looks=False)
            if not found:
                raise NotFoundError.of("session", session_id)

    async def check_peer(self, caller: Caller, peer_id: str) -> None:
        """Of a session that is or was. Raises `NotFoundError`."""
        if caller.unit_id is None:
            return
        async with self._units(reading=True) as uow:
            attendance = await uow.history.attendance(caller.organization_id, peer_id)
            if attendance is None:
                return
            session = await uow.history.session(caller.organization_id, attendance.session_id)
            if session is None or not await touches(uow, caller, session.unit_id):
                raise NotFoundError.of("peer", peer_id)


async def _reaches(uow: UnitOfWork, caller: Caller, meeting: Meeting, *, only_looks: bool) -> bool:
    unit = None
    if meeting.unit_id is not None:
        unit = await uow.units.get(meeting.organization_id, meeting.unit_id)
    return reaches(caller, meeting, () if unit is None else unit.path, only_looks=only_looks)
