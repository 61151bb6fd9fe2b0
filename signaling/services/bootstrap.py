"""The first start: an organization with its key, the default presets, and two meetings to try things in.

All of it is one transaction, so it is there as a whole or not at all; and the transaction looks first whether
there is an organization, so that of servers which start at once on one database one makes it. The demo's ids
are derived from the organization's, so a later start finds them again; what was removed since is not made
anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from signaling.domain.meeting import Meeting
from signaling.domain.organization import ApiKey, Organization
from signaling.domain.participant import Participant
from signaling.ids import new_short_id, new_uuid
from signaling.services.organizations import add_tenant
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


@dataclass(frozen=True, slots=True)
class _Seat:
    """A participant of a demo meeting."""

    label: str
    name: str
    preset_name: str


_DEMO: Final = (
    (
        "Demo meeting",
        (
            _Seat("host", "Host", "group_call_host"),
            _Seat("participant", "Participant", "group_call_participant"),
        ),
    ),
    (
        "Demo webinar",
        (
            _Seat("webinar presenter", "Presenter", "webinar_presenter"),
            _Seat("webinar viewer", "Viewer", "webinar_viewer"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class DemoSeat:
    label: str
    participant: Participant


class Bootstrap:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def organization(self) -> Organization | None:
        """The one that the first start made; None before it."""
        async with self._units(reading=True) as uow:
            return await uow.organizations.first()

    async def create(self, organization_id: str, key_hash: str) -> Organization:
        """Where another server was faster, the one that this made: its id is another, and the key is none."""
        now = self._clock.now()
        organization = Organization(organization_id, "Default organization", now, now)

        async def work(uow: UnitOfWork) -> Organization:
            there = await uow.organizations.first()
            if there is not None:
                return there
            await add_tenant(uow, organization)
            await uow.api_keys.add(
                ApiKey(new_uuid(), organization_id, key_hash, now, name="First key", platform=True)
            )
            await self._create_demo(uow, organization_id)
            return organization

        return await committed(self._units, work)

    async def demo_seats(self, organization_id: str) -> list[DemoSeat]:
        """The demo's participants that are still there."""
        seats = []
        async with self._units(reading=True) as uow:
            for title, members in _DEMO:
                meeting_id = _derived(organization_id, title)
                for seat in members:
                    participant_id = _derived(organization_id, seat.label)
                    found = await uow.participants.get(organization_id, meeting_id, participant_id)
                    if found:
                        seats.append(DemoSeat(seat.label, found))
        return seats

    async def _create_demo(self, uow: UnitOfWork, organization_id: str) -> None:
        now = self._clock.now()
        for title, members in _DEMO:
            meeting_id = _derived(organization_id, title)
            await uow.meetings.add(
                Meeting(
                    id=meeting_id,
                    organization_id=organization_id,
                    title=title,
                    created_at=now,
                    updated_at=now,
                    short=new_short_id(),
                )
            )
            for seat in members:
                await uow.participants.add(
                    Participant(
                        id=_derived(organization_id, seat.label),
                        organization_id=organization_id,
                        meeting_id=meeting_id,
                        name=seat.name,
                        custom_participant_id=f"demo-{seat.label.replace(' ', '-')}",
                        preset_name=seat.preset_name,
                        picture=None,
                        created_at=now,
                        updated_at=now,
                    )
                )


def _derived(organization_id: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"rostrum:{organization_id}:{name}"))
