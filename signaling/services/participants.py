"""Participants: admit to a meeting, look up, change, remove, and give tokens."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from signaling.domain.caller import Caller
from signaling.domain.configuration import decided
from signaling.domain.join_policy import Standing, check_join
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.unit import may_touch
from signaling.domain.version import check_version
from signaling.errors import JoinRefusedError, NotFoundError, ValidationFailedError
from signaling.ids import new_uuid
from signaling.services.admission import applicant_of, policy_of, present_units
from signaling.services.client_tokens import revoke
from signaling.services.idempotency import Once, create_once
from signaling.services.levels import House, levels_of, unit_path
from signaling.services.meetings import load_meeting
from signaling.services.ports import Clock, LiveSessions, Tokens, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


class ParticipantChanges(TypedDict, total=False):
    name: str
    picture: str | None
    preset_name: str
    unit_id: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, and the id of the preset it had (None when that is gone)."""

    participant: Participant
    preset_id: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """`token` is None where the join policy does not take the participant (any more); it is kept nowhere."""

    participant: Participant
    token: str | None

    def __repr__(self) -> str:
        return f"Changed({self.participant.id!r})"


class ParticipantService:
    def __init__(
        self, units: UnitOfWorkFactory, live: LiveSessions, tokens: Tokens, clock: Clock, house: House
    ) -> None:
        self._units = units
        self._live = live
        self._tokens = tokens
        self._clock = clock
        self._house = house

    async def add(
        self,
        organization_id: str,
        meeting_id: str,
        *,
        custom_participant_id: str,
        preset_name: str,
        name: str,
        picture: str | None = None,
        unit_id: str | None = None,
        caller: Caller | None = None,
        once: Once[Participant] | None = None,
    ) -> Participant:
        """Somebody whom the organization itself registers. Raises `NotFoundError` for the meeting,
        `ValidationFailedError` for a preset or a unit that is not there for the caller, and
        `JoinRefusedError` where the join policy would not let them in."""
        now = self._clock.now()
        participant = Participant(
            id=new_uuid(),
            organization_id=organization_id,
            meeting_id=meeting_id,
            name=name,
            custom_participant_id=custom_participant_id,
            preset_name=preset_name,
            picture=picture,
            unit_id=unit_id,
            created_at=now,
            updated_at=now,
        )

        async def work(uow: UnitOfWork) -> Participant:
            found = await uow.participants.to_add(organization_id, meeting_id, preset_name)
            if found is None:
                raise NotFoundError.of("meeting", meeting_id)
            meeting, there_is_the_preset, said_above = found
            if not there_is_the_preset:
                raise _no_preset(preset_name)
            await _check_unit(uow, caller, participant)
            await self._check_policy(uow, meeting, participant, said_above=said_above)
            await uow.participants.add(participant)
            return participant

        return await create_once(self._units, self._clock, organization_id, once, work)

    def token_for(self, participant: Participant) -> str:
        return self._tokens.issue(participant)

    async def fresh_token(self, organization_id: str, meeting_id: str, participant_id: str) -> str:
        """Raises `NotFoundError`, and `JoinRefusedError` where the join policy does not take them (any
        more)."""
        async with self._units(reading=True, apart=True) as uow:
            found = await uow.participants.with_meeting(organization_id, meeting_id, participant_id)
            if found is not None and _is_enough(found):
                await self._check_policy(uow, found[1], found[0], said_above=False)
                return self._tokens.issue(found[0])
        async with self._units(reading=True) as uow:
            found = await uow.participants.with_meeting(organization_id, meeting_id, participant_id)
            if found is None or found[1].deleted_at is not None:
                await load_meeting(uow, organization_id, meeting_id)
                raise NotFoundError.of("participant", participant_id)
            participant, meeting, said_above = found
            await self._check_policy(uow, meeting, participant, said_above=said_above)
        return self._tokens.issue(participant)

    async def get(self, organization_id: str, meeting_id: str, participant_id: str) -> Participant:
        """Raises `NotFoundError`."""
        async with self._units(reading=True, apart=True) as uow:
            return await _load(uow, organization_id, meeting_id, participant_id)

    async def list(
        self, organization_id: str, meeting_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Participant], int]:
        """A page, newest first, and the total. Raises `NotFoundError` for the meeting."""
        async with self._units(reading=True) as uow:
            await load_meeting(uow, organization_id, meeting_id)
            return await uow.participants.list(organization_id, meeting_id, offset=offset, limit=limit)

    async def change(
        self,
        organization_id: str,
        meeting_id: str,
        participant_id: str,
        *,
        caller: Caller | None = None,
        if_version: Set[int] | None = None,
        **changes: Unpack[ParticipantChanges],
    ) -> Changed:
        """Raises `NotFoundError`, `ValidationFailedError` for a preset or a unit that is not there for the
        caller, and `PreconditionFailedError` for a version that is not in `if_version`. Peers of the
        participant that are joined are told, and a new preset applies to them when this returns. Who is
        refused by the join policy can be changed too: only a token they do not get."""

        async def work(uow: UnitOfWork) -> tuple[Participant, bool]:
            before = await _load(uow, organization_id, meeting_id, participant_id)
            check_version("participant", before.version, if_version)
            if "preset_name" in changes:
                await _check_preset(uow, organization_id, changes["preset_name"])
            version = before.version + 1
            participant = replace(before, **changes, version=version, updated_at=self._clock.now())
            stays = participant.unit_id == before.unit_id
            await _check_unit(uow, None if stays else caller, participant)
            await uow.participants.save(participant)
            return participant, await self._admits(uow, participant)

        participant, admitted = await committed(self._units, work)
        await self._live.participant_changed(participant)
        return Changed(participant, self._tokens.issue(participant) if admitted else None)

    async def remove(
        self,
        organization_id: str,
        meeting_id: str,
        participant_id: str,
        *,
        if_version: Set[int] | None = None,
    ) -> Removed:
        """Raises `NotFoundError` and `PreconditionFailedError`. From here on its tokens are refused; its
        peers are put out."""

        async def work(uow: UnitOfWork) -> Removed:
            participant = await _load(uow, organization_id, meeting_id, participant_id)
            check_version("participant", participant.version, if_version)
            preset = await uow.presets.by_name(organization_id, participant.preset_name)
            await uow.participants.remove(participant)
            await revoke(uow, self._clock, organization_id, participant_id)
            return Removed(participant, preset.id if preset else None)

        removed = await committed(self._units, work)
        await self._live.participant_removed(removed.participant)
        return removed

    async def _admits(self, uow: UnitOfWork, participant: Participant) -> bool:
        try:
            meeting = await load_meeting(uow, participant.organization_id, participant.meeting_id)
            await self._check_policy(uow, meeting, participant)
        except (JoinRefusedError, NotFoundError):
            return False
        return True

    async def _check_policy(
        self, uow: UnitOfWork, meeting: Meeting, participant: Participant, *, said_above: bool = True
    ) -> None:
        """Raises `JoinRefusedError`. `said_above`: False where it is known that only the system and the
        meeting say anything of its configuration."""
        levels = await levels_of(uow, self._house.system, meeting, said_above=said_above)
        said, units = decided(levels, "join_policy"), decided(levels, "allow_join_units")
        applicant = applicant_of(
            participant, meeting.join_password_hash, await present_units(uow, participant)
        )
        check_join(*policy_of(said, units, meeting), applicant)


