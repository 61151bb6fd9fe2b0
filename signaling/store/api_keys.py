"""API keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update

from signaling.domain.listing import Page
from signaling.domain.organization import ApiKey, Organization
from signaling.store.connection import Statements
from signaling.store.listing import Listing
from signaling.store.prepared import Prepared
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import api_keys, organizations
from signaling.store.tenants import labelled, read_key, read_organization
from signaling.store.units import within_unit

_BY_HASH: Final = Prepared(
    select(*labelled(api_keys, "k_"), *labelled(organizations, "o_"))
    .outerjoin(
        organizations,
        organizations.c.id == func.coalesce(bindparam("organization"), api_keys.c.organization_id),
    )
    .where(api_keys.c.key_hash == bindparam("hash"))
)
_KEY_NAMES, _ORGANIZATION_NAMES = tuple(api_keys.c.keys()), tuple(organizations.c.keys())


class SqlApiKeys:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def add(self, key: ApiKey) -> None:
        statement = insert(api_keys).values(_values(key))
        await insert_unique(self._db, statement, "This key is known already, or its organization is not.")

    async def get(self, organization_id: str, key_id: str) -> ApiKey | None:
        query = select(api_keys).where(api_keys.c.organization_id == organization_id, api_keys.c.id == key_id)
        row = (await self._db.execute(query)).first()
        return read_key(row._mapping) if row else None

    async def save(self, key: ApiKey) -> None:
        await self._db.execute(
            update(api_keys)
            .where(api_keys.c.organization_id == key.organization_id, api_keys.c.id == key.id)
            .values(_values(key))
        )

    async def by_hash(
        self, key_hash: str, organization_id: str | None
    ) -> tuple[ApiKey, Organization | None] | None:
        wanted = {"hash": key_hash, "organization": organization_id}
        rows = await self._db.rows(_BY_HASH, wanted)
        if not rows:
            return None
        values = iter(rows[0])
        key, organization = (
            {name: next(values) for name in names} for names in (_KEY_NAMES, _ORGANIZATION_NAMES)
        )
        return read_key(key), read_organization(organization) if organization["id"] is not None else None

    async def has_platform(self, organization_id: str) -> bool:
        mine = api_keys.c.organization_id == organization_id, api_keys.c.revoked_at.is_(None)
        query = select(api_keys.c.id).where(*mine, api_keys.c.platform).limit(1)
        return await self._db.scalar(query) is not None

    async def list(
        self, organization_id: str, *, within: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[ApiKey], int]:
        where = [api_keys.c.organization_id == organization_id, api_keys.c.revoked_at.is_(None)]
        if within is not None:
            where.append(within_unit(api_keys.c.unit_id, organization_id, within))
        listing = Listing(api_keys, api_keys.c.id, read_key)
        return await listing.page(self._db, where, api_keys.c.created_at, Page(offset, limit))

    async def used(self, key_ids: Iterable[str], at: datetime) -> None:
        await self._db.execute(
            update(api_keys).where(api_keys.c.id.in_(list(key_ids))).values(last_used_at=at)
        )


def _values(key: ApiKey) -> dict[str, Any]:
    return values_of(key) | {"scopes": None if key.scopes is None else sorted(key.scopes)}
