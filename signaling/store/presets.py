"""Presets. The name is a column of its own, for it is looked up and unique; the rest is JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Column,
    Row,
    RowMapping,
    Select,
    Table,
    bindparam,
    delete,
    distinct,
    func,
    insert,
    or_,
    select,
    update,
)

from signaling.domain.listing import Page
from signaling.domain.preset import Preset, PresetRecord
from signaling.domain.preset_use import DEFAULTS, PresetUse
from signaling.store.connection import Statements
from signaling.store.listing import Condition, Listing, matching
from signaling.store.prepared import Prepared
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import configurations, meetings, participants, presets

MAX_SHARED: Final = 256
"""Presets of which one copy is kept for the next who reads the same."""

_NAMED: Final = (
    presets.c.organization_id == bindparam("organization"),
    presets.c.name == bindparam("preset"),
)
_BY_NAME: Final = Prepared(select(presets).where(*_NAMED))
_HAS: Final = Prepared(select(presets.c.id).where(*_NAMED))
_NAMES: Final = tuple(presets.c.keys())
_IN_MEETINGS: Final = select(
    func.count(), func.count(distinct(meetings.c.id)), func.min(meetings.c.id)
).select_from(participants.join(meetings, participants.c.meeting_id == meetings.c.id))


class SqlPresets:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, preset_id: str) -> PresetRecord | None:
        query = select(presets).where(presets.c.organization_id == organization_id, presets.c.id == preset_id)
        row = (await self._db.execute(query)).first()
        return _record(row) if row else None

    async def by_name(self, organization_id: str, name: str) -> PresetRecord | None:
        wanted = {"organization": organization_id, "preset": name}
        rows = await self._db.rows(_BY_NAME, wanted)
        return read_preset(dict(zip(_NAMES, rows[0], strict=True))) if rows else None

    async def has(self, organization_id: str, name: str) -> bool:
        wanted = {"organization": organization_id, "preset": name}
        return bool(await self._db.rows(_HAS, wanted))

    async def add(self, preset: PresetRecord) -> None:
        await insert_unique(self._db, insert(presets).values(_values(preset)), _taken(preset))

    async def save(self, preset: PresetRecord) -> None:
        statement = (
            update(presets)
            .where(presets.c.organization_id == preset.organization_id, presets.c.id == preset.id)
            .values(_values(preset))
        )
        await insert_unique(self._db, statement, _taken(preset))

    async def remove(self, preset: PresetRecord) -> None:
        await self._db.execute(
            delete(presets).where(
                presets.c.organization_id == preset.organization_id, presets.c.id == preset.id
            )
        )

    async def use_of(self, organization_id: str, name: str) -> PresetUse:
        having, there = (
            _IN_MEETINGS.where(participants.c.preset_name == name),
            meetings.c.deleted_at.is_(None),
        )
        counted = having.where(participants.c.organization_id == organization_id, there)
        people, of_meetings, one = (await self._db.execute(counted)).one()
        defaulting = _count(meetings, organization_id, meetings.c.configuration, name).where(there)
        levels = _count(configurations, organization_id, configurations.c.said, name)
        return PresetUse(
            participants=people,
            meetings=of_meetings,
            meeting_id=one,
            defaulting_meetings=await self._db.scalar(defaulting) or 0,
            levels=await self._db.scalar(levels) or 0,
        )

    async def list(
        self, organization_id: str, *, search: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[PresetRecord], int]:
        where: list[Condition] = [presets.c.organization_id == organization_id]
        if search:
            where.append(matching(search, part_of=presets.c.name, equal_to=(presets.c.id,)))
        listing = Listing(presets, presets.c.id, read_preset)
        return await listing.page(self._db, where, presets.c.created_at, Page(offset, limit))


def _count(table: Table, organization_id: str, said: Column[Any], name: str) -> Select[int]:
    """Of what says that it is the preset of those who come without one."""
    named = or_(*(said[key].as_string() == name for key in DEFAULTS))
    return select(func.count()).select_from(table).where(table.c.organization_id == organization_id, named)


def _taken(preset: PresetRecord) -> str:
    return f"There is a preset named {preset.name!r} already. Choose another name or change that one."


def _values(preset: PresetRecord) -> dict[str, Any]:
    return values_of(preset) | {"name": preset.name}


def _record(row: Row[Any]) -> PresetRecord:
    return read_preset(row._mapping)


def read_preset(values: Mapping[str, Any] | RowMapping) -> PresetRecord:
    columns = {**values, "preset": _parse(json.dumps(values["preset"]))}
    del columns["name"]
    return PresetRecord(**columns)


@lru_cache(maxsize=MAX_SHARED)
def _parse(text: str) -> Preset:
    """Whoever has the same preset shares it: everybody in a session keeps theirs, and one takes 15 KiB."""
    return Preset.model_validate(json.loads(text))