def _is_enough(found: tuple[Participant, Meeting, bool]) -> bool:
    """Whether the join policy needs to know nothing else."""
    participant, meeting, said_above = found
    alone = participant.unit_id is None and participant.standing is not Standing.MEMBER
    return meeting.deleted_at is None and alone and not said_above


async def _check_unit(uow: UnitOfWork, caller: Caller | None, participant: Participant) -> None:
    """That there is such a unit, for the caller too: a unit lets into meetings that are for it alone, and so
    is given by who has it. Raises `ValidationFailedError`."""
    try:
        path = await unit_path(uow, participant.organization_id, participant.unit_id)
        if caller is not None and participant.unit_id is not None and not may_touch(caller, path):
            raise NotFoundError.of("unit", participant.unit_id)
    except NotFoundError as error:
        raise ValidationFailedError(f"unit_id: {error.message}", field="unit_id") from None


async def _load(uow: UnitOfWork, organization_id: str, meeting_id: str, participant_id: str) -> Participant:
    participant = await uow.participants.get(organization_id, meeting_id, participant_id)
    if participant is None:
        raise NotFoundError.of("participant", participant_id)
    return participant


async def _check_preset(uow: UnitOfWork, organization_id: str, preset_name: str) -> None:
    if not await uow.presets.has(organization_id, preset_name):
        raise _no_preset(preset_name)


def _no_preset(name: str) -> ValidationFailedError:
    return ValidationFailedError(
        f"preset_name: there is no preset named {name!r}; GET /v2/presets lists them", field="preset_name"
    )
