"""Accounts, memberships and logins in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from signaling.domain.organization import Organization
from signaling.domain.user import Login, Membership, PasswordToken, User


@dataclass(frozen=True, slots=True)
class LoginStanding:
    """A login with all that says what it is good for."""

    login: Login
    user: User
    organization: Organization
    memberships: Sequence[Membership]
    """The user's in the organization, in the one that it is an app of, and on the platform."""


class UserRepository(Protocol):
    async def get(self, user_id: str) -> User | None: ...
    async def by_email(self, email: str) -> User | None: ...
    async def add(self, user: User) -> None:
        """Raises `ConflictError` where the address has an account."""
        ...

    async def save(self, user: User) -> None: ...
    async def remove(self, user: User) -> None:
        """With memberships, logins and all."""
        ...

    async def membership(self, organization_id: str | None, user_id: str) -> Membership | None: ...
    async def memberships(self, user_id: str) -> Sequence[Membership]:
        """The oldest first."""
        ...

    async def add_membership(self, membership: Membership) -> None: ...
    async def save_membership(self, membership: Membership) -> None: ...
    async def remove_membership(self, membership: Membership) -> None: ...
    async def count_members(self, organization_id: str) -> int: ...
    async def members(
        self,
        organization_id: str | None,
        *,
        within: str | None = None,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[tuple[User, Membership]], int]:
        """A page of an organization's (None: the platform's), newest first, and the total; `within`: of a
        unit and below."""
        ...


class LoginRepository(Protocol):
    async def get(self, login_id: str) -> Login | None: ...
    async def add(self, login: Login) -> None: ...
    async def save(self, login: Login) -> None: ...
    async def remove(self, login_id: str) -> None: ...
    async def of_user(self, user_id: str) -> Sequence[Login]:
        """The oldest first."""
        ...

    async def remove_of_user(self, user_id: str, *, but: str | None = None) -> None: ...
    async def standing(self, login_id: str) -> LoginStanding | None:
        """In one look."""
        ...

    async def set_password_token(self, token: PasswordToken) -> None:
        """In place of an earlier one of the same account."""
        ...

    async def take_password_token(self, token_hash: str) -> PasswordToken | None:
        """It is gone then."""
        ...
