"""Members: whoever has signed in to an organization joins its meetings, where the join policy takes them.

A member is one participant of a meeting, the same each time: its custom id is the id of the account. Where
the organization has entered that account as a participant itself (with the id as `custom_participant_id`),
the member is that one, with what was given to them: this is how a meeting that takes only those on its list
(`RESTRICT`) takes a member.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from signaling.domain.caller import Caller
from signaling.domain.configuration import Configuration
from signaling.domain.join_policy import (
    Applicant,
    Policy,
    Refusal,
    Standing,
    check_join,
)
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.user import Membership, User
from signaling.errors import ForbiddenError, JoinRefusedError, MeetingInactiveError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.admission import join_policy, member_units, membership_of, units_of
from signaling.services.guests import Doorplate, Entrance
from signaling.services.levels import House, effective_for
from signaling.services.meeting_passwords import MeetingPasswords
from signaling.services.ports import Clock, Tokens, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks for which meeting, as the store has it now. `participant`: which one they are already."""

    user: User
    membership: Membership
    units: frozenset[str]
    meeting: Meeting
    configuration: Configuration
    participant: Participant | None

    @property
    def standing(self) -> Standing:
        return Standing.MEMBER if self.participant is None else self.participant.standing

    @property
    def needs_password(self) -> bool:
        policy, _ = join_policy(self.configuration, self.meeting)
        return policy is Policy.PASSWORD and self.standing is not Standing.REGISTERED

    def check(self, *, password: bool) -> None:
        """Raises `JoinRefusedError`."""
        applicant = Applicant(self.standing, self.units, password)
        check_join(*join_policy(self.configuration, self.meeting), applicant)


class MemberService:
    def __init__(
        self,
        units: UnitOfWorkFactory,
        tokens: Tokens,
        passwords: MeetingPasswords,
        clock: Clock,
        house: House,
    ) -> None:
        self._units = units
        self._tokens = tokens
        self._passwords = passwords
        self._clock = clock
        self._house = house

    async def look(self, caller: Caller, short: str) -> Doorplate:
        """Raises `NotFoundError` for a meeting of another organization, `ForbiddenError` for a key, which is
        nobody, `MeetingInactiveError`, and `JoinRefusedError` where this member is not taken, whatever they
        show."""
        async with self._units(reading=True) as uow:
            asking = await self._asking(uow, caller, short)
        asking.check(password=True)
        return Doorplate(asking.meeting, asking.needs_password)

    async def enter(
        self, caller: Caller, short: str, *, password: str | None = None, picture: str | None = None
    ) -> Entrance:
        """Raises what `look` raises, `JoinRefusedError` for a wrong password, and `RateLimitedError` where
        too many were tried."""
        async with self._units(reading=True) as uow:
            looked = await self._asking(uow, caller, short)
        looked.check(password=True)
        mark = await self._passwords.mark(looked.meeting, password) if looked.needs_password else None
        looked.check(password=mark is not None)

        async def work(uow: UnitOfWork) -> Participant:
            asking = await self._asking(uow, caller, short)
            participant = asking.participant
            if participant is None:
                participant = await self._made(uow, asking, picture, mark)
                await uow.participants.add(participant)
            elif participant.standing is Standing.MEMBER:
                participant = self._renewed(participant, asking, picture, mark)
                await uow.participants.save(participant)
            return participant

        participant = await committed(self._units, work)
        return Entrance(looked.meeting, participant, self._tokens.issue(participant))

    async def _asking(self, uow: UnitOfWork, caller: Caller, short: str) -> _Asking:
        user = await uow.users.get(caller.credential_id)
        if user is None:
            raise ForbiddenError("A key is nobody who could join. Enter participants with it, or log in.")
        membership = await membership_of(uow, user, caller.organization_id)
        meeting = await uow.meetings.by_short(short)
        if meeting is None or meeting.organization_id != caller.organization_id or membership is None:
            raise NotFoundError("There is no meeting behind this link in your organization.")
        if not meeting.active:
            raise MeetingInactiveError
        configuration = (await effective_for(uow, self._house.system, meeting)).values
        participant = await _known(uow, meeting, user)
        if participant is not None and participant.standing is Standing.REGISTERED:
            of_units = await units_of(uow, participant)
        else:
            of_units = await member_units(uow, meeting.organization_id, membership)
        return _Asking(user, membership, of_units, meeting, configuration, participant)

    async def _made(
        self, uow: UnitOfWork, asking: _Asking, picture: str | None, mark: str | None
    ) -> Participant:
        preset_name = asking.configuration.default_member_preset
        if preset_name is None or not await uow.presets.has(asking.meeting.organization_id, preset_name):
            raise JoinRefusedError(
                "This meeting has no preset for members. Ask who runs it.", reason=Refusal.NO_PRESET
            )
        now = self._clock.now()
        return Participant(
            id=new_uuid(),
            organization_id=asking.meeting.organization_id,
            meeting_id=asking.meeting.id,
            name=asking.user.name,
            custom_participant_id=asking.user.id,
            preset_name=preset_name,
            picture=picture,
            created_at=now,
            updated_at=now,
            standing=Standing.MEMBER,
            unit_id=asking.membership.unit_id,
            password_mark=mark,
        )

    def _renewed(
        self, participant: Participant, asking: _Asking, picture: str | None, mark: str | None
    ) -> Participant:
        """The preset stays: the organization may have given them another one since."""
        after = replace(
            participant,
            name=asking.user.name,
            picture=participant.picture if picture is None else picture,
            unit_id=asking.membership.unit_id,
            password_mark=mark or participant.password_mark,
        )
        if after == participant:
            return participant
        return replace(after, updated_at=self._clock.now(), version=participant.version + 1)


async def _known(uow: UnitOfWork, meeting: Meeting, user: User) -> Participant | None:
    """Which participant they are already: rather one whom the organization entered."""
    known = await uow.participants.known_as(meeting.organization_id, meeting.id, user.id)
    for standing in (Standing.REGISTERED, Standing.MEMBER):
        for one in known:
            if one.standing is standing:
                return one
    return None
