"""Whom a participant's token admits: the one rule, for a join and for whoever asks before joining."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.configuration import Configuration
from signaling.domain.join_policy import (
    Applicant,
    Policy,
    Refusal,
    Standing,
    check_join,
    check_open,
    password_mark,
)
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.domain.preset import Preset
from signaling.domain.role import membership_in
from signaling.domain.user import Membership, User
from signaling.errors import InvalidTokenError, JoinRefusedError, MeetingInactiveError, NotFoundError
from signaling.services.ports import UnitOfWork, UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class Admission:
    """What verified claims lead to, as the store has it now. `units`: that of the participant and those above
    it."""

    meeting: Meeting
    participant: Participant
    preset: Preset
    units: frozenset[str] = frozenset()

    def check_join(self, configuration: Configuration) -> None:
        """Raises `JoinRefusedError` where the join policy does not take the participant (any more)."""
        applicant = applicant_of(self.participant, self.meeting.join_password_hash, self.units)
        check_join(*join_policy(configuration, self.meeting), applicant)

    def check_open(self, configuration: Configuration) -> None:
        """Raises `MeetingNotOpenError` where it may not be the first."""
        applicant = applicant_of(self.participant, self.meeting.join_password_hash, self.units)
        policy = configuration.open_policy or Policy.PUBLIC
        check_open(policy, _allowed(configuration.allow_open_units, self.meeting), applicant)


async def admit(units: UnitOfWorkFactory, claims: ParticipantClaims) -> Admission:
    """Raises `InvalidTokenError` when the participant was removed, `NotFoundError` when the meeting was
    deleted or the preset is gone, `MeetingInactiveError`, and `JoinRefusedError` for who came as a member and
    is none any more."""
    organization_id, meeting_id = claims.organization_id, claims.meeting_id
    async with units(reading=True) as uow:
        found = await uow.participants.with_its_own(organization_id, meeting_id, claims.participant_id)
        path = frozenset[str]() if found is None else await present_units(uow, found[0])
    if found is None:
        raise InvalidTokenError("The meeting or the participant of this token was removed.")
    participant, meeting, record = found
    if meeting.deleted_at is not None:
        raise NotFoundError.of("meeting", meeting_id)
    if not meeting.active:
        raise MeetingInactiveError
    if record is None:
        raise NotFoundError.of("preset", participant.preset_name)
    return Admission(meeting, participant, record.preset, path)


async def present_units(uow: UnitOfWork, participant: Participant) -> frozenset[str]:
    """The unit that they are of now, and those above it. Raises `JoinRefusedError` for who came as a member
    and is none any more."""
    if participant.standing is not Standing.MEMBER:
        return await units_of(uow, participant)
    user = await uow.users.get(participant.custom_participant_id)
    membership = None if user is None else await membership_of(uow, user, participant.organization_id)
    if membership is None:
        raise JoinRefusedError(
            "You are no member of this organization any more. Ask its administrator.",
            reason=Refusal.NOT_IN_ORGANIZATION,
        )
    return await member_units(uow, participant.organization_id, membership)


async def membership_of(uow: UnitOfWork, user: User, organization_id: str) -> Membership | None:
    """What the account is in the organization (or app) now; None: nothing, or it is disabled."""
    organization = None if user.disabled else await uow.organizations.get(organization_id)
    if organization is None:
        return None
    return membership_in(organization, await uow.users.memberships(user.id))


async def member_units(uow: UnitOfWork, organization_id: str, membership: Membership) -> frozenset[str]:
    """The unit of a member and those above it."""
    if membership.unit_id is None:
        return frozenset()
    unit = await uow.units.get(organization_id, membership.unit_id)
    return frozenset() if unit is None else frozenset(unit.path)


async def units_of(uow: UnitOfWork, participant: Participant) -> frozenset[str]:
    """The unit of a participant and those above it."""
    if participant.unit_id is None:
        return frozenset()
    unit = await uow.units.get(participant.organization_id, participant.unit_id)
    return frozenset() if unit is None else frozenset(unit.path)


def applicant_of(participant: Participant, password_hash: str | None, units: frozenset[str]) -> Applicant:
    """Who was admitted by a password is admitted by that one only: another password, and they ask anew."""
    mark = participant.password_mark
    return Applicant(participant.standing, units, mark is not None and mark == password_mark(password_hash))


def join_policy(configuration: Configuration, meeting: Meeting) -> tuple[Policy, frozenset[str]]:
    """The policy, and the units that it allows."""
    return policy_of(configuration.join_policy, configuration.allow_join_units, meeting)


def policy_of(
    said: Policy | None, units: tuple[str, ...] | None, meeting: Meeting
) -> tuple[Policy, frozenset[str]]:
    """The same, by what the configuration says of the two keys."""
    return said or Policy.ORG, _allowed(units, meeting)


def _allowed(units: tuple[str, ...] | None, meeting: Meeting) -> frozenset[str]:
    own = () if meeting.unit_id is None else (meeting.unit_id,)
    return frozenset(units or own)
