"""Keys that sign webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from signaling.domain.webhook_key import StoredWebhookKeys
from signaling.store.connection import Statements
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import webhook_key_pairs as pairs


class SqlWebhookKeys:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def all(self) -> Sequence[StoredWebhookKeys]:
        rows = await self._db.execute(select(pairs).order_by(pairs.c.active_from, pairs.c.id))
        return [StoredWebhookKeys(**row._mapping) for row in rows]

    async def add(self, keys: StoredWebhookKeys) -> None:
        await insert_unique(self._db, insert(pairs), "There are such keys already.", values_of(keys))

    async def remove(self, pair_id: str) -> None:
        await self._db.execute(delete(pairs).where(pairs.c.id == pair_id))
