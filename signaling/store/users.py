"""Accounts and memberships."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from signaling.domain.listing import Page
from signaling.domain.user import Membership, User
from signaling.store.connection import Statements
from signaling.store.listing import Condition, Listing
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import memberships, users
from signaling.store.units import within_unit

_TAKEN = "This address has an account already."
_MEMBER = "They are a member of this organization already."


class SqlUsers:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, user_id: str) -> User | None:
        row = (await self._db.execute(select(users).where(users.c.id == user_id))).first()
        return User(**row._mapping) if row else None

    async def by_email(self, email: str) -> User | None:
        row = (await self._db.execute(select(users).where(users.c.email == email))).first()
        return User(**row._mapping) if row else None

    async def add(self, user: User) -> None:
        await insert_unique(self._db, insert(users).values(values_of(user)), _TAKEN)

    async def save(self, user: User) -> None:
        statement = update(users).where(users.c.id == user.id).values(values_of(user))
        await insert_unique(self._db, statement, _TAKEN)

    async def remove(self, user: User) -> None:
        await self._db.execute(delete(users).where(users.c.id == user.id))

    # --- memberships ---

    async def membership(self, organization_id: str | None, user_id: str) -> Membership | None:
        row = (
            await self._db.execute(
                select(memberships).where(memberships.c.user_id == user_id, _in(organization_id))
            )
        ).first()
        return Membership(**row._mapping) if row else None

    async def memberships(self, user_id: str) -> Sequence[Membership]:
        query = (
            select(memberships)
            .where(memberships.c.user_id == user_id)
            .order_by(memberships.c.created_at, memberships.c.id)
        )
        return [Membership(**row._mapping) for row in await self._db.execute(query)]

    async def add_membership(self, membership: Membership) -> None:
        await insert_unique(self._db, insert(memberships).values(values_of(membership)), _MEMBER)

    async def save_membership(self, membership: Membership) -> None:
        await self._db.execute(
            update(memberships).where(memberships.c.id == membership.id).values(values_of(membership))
        )

    async def remove_membership(self, membership: Membership) -> None:
        await self._db.execute(delete(memberships).where(memberships.c.id == membership.id))

    async def count_members(self, organization_id: str) -> int:
        query = (
            select(func.count())
            .select_from(memberships)
            .where(memberships.c.organization_id == organization_id)
        )
        return await self._db.scalar(query) or 0

    async def members(
        self,
        organization_id: str | None,
        *,
        within: str | None = None,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[tuple[User, Membership]], int]:
        where: list[Condition] = [_in(organization_id)]
        if within is not None and organization_id is not None:
            where.append(within_unit(memberships.c.unit_id, organization_id, within))
        if search:
            named = or_(
                users.c.name.icontains(search, autoescape=True),
                users.c.email.icontains(search, autoescape=True),
            )
            where.append(exists().where(users.c.id == memberships.c.user_id, named).correlate(memberships))
        listing = Listing(memberships, memberships.c.id, lambda row: Membership(**row))
        found, total = await listing.page(self._db, where, memberships.c.created_at, Page(offset, limit))
        named_by = select(users).where(users.c.id.in_([one.user_id for one in found]))
        accounts = {row.id: User(**row._mapping) for row in await self._db.execute(named_by)}
        return [(accounts[one.user_id], one) for one in found], total


def _in(organization_id: str | None) -> ColumnElement[bool]:
    """None: on the platform."""
    if organization_id is None:
        return memberships.c.organization_id.is_(None)
    return memberships.c.organization_id == organization_id
