"""The levels of configuration as the store has them, and what this server lets anybody say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signaling.domain.configuration import (
    MAX_DURATION,
    MAX_PARTICIPANTS,
    NOTHING_SAID,
    SYSTEM,
    Configuration,
    EffectiveConfiguration,
    Level,
    LevelKind,
    Origin,
    effective,
)
from signaling.domain.configuration_rules import check_defined, check_unlocked
from signaling.domain.meeting import Meeting
from signaling.domain.plan import Feature, limits_of
from signaling.errors import NotFoundError, ValidationFailedError
from signaling.services.organizations import check_feature
from signaling.services.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class House:
    """The rules of this installation: what holds where nobody says anything (`system`), and the most that
    anybody may say; seconds."""

    system: Configuration = SYSTEM
    max_participants: int = MAX_PARTICIPANTS
    max_duration_secs: int = MAX_DURATION

    def check(self, said: Configuration) -> None:
        """Raises `ValidationFailedError`."""
        for key in ("max_participants", "max_duration_secs"):
            wanted, most = getattr(said, key), getattr(self, key)
            if wanted is not None and wanted > most:
                raise ValidationFailedError(f"{key}: at most {most} on this server", field=key)


async def check_meeting(
    uow: UnitOfWork, house: House, meeting: Meeting, before: Configuration = NOTHING_SAID
) -> None:
    """What a meeting says, before it is kept; `before`: what it said until now. Raises
    `ValidationFailedError` (also for a unit that is not there), `ConfigurationLockedError` and
    `FeatureDisabledError`."""
    house.check(meeting.configuration)
    await check_plan(uow, meeting.organization_id, meeting.configuration, before)
    await check_units(uow, meeting.organization_id, meeting.configuration, before)
    try:
        path = await unit_path(uow, meeting.organization_id, meeting.unit_id)
    except NotFoundError as error:
        raise ValidationFailedError(f"unit_id: {error.message}", field="unit_id") from None
    above = await levels_above(uow, house.system, meeting.organization_id, path)
    check_unlocked(meeting.configuration, above, before)
    own = Level(Origin(LevelKind.MEETING, meeting.id), meeting.configuration)
    check_defined(meeting.configuration, [*above, own], before)


async def check_session(uow: UnitOfWork, house: House, meeting: Meeting, said: Configuration) -> None:
    """What is said for one session alone. Raises as `check_meeting`."""
    house.check(said)
    await check_plan(uow, meeting.organization_id, said)
    await check_units(uow, meeting.organization_id, said)
    path = await unit_path(uow, meeting.organization_id, meeting.unit_id)
    above = await levels_above(uow, house.system, meeting.organization_id, path)
    check_unlocked(said, above)
    check_defined(said, [*above, Level(Origin(LevelKind.SESSION), said)])


async def check_plan(
    uow: UnitOfWork, organization_id: str, said: Configuration, before: Configuration = NOTHING_SAID
) -> None:
    """That the organization has what is switched on. Raises `FeatureDisabledError`."""
    if said.lobby_enabled and not before.lobby_enabled:
        await check_feature(uow, organization_id, Feature.WAITING_ROOM)


async def check_units(
    uow: UnitOfWork, organization_id: str, said: Configuration, before: Configuration = NOTHING_SAID
) -> None:
    """That the units which are allowed something are there. Raises `ValidationFailedError`."""
    for key in ("allow_open_units", "allow_join_units"):
        known = getattr(before, key) or ()
        for unit_id in getattr(said, key) or ():
            if unit_id not in known and await uow.units.get(organization_id, unit_id) is None:
                raise ValidationFailedError(f"{key}: there is no unit {unit_id!r} here", field=key)


async def unit_path(uow: UnitOfWork, organization_id: str, unit_id: str | None) -> tuple[str, ...]:
    """The ids from the top to the unit; none without one. Raises `NotFoundError`."""
    if unit_id is None:
        return ()
    unit = await uow.units.get(organization_id, unit_id)
    if unit is None:
        raise NotFoundError.of("unit", unit_id)
    return unit.path


async def levels_above(
    uow: UnitOfWork, system: Configuration, organization_id: str, unit_ids: Sequence[str]
) -> list[Level]:
    """From the system down to the last of the units."""
    chain = await uow.configurations.chain(organization_id, unit_ids)
    return [Level(Origin(LevelKind.SYSTEM), system), *(record.level for record in chain)]


async def levels_of(
    uow: UnitOfWork, system: Configuration, meeting: Meeting, *, said_above: bool = True
) -> list[Level]:
    """From the system down to the meeting. `said_above`: whether any between the two says anything."""
    own = Level(Origin(LevelKind.MEETING, meeting.id), meeting.configuration)
    if not said_above:
        return [Level(Origin(LevelKind.SYSTEM), system), own]
    path: tuple[str, ...] = ()
    if meeting.unit_id is not None:
        unit = await uow.units.get(meeting.organization_id, meeting.unit_id)
        path = () if unit is None else unit.path
    levels = await levels_above(uow, system, meeting.organization_id, path)
    levels.append(own)
    return levels


async def effective_for(
    uow: UnitOfWork, system: Configuration, meeting: Meeting, said: Configuration = NOTHING_SAID
) -> EffectiveConfiguration:
    """What a session of the meeting is run with; `said` for this one alone."""
    levels = await levels_of(uow, system, meeting)
    return effective([*levels, Level(Origin(LevelKind.SESSION), said)])


async def allowed_for(
    uow: UnitOfWork, system: Configuration, meeting: Meeting, said: Configuration = NOTHING_SAID
) -> EffectiveConfiguration:
    """The same, within what the plan of the organization has room for."""
    found = await effective_for(uow, system, meeting, said)
    organization = await uow.organizations.get(meeting.organization_id)
    most = None if organization is None else limits_of(organization).participants
    return found.within_plan(meeting.organization_id, most)
