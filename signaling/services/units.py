"""Units: create, look up, change, move, remove.

Whoever is limited to a unit finds it and what is below it, and nothing else; it is the top of what they can
change, and stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any, Final, TypedDict, Unpack

import structlog

from signaling.domain.caller import Caller
from signaling.domain.plan import Feature, check_room, limits_of, require_feature
from signaling.domain.unit import MAX_UNITS, Branch, Unit, UnitNode, as_trees, may_touch, moved, path_below
from signaling.domain.version import check_version
from signaling.errors import ForbiddenError, LimitExceededError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.organizations import visible_organization
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

_TOP: Final = "You administer this unit and what is below it; what is above decides about it. Ask there."


class UnitSettings(TypedDict, total=False):
    """What may be set of a unit; what is absent stays as it is."""

    name: str
    description: str | None
    logo_url: str | None
    admin: str | None
    parent_id: str | None
    """None: at the top."""


class UnitService:
    def __init__(self, units: UnitOfWorkFactory, clock: Clock, remembered: RememberedCallers) -> None:
        self._units = units
        self._clock = clock
        self._remembered = remembered

    async def create(
        self,
        caller: Caller,
        organization_id: str,
        *,
        once: Once[Unit] | None = None,
        **settings: Unpack[UnitSettings],
    ) -> Unit:
        """Its `name` is needed. Below `parent_id`, or at the top of what the caller may touch.

        Raises `NotFoundError` for another's organization or parent, `LimitExceededError`,
        `FeatureDisabledError` and `PlanLimitError`.
        """
        now, unit_id = self._clock.now(), new_uuid()
        parent_id = settings.get("parent_id") or caller.unit_id

        async def work(uow: UnitOfWork) -> Unit:
            organization = await visible_organization(uow, caller, organization_id)
            require_feature(organization, Feature.UNITS)
            count = await uow.units.count(organization_id)
            check_room("units", count, limits_of(organization).units)
            if count >= MAX_UNITS:
                raise LimitExceededError(f"An organization has {MAX_UNITS} units at most.")
            parent = await load_unit(uow, caller, organization_id, parent_id) if parent_id else None
            path = path_below(parent, unit_id)
            unit = _changed(Unit(unit_id, organization_id, path, settings["name"], now, now), settings)
            await uow.units.add(unit)
            return unit

        unit = await create_once(self._units, self._clock, organization_id, once, work)
        log.info("unit.created", organization_id=organization_id, unit_id=unit.id, by=caller.credential_id)
        return unit

    async def get(self, caller: Caller, organization_id: str, unit_id: str) -> Unit:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            await visible_organization(uow, caller, organization_id)
            return await load_unit(uow, caller, organization_id, unit_id)

    async def list(
        self,
        caller: Caller,
        organization_id: str,
        *,
        parent_id: str | None = None,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Unit], int]:
        """A page by name, and the total. Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            await visible_organization(uow, caller, organization_id)
            return await uow.units.list(
                organization_id,
                within=caller.unit_id,
                parent_id=parent_id,
                search=search,
                offset=offset,
                limit=limit,
            )

    async def tree(self, caller: Caller, organization_id: str) -> Sequence[UnitNode]:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            await visible_organization(uow, caller, organization_id)
            return as_trees(await uow.units.all(organization_id, within=caller.unit_id))

    async def change(
        self,
        caller: Caller,
        organization_id: str,
        unit_id: str,
        *,
        if_version: Set[int] | None = None,
        **settings: Unpack[UnitSettings],
    ) -> Unit:
        """With `parent_id` it moves, and all below it with it.

        Raises `NotFoundError`, `PreconditionFailedError`, `ConflictError` for a circle, `LimitExceededError`
        for a tree too deep, and `ForbiddenError` for who would move the unit that they are limited to.
        """

        async def work(uow: UnitOfWork) -> Unit:
            await visible_organization(uow, caller, organization_id)
            before = await load_unit(uow, caller, organization_id, unit_id)
            check_version("unit", before.version, if_version)
            now = self._clock.now()
            after = replace(_changed(before, settings), version=before.version + 1, updated_at=now)
            if "parent_id" not in settings or settings["parent_id"] == before.parent_id:
                await uow.units.save(after)
                return after
            parent = await self._new_parent(uow, caller, before, settings["parent_id"])
            after, *below = moved(after, parent, await uow.units.below(before), now)
            for one in (after, *below):
                await uow.units.save(one)
            return after

        unit = await committed(self._units, work)
        log.info(
            "unit.changed",
            organization_id=organization_id,
            unit_id=unit.id,
            by=caller.credential_id,
            what=sorted(settings),
        )
        return unit

    async def remove(
        self, caller: Caller, organization_id: str, unit_id: str, *, if_version: Set[int] | None = None
    ) -> Unit:
        """Its keys and its people's membership go with it. Raises `NotFoundError`, `PreconditionFailedError`,
        `ConflictError` while meetings or other units belong to it, and `ForbiddenError` for who would
        remove the unit that they are limited to."""

        async def work(uow: UnitOfWork) -> Unit:
            await visible_organization(uow, caller, organization_id)
            unit = await load_unit(uow, caller, organization_id, unit_id)
            check_version("unit", unit.version, if_version)
            if unit.id == caller.unit_id:
                raise ForbiddenError(_TOP)
            await uow.units.remove(unit)
            return unit

        unit = await committed(self._units, work)
        self._remembered.forget()
        log.info("unit.removed", organization_id=organization_id, unit_id=unit.id, by=caller.credential_id)
        return unit

    async def _new_parent(
        self, uow: UnitOfWork, caller: Caller, unit: Unit, parent_id: str | None
    ) -> Unit | None:
        if caller.unit_id is not None and (unit.id == caller.unit_id or parent_id is None):
            raise ForbiddenError(_TOP)
        return await load_unit(uow, caller, unit.organization_id, parent_id) if parent_id else None


async def load_unit(uow: UnitOfWork, caller: Caller, organization_id: str, unit_id: str) -> Unit:
    """Raises `NotFoundError` for one that is not there, or not for the caller."""
    unit = await uow.units.get(organization_id, unit_id)
    if unit is None or not may_touch(caller, unit.path):
        raise NotFoundError.of("unit", unit_id)
    return unit


async def branch_of(
    uow: UnitOfWork, caller: Caller, unit_id: str | None = None, *, alone: bool = False
) -> Branch | None:
    """What the caller asks about: that unit, `alone` or with those below it; without one all that is there
    for them: the whole organization (None), or their unit with those below it. Raises `NotFoundError`."""
    if unit_id is not None:
        await load_unit(uow, caller, caller.organization_id, unit_id)
        return Branch(unit_id, alone)
    return None if caller.unit_id is None else Branch(caller.unit_id)


def _changed(unit: Unit, settings: UnitSettings) -> Unit:
    """But for its place in the tree."""
    columns: dict[str, Any] = {name: value for name, value in settings.items() if name != "parent_id"}
    return replace(unit, **columns)


async def touches(uow: UnitOfWork, caller: Caller, unit_id: str | None) -> bool:
    """Whether what belongs to this unit (None: to none) is for the caller."""
    if caller.unit_id is None:
        return True
    unit = await uow.units.get(caller.organization_id, unit_id) if unit_id else None
    return unit is not None and may_touch(caller, unit.path)
