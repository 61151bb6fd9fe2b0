"""Configuration of organizations and units, and what follows from it for meetings and sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Final

from signaling.domain.caller import Caller
from signaling.domain.configuration import (
    NOTHING_SAID,
    Configuration,
    ConfigurationRecord,
    EffectiveConfiguration,
    effective,
    parse_configuration,
    patched,
)
from signaling.domain.configuration_rules import check_defined, check_lockable, check_unlocked
from signaling.domain.unit import may_touch
from signaling.domain.version import check_version
from signaling.errors import NotFoundError
from signaling.services.levels import House, allowed_for, check_plan, check_units, levels_above, unit_path
from signaling.services.meetings import load_meeting
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

UNSAID: Final = 0
"""The version of a configuration that nobody has set yet."""


class ConfigurationService:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock, house: House) -> None:
        self._units = units
        self._clock = clock
        self._house = house

    async def get(
        self, organization_id: str, unit_id: str | None = None, *, caller: Caller | None = None
    ) -> ConfigurationRecord:
        """What the organization, or the unit, says itself. Raises `NotFoundError` for the unit, also where it
        is beyond the caller's."""
        async with self._units(reading=True) as uow:
            await self._owner_path(uow, organization_id, unit_id, caller)
            return await self._load(uow, organization_id, unit_id or organization_id)

    async def effective(self, organization_id: str, unit_id: str | None = None) -> EffectiveConfiguration:
        """What holds for meetings of the organization, or of the unit, that say nothing. Raises
        `NotFoundError`."""
        async with self._units(reading=True) as uow:
            path = await self._owner_path(uow, organization_id, unit_id)
            return effective(await levels_above(uow, self._house.system, organization_id, path))

    async def replace(
        self,
        organization_id: str,
        unit_id: str | None,
        said: Mapping[str, Any],
        locked: Sequence[str],
        *,
        caller: Caller | None = None,
        if_version: Set[int] | None = None,
    ) -> ConfigurationRecord:
        """Raises `NotFoundError`, `PreconditionFailedError`, `ValidationFailedError`, `FeatureDisabledError`,
        and `ConfigurationLockedError` for what a level above has locked."""
        return await self._set(
            organization_id,
            unit_id,
            lambda _: (parse_configuration(said), tuple(locked)),
            caller,
            if_version,
        )

    async def change(
        self,
        organization_id: str,
        unit_id: str | None,
        said: Mapping[str, Any] | None,
        locked: Sequence[str] | None,
        *,
        caller: Caller | None = None,
        if_version: Set[int] | None = None,
    ) -> ConfigurationRecord:
        """Lays a patch over what is said, and has `locked` instead of the former keys where it is given.
        Raises as `replace` does."""

        def after(before: ConfigurationRecord) -> tuple[Configuration, tuple[str, ...]]:
            return (
                before.said if said is None else patched(before.said, said),
                before.locked if locked is None else tuple(locked),
            )

        return await self._set(organization_id, unit_id, after, caller, if_version)

    async def of_meeting(self, organization_id: str, meeting_id: str) -> EffectiveConfiguration:
        """What its next session would be run with. Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            meeting = await load_meeting(uow, organization_id, meeting_id)
            return await allowed_for(uow, self._house.system, meeting)

    async def of_session(self, organization_id: str, session_id: str) -> EffectiveConfiguration:
        """What it was started with. Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            snapshot = await uow.configurations.snapshot(organization_id, session_id)
        if snapshot is None:
            raise NotFoundError.of("session with a configuration", session_id)
        return snapshot

    # --- inside ----------------------------------------------------------------------------------------

    async def _set(
        self,
        organization_id: str,
        unit_id: str | None,
        change: Callable[[ConfigurationRecord], tuple[Configuration, tuple[str, ...]]],
        caller: Caller | None,
        if_version: Set[int] | None,
    ) -> ConfigurationRecord:
        async def work(uow: UnitOfWork) -> ConfigurationRecord:
            path = await self._owner_path(uow, organization_id, unit_id, caller)
            before = await self._load(uow, organization_id, unit_id or organization_id)
            check_version("configuration", before.version, if_version)
            said, locked = change(before)
            self._house.check(said)
            await check_plan(uow, organization_id, said, before.said)
            await check_units(uow, organization_id, said, before.said)
            check_lockable(locked)
            above = await levels_above(uow, self._house.system, organization_id, path)
            others = [one for one in above if one.origin != before.level.origin]
            check_unlocked(said, others, before.said)
            after = replace(
                before, said=said, locked=locked, version=before.version + 1, updated_at=self._clock.now()
            )
            check_defined(said, [*others, after.level], before.said)
            await (uow.configurations.add if before.version == UNSAID else uow.configurations.save)(after)
            return after

        return await committed(self._units, work)

    async def _owner_path(
        self, uow: UnitOfWork, organization_id: str, unit_id: str | None, caller: Caller | None = None
    ) -> tuple[str, ...]:
        """The ids from the top to the unit. Raises `NotFoundError`, also for the organization."""
        if await uow.organizations.get(organization_id) is None:
            raise NotFoundError.of("organization", organization_id)
        path = await unit_path(uow, organization_id, unit_id)
        if unit_id is not None and caller is not None and not may_touch(caller, path):
            raise NotFoundError.of("unit", unit_id)
        return path

    async def _load(self, uow: UnitOfWork, organization_id: str, owner_id: str) -> ConfigurationRecord:
        found = await uow.configurations.get(organization_id, owner_id)
        now = self._clock.now()
        blank = ConfigurationRecord(organization_id, owner_id, NOTHING_SAID, (), now, now, UNSAID)
        return blank if found is None else found
