"""Keys that sign tokens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from signaling.domain.signing_key import StoredKey
from signaling.store.connection import Statements
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import signing_keys as keys


class SqlSigningKeys:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def all(self) -> Sequence[StoredKey]:
        rows = await self._db.execute(select(keys).order_by(keys.c.active_from, keys.c.id))
        return [StoredKey(**row._mapping) for row in rows]

    async def add(self, key: StoredKey) -> None:
        await insert_unique(self._db, insert(keys), "There is such a key already.", values_of(key))

    async def lengthen(self, key_id: str, longest_token: int) -> None:
        await self._db.execute(update(keys).where(keys.c.id == key_id).values(longest_token=longest_token))

    async def remove(self, key_id: str) -> None:
        await self._db.execute(delete(keys).where(keys.c.id == key_id))
