"""Guests: whoever has a meeting's link, where its policy lets them in, becomes a participant of it."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.join_policy import (
    Applicant,
    Policy,
    Refusal,
    Standing,
    check_join,
)
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.errors import JoinRefusedError, MeetingInactiveError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.admission import join_policy
from signaling.services.levels import House, effective_for
from signaling.services.meeting_passwords import MeetingPasswords
from signaling.services.ports import Clock, Tokens, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


@dataclass(frozen=True, slots=True)
class Entrance:
    """`token` is kept nowhere."""

    meeting: Meeting
    participant: Participant
    token: str

    def __repr__(self) -> str:
        return f"Entrance({self.participant.id!r})"


@dataclass(frozen=True, slots=True)
class Doorplate:
    """What whoever has the link may know before they say who they are."""

    meeting: Meeting
    asks_password: bool


class GuestService:
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

    async def look(self, short: str) -> Doorplate:
        """Raises `NotFoundError`, `MeetingInactiveError`, and `JoinRefusedError` where guests are not taken,
        whatever they show."""
        meeting, policy, _, _ = await self._find(short)
        return Doorplate(meeting, policy is Policy.PASSWORD)

    async def enter(
        self, short: str, *, name: str, password: str | None = None, picture: str | None = None
    ) -> Entrance:
        """Raises what `look` raises, `JoinRefusedError` for a wrong password, and `RateLimitedError` where
        too many were tried."""
        meeting, policy, allowed, preset_name = await self._find(short)
        mark = await self._passwords.mark(meeting, password) if policy is Policy.PASSWORD else None
        check_join(policy, allowed, Applicant(Standing.GUEST, password=mark is not None))
        now, participant_id = self._clock.now(), new_uuid()
        participant = Participant(
            id=participant_id,
            organization_id=meeting.organization_id,
            meeting_id=meeting.id,
            name=name,
            custom_participant_id=f"guest-{participant_id}",
            preset_name=preset_name,
            picture=picture,
            created_at=now,
            updated_at=now,
            standing=Standing.GUEST,
            password_mark=mark,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.participants.add(participant)

        await committed(self._units, work)
        return Entrance(meeting, participant, self._tokens.issue(participant))

    async def _find(self, short: str) -> tuple[Meeting, Policy, frozenset[str], str]:
        """The meeting, its policy with the units that this allows, and the preset that guests get."""
        async with self._units(reading=True) as uow:
            meeting = await uow.meetings.by_short(short)
            if meeting is None:
                raise NotFoundError("There is no meeting behind this link. Ask for another one.")
            configuration = (await effective_for(uow, self._house.system, meeting)).values
            preset_name = configuration.default_guest_preset
            known = preset_name is not None and await uow.presets.has(meeting.organization_id, preset_name)
        if not meeting.active:
            raise MeetingInactiveError
        policy, allowed = join_policy(configuration, meeting)
        check_join(policy, allowed, Applicant(Standing.GUEST, password=True))
        if preset_name is None or not known:
            raise JoinRefusedError("This meeting takes no guests.", reason=Refusal.NO_GUESTS)
        return meeting, policy, allowed, preset_name
