"""Logins, and the tokens with which passwords are set."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, or_, select, update

from signaling.domain.user import Login, Membership, PasswordToken, User
from signaling.services.ports.users import LoginStanding
from signaling.store.connection import Statements
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import logins, memberships, organizations, password_tokens, users
from signaling.store.tenants import labelled, read_organization, unlabelled

_STANDING = (
    select(
        *labelled(logins, "l_"),
        *labelled(users, "u_"),
        *labelled(organizations, "o_"),
        *labelled(memberships, "m_"),
    )
    .join(users, users.c.id == logins.c.user_id)
    .join(organizations, organizations.c.id == logins.c.organization_id)
    .outerjoin(
        memberships,
        (memberships.c.user_id == users.c.id)
        & or_(
            memberships.c.organization_id == organizations.c.id,
            memberships.c.organization_id == organizations.c.parent_id,
            memberships.c.organization_id.is_(None),
        ),
    )
    .where(logins.c.id == bindparam("login"))
)


class SqlLogins:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, login_id: str) -> Login | None:
        row = (await self._db.execute(select(logins).where(logins.c.id == login_id))).first()
        return Login(**row._mapping) if row else None

    async def add(self, login: Login) -> None:
        await insert_unique(
            self._db, insert(logins).values(values_of(login)), "There is such a login already."
        )

    async def save(self, login: Login) -> None:
        await self._db.execute(update(logins).where(logins.c.id == login.id).values(values_of(login)))

    async def remove(self, login_id: str) -> None:
        await self._db.execute(delete(logins).where(logins.c.id == login_id))

    async def of_user(self, user_id: str) -> Sequence[Login]:
        query = select(logins).where(logins.c.user_id == user_id).order_by(logins.c.created_at, logins.c.id)
        return [Login(**row._mapping) for row in await self._db.execute(query)]

    async def remove_of_user(self, user_id: str, *, but: str | None = None) -> None:
        statement = delete(logins).where(logins.c.user_id == user_id)
        if but is not None:
            statement = statement.where(logins.c.id != but)
        await self._db.execute(statement)

    async def standing(self, login_id: str) -> LoginStanding | None:
        rows = (await self._db.execute(_STANDING, {"login": login_id})).all()
        if not rows:
            return None
        first = rows[0]._mapping
        members = [unlabelled(row._mapping, "m_") for row in rows]
        return LoginStanding(
            Login(**unlabelled(first, "l_")),
            User(**unlabelled(first, "u_")),
            read_organization(unlabelled(first, "o_")),
            [Membership(**values) for values in members if values["id"] is not None],
        )

    async def set_password_token(self, token: PasswordToken) -> None:
        await self._db.execute(delete(password_tokens).where(password_tokens.c.user_id == token.user_id))
        await insert_unique(
            self._db, insert(password_tokens).values(values_of(token)), "There is such a token already."
        )

    async def take_password_token(self, token_hash: str) -> PasswordToken | None:
        mine = password_tokens.c.token_hash == token_hash
        row = (await self._db.execute(select(password_tokens).where(mine))).first()
        if row is None:
            return None
        await self._db.execute(delete(password_tokens).where(mine))
        return PasswordToken(**row._mapping)
