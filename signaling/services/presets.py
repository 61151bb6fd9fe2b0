"""Presets: create, look up, change, remove. A change applies at once to every peer that has the preset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from signaling.domain.plan import Feature
from signaling.domain.preset import Preset, PresetRecord, WaitingRoomType, merged
from signaling.domain.version import check_version
from signaling.errors import ConflictError, NotFoundError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.organizations import check_feature
from signaling.services.ports import Clock, LiveSessions, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed


class PresetService:
    def __init__(self, units: UnitOfWorkFactory, live: LiveSessions, clock: Clock) -> None:
        self._units = units
        self._live = live
        self._clock = clock

    async def create(
        self, organization_id: str, preset: Preset, *, once: Once[PresetRecord] | None = None
    ) -> PresetRecord:
        """Raises `ConflictError` when the name is taken, and `FeatureDisabledError` for one whose peers wait
        where the plan has no waiting room."""
        now = self._clock.now()
        record = PresetRecord(new_uuid(), organization_id, preset, now, now)

        async def work(uow: UnitOfWork) -> PresetRecord:
            await _check_plan(uow, organization_id, preset)
            await uow.presets.add(record)
            return record

        return await create_once(self._units, self._clock, organization_id, once, work)

    async def get(self, organization_id: str, preset_id: str) -> PresetRecord:
        """Raises `NotFoundError`."""
        async with self._units(reading=True, apart=True) as uow:
            return await _load(uow, organization_id, preset_id)

    async def list(
        self, organization_id: str, *, search: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[PresetRecord], int]:
        """A page, newest first, and the total. `search` is part of a name, or an id."""
        async with self._units(reading=True) as uow:
            return await uow.presets.list(organization_id, search=search, offset=offset, limit=limit)

    async def change(
        self,
        organization_id: str,
        preset_id: str,
        patch: Mapping[str, Any],
        *,
        if_version: Set[int] | None = None,
    ) -> PresetRecord:
        """Lay a partial preset over the stored one.

        Raises `NotFoundError`, `PreconditionFailedError` for a version that is not in `if_version`,
        `ValidationFailedError`, `FeatureDisabledError`, and `ConflictError` when the new name is taken or the
        preset is to be renamed while it is in use, which is by name.
        """

        return await self._changed(
            organization_id, preset_id, lambda before: merged(before, patch), if_version=if_version
        )

    async def replace(
        self, organization_id: str, preset_id: str, preset: Preset, *, if_version: Set[int] | None = None
    ) -> PresetRecord:
        """Put another preset in the place of the stored one; raises as `change` does."""
        return await self._changed(organization_id, preset_id, lambda _: preset, if_version=if_version)

    async def _changed(
        self,
        organization_id: str,
        preset_id: str,
        change: Callable[[Preset], Preset],
        *,
        if_version: Set[int] | None,
    ) -> PresetRecord:
        async def work(uow: UnitOfWork) -> PresetRecord:
            before = await _load(uow, organization_id, preset_id)
            check_version("preset", before.version, if_version)
            after = replace(
                before,
                preset=change(before.preset),
                version=before.version + 1,
                updated_at=self._clock.now(),
            )
            await _check_plan(uow, organization_id, after.preset, before.preset)
            if after.name != before.name:
                await _check_unused(uow, before, "renamed. Create one with the new name, and give them that.")
            await uow.presets.save(after)
            return after

        after = await committed(self._units, work)
        await self._live.preset_changed(organization_id, after.name)
        return after

    async def remove(
        self,
        organization_id: str,
        preset_id: str,
        *,
        force: bool = False,
        if_version: Set[int] | None = None,
    ) -> PresetRecord:
        """Raises `NotFoundError`, `PreconditionFailedError`, and `ConflictError` where it is in use. With
        `force` it goes all the same: participants that have it can no longer join until they get another;
        peers that joined with it keep it until they leave."""

        async def work(uow: UnitOfWork) -> PresetRecord:
            record = await _load(uow, organization_id, preset_id)
            check_version("preset", record.version, if_version)
            if not force:
                await _check_unused(
                    uow,
                    record,
                    "removed: who has it could not join any more. Give them another one, or send force=true.",
                )
            await uow.presets.remove(record)
            return record

        record = await committed(self._units, work)
        await self._live.preset_changed(organization_id, record.name)
        return record


async def _load(uow: UnitOfWork, organization_id: str, preset_id: str) -> PresetRecord:
    record = await uow.presets.get(organization_id, preset_id)
    if record is None:
        raise NotFoundError.of("preset", preset_id)
    return record


async def _check_plan(
    uow: UnitOfWork, organization_id: str, preset: Preset, before: Preset | None = None
) -> None:
    kind = preset.permissions.waiting_room_type
    if kind is not WaitingRoomType.SKIP and (before is None or before.permissions.waiting_room_type != kind):
        await check_feature(uow, organization_id, Feature.WAITING_ROOM)


async def _check_unused(uow: UnitOfWork, record: PresetRecord, undone: str) -> None:
    """Raises `ConflictError`. `undone`: what is not done for it, and what to do instead."""
    use = str(await uow.presets.use_of(record.organization_id, record.name))
    if use:
        raise ConflictError(f"The preset {record.name!r} is in use ({use}), so it is not {undone}")
