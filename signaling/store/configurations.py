"""Configuration of organizations and units, and snapshots of what sessions were started with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Row, bindparam, exists, insert, or_, select, update

from signaling.domain.configuration import ConfigurationRecord, EffectiveConfiguration
from signaling.store.connection import Statements
from signaling.store.meetings import read_configuration
from signaling.store.prepared import Prepared
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import configurations, organizations, session_configurations

_ADD_SNAPSHOT: Final = insert(session_configurations)
_NAMES: Final = tuple(configurations.c.keys())
_OWNER: Final = configurations.c.organization_id
_PARENT: Final = (
    select(organizations.c.parent_id).where(organizations.c.id == bindparam("organization")).scalar_subquery()
)
_OF_PARENT: Final = (_OWNER == _PARENT) & (configurations.c.owner_id == _OWNER)
_OF_ORGANIZATION: Final = Prepared(
    select(configurations).where(
        or_((bindparam("organization") == _OWNER) & (configurations.c.owner_id == _OWNER), _OF_PARENT)
    )
)
_WITH_UNITS: Final = select(configurations).where(
    or_(
        (bindparam("organization") == _OWNER)
        & configurations.c.owner_id.in_(bindparam("owners", expanding=True)),
        _OF_PARENT,
    )
)
"""Made once: each participant and each session that starts asks one of them."""
ANYTHING_SAID: Final = exists().where(or_(bindparam("organization") == _OWNER, _OWNER == _PARENT))
"""`anything_said` where the organization is given, which PostgreSQL finds by the index."""


def anything_said(organization: Column[str]) -> ColumnElement[bool]:
    """Whether the organization, its parent or one of its units says anything: mostly nobody does."""
    # By itself SQLAlchemy takes the table of the outer rows for another one two levels down: the parent would
    # be anybody's.
    parent = (
        select(organizations.c.parent_id)
        .where(organizations.c.id == organization)
        .correlate(organization.table)
        .scalar_subquery()
    )
    return exists().where(or_(organization == _OWNER, parent == _OWNER))


class SqlConfigurations:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, owner_id: str) -> ConfigurationRecord | None:
        query = select(configurations).where(
            configurations.c.organization_id == organization_id, configurations.c.owner_id == owner_id
        )
        row = (await self._db.execute(query)).first()
        return _record(row) if row else None

    async def chain(self, organization_id: str, unit_ids: Sequence[str]) -> Sequence[ConfigurationRecord]:
        owners, wanted = [organization_id, *unit_ids], {"organization": organization_id}
        if unit_ids:
            with_units = await self._db.execute(_WITH_UNITS, wanted | {"owners": owners})
            records = [_record(row) for row in with_units]
        else:
            rows = await self._db.rows(_OF_ORGANIZATION, wanted)
            records = [_read(dict(zip(_NAMES, row, strict=True))) for row in rows]
        found = {record.owner_id: record for record in records}
        above = [one for one in found.values() if one.organization_id != organization_id]
        return [*above, *(found[one] for one in owners if one in found)]

    async def add(self, record: ConfigurationRecord) -> None:
        complaint = f"The configuration of {record.owner_id!r} was set by somebody else just now."
        await insert_unique(self._db, insert(configurations).values(values_of(record)), complaint)

    async def save(self, record: ConfigurationRecord) -> None:
        await self._db.execute(
            update(configurations)
            .where(
                configurations.c.organization_id == record.organization_id,
                configurations.c.owner_id == record.owner_id,
            )
            .values(values_of(record))
        )

    async def add_snapshot(
        self, organization_id: str, session_id: str, snapshot: EffectiveConfiguration
    ) -> None:
        row = {
            "session_id": session_id,
            "organization_id": organization_id,
            "configuration": snapshot.to_dict(),
        }
        await self._db.execute(_ADD_SNAPSHOT, row)

    async def save_snapshot(self, session_id: str, snapshot: EffectiveConfiguration) -> None:
        await self._db.execute(
            update(session_configurations)
            .where(session_configurations.c.session_id == session_id)
            .values(configuration=snapshot.to_dict())
        )

    async def snapshot(self, organization_id: str, session_id: str) -> EffectiveConfiguration | None:
        query = select(session_configurations.c.configuration).where(
            session_configurations.c.organization_id == organization_id,
            session_configurations.c.session_id == session_id,
        )
        stored = await self._db.scalar(query)
        return None if stored is None else EffectiveConfiguration.from_dict(stored)


def _record(row: Row[Any]) -> ConfigurationRecord:
    return _read(dict(row._mapping))


def _read(values: dict[str, Any]) -> ConfigurationRecord:
    return ConfigurationRecord(
        **values | {"said": read_configuration(values["said"]), "locked": tuple(values["locked"])}
    )
