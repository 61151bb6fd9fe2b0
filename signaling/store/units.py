"""Units. The path is kept as text with a slash after each id, so what is within one is found by its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, RowMapping, delete, func, insert, select, update

from signaling.domain.listing import Page
from signaling.domain.unit import Branch, Unit
from signaling.errors import ConflictError
from signaling.store.connection import Statements
from signaling.store.listing import Condition, Listing
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import meetings, units

_BELOW = "Something belongs to the unit still. Move or remove that first."


class SqlUnits:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, unit_id: str) -> Unit | None:
        query = select(units).where(units.c.organization_id == organization_id, units.c.id == unit_id)
        row = (await self._db.execute(query)).first()
        return _unit(row) if row else None

    async def add(self, unit: Unit) -> None:
        await insert_unique(
            self._db, insert(units).values(_values(unit)), f"There is a unit {unit.id!r} already."
        )

    async def save(self, unit: Unit) -> None:
        await self._db.execute(
            update(units)
            .where(units.c.organization_id == unit.organization_id, units.c.id == unit.id)
            .values(_values(unit))
        )

    async def remove(self, unit: Unit) -> None:
        """Raises `ConflictError` while meetings or other units belong to it."""
        if await self._db.scalar(select(meetings.c.id).where(_of_unit(unit)).limit(1)) is not None:
            raise ConflictError(_BELOW)
        mine = delete(units).where(units.c.organization_id == unit.organization_id, units.c.id == unit.id)
        await insert_unique(self._db, mine, _BELOW)

    async def count(self, organization_id: str) -> int:
        query = select(func.count()).select_from(units).where(units.c.organization_id == organization_id)
        return await self._db.scalar(query) or 0

    async def below(self, unit: Unit) -> Sequence[Unit]:
        found = await self.all(unit.organization_id, within=unit.id)
        return [one for one in found if one.id != unit.id]

    async def all(self, organization_id: str, *, within: str | None = None) -> Sequence[Unit]:
        rows = await self._db.execute(
            select(units).where(*_of(organization_id, within)).order_by(units.c.path)
        )
        return [_unit(row) for row in rows]

    async def list(
        self,
        organization_id: str,
        *,
        within: str | None = None,
        parent_id: str | None = None,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Unit], int]:
        where: list[Condition] = _of(organization_id, within)
        if parent_id:
            where.append(units.c.parent_id == parent_id)
        if search:
            where.append(units.c.name.icontains(search, autoescape=True))
        listing = Listing(units, units.c.id, _read)
        return await listing.page(self._db, where, units.c.name, Page(offset, limit), descending=False)


def _of_unit(unit: Unit) -> ColumnElement[bool]:
    """Meetings that are there."""
    return (
        (meetings.c.organization_id == unit.organization_id)
        & (meetings.c.unit_id == unit.id)
        & meetings.c.deleted_at.is_(None)
    )


def within_unit(unit_id: ColumnElement[Any], organization_id: str, top: str) -> ColumnElement[bool]:
    """Whether a column names the unit `top` or one below it."""
    return unit_id.in_(select(units.c.id).where(*_of(organization_id, top)))


def in_branch(unit_id: ColumnElement[Any], organization_id: str, branch: Branch) -> ColumnElement[bool]:
    """Whether a column names a unit of the branch."""
    if branch.alone:
        return unit_id == branch.unit_id
    return within_unit(unit_id, organization_id, branch.unit_id)


def _of(organization_id: str, within: str | None) -> list[ColumnElement[bool]]:
    conditions = [units.c.organization_id == organization_id]
    if within is not None:
        conditions.append(units.c.path.contains(within + "/", autoescape=True))
    return conditions


def _values(unit: Unit) -> dict[str, Any]:
    return values_of(unit) | {"path": "".join(f"{one}/" for one in unit.path), "parent_id": unit.parent_id}


def _unit(row: Row[Any]) -> Unit:
    return _read(row._mapping)


def _read(values: Mapping[str, Any] | RowMapping) -> Unit:
    columns = {**values}
    del columns["parent_id"]
    return Unit(**columns | {"path": tuple(columns["path"].split("/")[:-1])})
