"""Subjects whose tokens are void before their time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from signaling.store.connection import Statements
from signaling.store.tables import revoked_subjects as revoked

_THIS = (
    revoked.c.organization_id == bindparam("organization"),
    revoked.c.subject == bindparam("wanted"),
)
_HAS = select(revoked.c.subject).where(*_THIS)
_AGAIN = update(revoked).where(*_THIS).values(revoked_at=bindparam("at"))


class SqlRevokedSubjects:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def add(self, organization_id: str, subject: str, revoked_at: datetime) -> None:
        this = {"organization": organization_id, "wanted": subject}
        if (await self._db.execute(_AGAIN, this | {"at": revoked_at})).rowcount == 0:
            row = {"organization_id": organization_id, "subject": subject, "revoked_at": revoked_at}
            await self._db.execute(insert(revoked), row)

    async def has(self, organization_id: str, subject: str) -> bool:
        this = {"organization": organization_id, "wanted": subject}
        return (await self._db.execute(_HAS, this)).first() is not None

    async def forget(self, *, before: datetime) -> None:
        await self._db.execute(delete(revoked).where(revoked.c.revoked_at < before))
