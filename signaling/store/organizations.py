"""Organizations and apps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, exists, insert, select, update

from signaling.domain.listing import Page
from signaling.domain.organization import ApiKey, Organization
from signaling.services.ports.organizations import Place
from signaling.store.api_keys import SqlApiKeys
from signaling.store.connection import Statements
from signaling.store.dissolution import dissolve, empty
from signaling.store.listing import Condition, Listing, matching
from signaling.store.prepared import Prepared
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import api_keys, organizations, sessions
from signaling.store.tenants import read_key, read_organization

_THERE = organizations.c.deleted_at.is_(None)
_GET: Final = Prepared(select(organizations).where(organizations.c.id == bindparam("organization"), _THERE))
_NAMES: Final = tuple(organizations.c.keys())
_KEY = select(api_keys).where(api_keys.c.key_hash == bindparam("hash"))
_KEYS = (
    select(api_keys)
    .where(api_keys.c.organization_id == bindparam("organization"))
    .order_by(api_keys.c.created_at, api_keys.c.id)
)


class SqlOrganizations:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str) -> Organization | None:
        rows = await self._db.rows(_GET, {"organization": organization_id})
        return read_organization(dict(zip(_NAMES, rows[0], strict=True))) if rows else None

    async def first(self) -> Organization | None:
        query = select(organizations).where(_THERE, organizations.c.parent_id.is_(None))
        oldest = query.order_by(organizations.c.created_at, organizations.c.id).limit(1)
        row = (await self._db.execute(oldest)).first()
        return read_organization(row._mapping) if row else None

    async def named(self, name: str, *, parent_id: str | None) -> Organization | None:
        query = select(organizations).where(organizations.c.name == name, _THERE)
        if parent_id is None:
            query = query.where(organizations.c.parent_id.is_(None))
        else:
            query = query.where(organizations.c.parent_id == parent_id)
        row = (await self._db.execute(query.limit(1))).first()
        return read_organization(row._mapping) if row else None

    async def add(self, organization: Organization) -> None:
        statement = insert(organizations).values(values_of(organization))
        await insert_unique(self._db, statement, f"There is an organization {organization.id!r} already.")

    async def save(self, organization: Organization) -> None:
        await self._db.execute(
            update(organizations).where(organizations.c.id == organization.id).values(values_of(organization))
        )

    async def dissolve(self, organization_id: str, now: datetime) -> None:
        await dissolve(self._db, organization_id, now)

    async def unemptied(self, settled: datetime) -> Sequence[str]:
        left = (organizations.c.deleted_at <= settled, organizations.c.emptied_at.is_(None))
        running = exists().where(
            sessions.c.organization_id == organizations.c.id, sessions.c.ended_at.is_(None)
        )
        query = select(organizations.c.id).where(*left, ~running).order_by(organizations.c.deleted_at)
        return list(await self._db.scalars(query))

    async def empty(
        self, organization_id: str, place: Place, now: datetime, *, settled: datetime, limit: int
    ) -> Place | None:
        return await empty(self._db, organization_id, place, now, settled=settled, limit=limit)

    async def list(
        self, *, search: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Organization], int]:
        where: list[Condition] = [organizations.c.parent_id.is_(None), _THERE]
        if search:
            where.append(matching(search, part_of=organizations.c.name, equal_to=(organizations.c.id,)))
        listing = Listing(organizations, organizations.c.id, read_organization)
        return await listing.page(self._db, where, organizations.c.created_at, Page(offset, limit))

    async def apps(self, parent_id: str) -> Sequence[Organization]:
        query = (
            select(organizations)
            .where(organizations.c.parent_id == parent_id, _THERE)
            .order_by(organizations.c.created_at, organizations.c.id)
        )
        return [_organization(row) for row in await self._db.execute(query)]

    async def add_key(self, key: ApiKey) -> None:
        await SqlApiKeys(self._db).add(key)

    async def key(self, key_hash: str) -> ApiKey | None:
        row = (await self._db.execute(_KEY, {"hash": key_hash})).first()
        return read_key(row._mapping) if row else None

    async def keys(self, organization_id: str) -> Sequence[ApiKey]:
        rows = await self._db.execute(_KEYS, {"organization": organization_id})
        return [read_key(row._mapping) for row in rows]


def _organization(row: Row[Any]) -> Organization:
    return read_organization(row._mapping)
