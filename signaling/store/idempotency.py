"""Keys of requests that made something, with their answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from signaling.domain.idempotency import MadeBefore
from signaling.store.connection import Statements
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import idempotency_keys as keys

_THIS = (keys.c.organization_id == bindparam("organization"), keys.c.key == bindparam("wanted"))
_GET = select(keys).where(*_THIS)
_REMOVE = delete(keys).where(*_THIS)
_ADD = insert(keys)


class SqlIdempotency:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, key: str) -> MadeBefore | None:
        row = (await self._db.execute(_GET, {"organization": organization_id, "wanted": key})).first()
        return MadeBefore(**row._mapping) if row else None

    async def add(self, made: MadeBefore) -> None:
        await insert_unique(self._db, _ADD, "This Idempotency-Key is in use.", values_of(made))

    async def remove(self, organization_id: str, key: str) -> None:
        await self._db.execute(_REMOVE, {"organization": organization_id, "wanted": key})

    async def forget(self, *, before: datetime, keep: int) -> None:
        await self._db.execute(delete(keys).where(keys.c.created_at < before))
        counts = select(keys.c.organization_id).group_by(keys.c.organization_id).having(func.count() > keep)
        for organization_id in (await self._db.scalars(counts)).all():
            mine = keys.c.organization_id == organization_id
            newest = select(keys.c.created_at).where(mine).order_by(keys.c.created_at.desc())
            oldest_kept = await self._db.scalar(newest.offset(keep - 1).limit(1))
            await self._db.execute(delete(keys).where(mine, keys.c.created_at < oldest_kept))
