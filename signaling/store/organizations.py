"""Organizations and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signaling.domain.organization import ApiKey, Organization
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import api_keys, organizations

_GET = select(organizations).where(organizations.c.id == bindparam("organization"))
_KEY = select(api_keys).where(api_keys.c.key_hash == bindparam("hash"))
_KEYS = (
    select(api_keys)
    .where(api_keys.c.organization_id == bindparam("organization"))
    .order_by(api_keys.c.created_at, api_keys.c.id)
)


class SqlOrganizations:
    def __init__(self, db: AsyncConnection) -> None:
        self._db = db

    async def get(self, organization_id: str) -> Organization | None:
        row = (await self._db.execute(_GET, {"organization": organization_id})).first()
        return _organization(row) if row else None

    async def first(self) -> Organization | None:
        query = select(organizations).order_by(organizations.c.created_at, organizations.c.id).limit(1)
        row = (await self._db.execute(query)).first()
        return _organization(row) if row else None

    async def add(self, organization: Organization) -> None:
        statement = insert(organizations).values(values_of(organization))
        await insert_unique(self._db, statement, f"There is an organization {organization.id!r} already.")

    async def add_key(self, key: ApiKey) -> None:
        statement = insert(api_keys).values(values_of(key))
        await insert_unique(self._db, statement, "This key is known already, or its organization is not.")

    async def key(self, key_hash: str) -> ApiKey | None:
        row = (await self._db.execute(_KEY, {"hash": key_hash})).first()
        return ApiKey(**row._mapping) if row else None

    async def keys(self, organization_id: str) -> Sequence[ApiKey]:
        rows = await self._db.execute(_KEYS, {"organization": organization_id})
        return [ApiKey(**row._mapping) for row in rows]


def _organization(row: Row[Any]) -> Organization:
    return Organization(**row._mapping)
