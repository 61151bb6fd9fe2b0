"""Who joins with a client token is made a participant of the meeting by it, and is the same one again with
the next token of that subject."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from signaling.domain.client_token import ClientGrant
from signaling.domain.participant import Participant
from signaling.errors import ConflictError, MeetingInactiveError, NotFoundError
from signaling.services.admission import Admission
from signaling.services.client_tokens import check_in_force
from signaling.services.meetings import load_meeting
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

GUEST: Final = "Guest"
"""The name of who gives none."""


async def make_participant(
    units: UnitOfWorkFactory, clock: Clock, grant: ClientGrant, name: str | None
) -> None:
    """There is a participant of the subject's id from here on. Raises `InvalidTokenError` where the token was
    revoked, or its meeting deleted."""
    async with units(reading=True) as uow:
        await check_in_force(uow, grant)
        if await uow.participants.get(grant.organization_id, grant.meeting_id, grant.subject):
            return
    participant = _participant(grant, name, clock.now())

    async def work(uow: UnitOfWork) -> None:
        await check_in_force(uow, grant)
        await uow.participants.add(participant)

    try:
        await committed(units, work)
    except ConflictError:
        return  # made by another join with the same token, at the same time


async def preview(units: UnitOfWorkFactory, clock: Clock, grant: ClientGrant) -> Admission | None:
    """What a join would lead to, without making anybody a participant; None for who is one already. Raises as
    `make_participant` does, `MeetingInactiveError`, and `NotFoundError` when the preset is gone."""
    async with units(reading=True) as uow:
        await check_in_force(uow, grant)
        if await uow.participants.get(grant.organization_id, grant.meeting_id, grant.subject):
            return None
        meeting = await load_meeting(uow, grant.organization_id, grant.meeting_id)
        preset = await uow.presets.by_name(grant.organization_id, grant.preset_name)
    if not meeting.active:
        raise MeetingInactiveError
    if preset is None:
        raise NotFoundError.of("preset", grant.preset_name)
    return Admission(meeting, _participant(grant, None, clock.now()), preset.preset)


def _participant(grant: ClientGrant, name: str | None, now: datetime) -> Participant:
    return Participant(
        id=grant.subject,
        organization_id=grant.organization_id,
        meeting_id=grant.meeting_id,
        name=name or GUEST,
        custom_participant_id=grant.subject,
        preset_name=grant.preset_name,
        picture=None,
        created_at=now,
        updated_at=now,
    )
