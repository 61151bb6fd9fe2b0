"""Whom a participant's token admits: the one rule, for a join and for whoever asks before joining."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.domain.preset import Preset
from signaling.errors import InvalidTokenError, MeetingInactiveError, NotFoundError
from signaling.services.ports import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class Admission:
    """What verified claims lead to, as the store has it now."""

    meeting: Meeting
    participant: Participant
    preset: Preset


async def admit(units: UnitOfWorkFactory, claims: ParticipantClaims) -> Admission:
    """Raises `InvalidTokenError` when the meeting or the participant was removed, `MeetingInactiveError`,
    and `NotFoundError` when the preset is gone."""
    organization_id, meeting_id = claims.organization_id, claims.meeting_id
    async with units(reading=True) as uow:
        found = await uow.participants.with_its_own(organization_id, meeting_id, claims.participant_id)
    if found is None:
        raise InvalidTokenError("The meeting or the participant of this token was removed.")
    participant, meeting, record = found
    if not meeting.active:
        raise MeetingInactiveError
    if record is None:
        raise NotFoundError.of("preset", participant.preset_name)
    return Admission(meeting, participant, record.preset)
