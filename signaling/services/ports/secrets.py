"""What is random, secret, or proves who somebody is. `auth` implements all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key: shown once as `text`; `prefix` and `digest` are kept."""

    text: str
    prefix: str
    digest: str

    def __repr__(self) -> str:
        return f"NewKey({self.prefix!r})"


class Secrets(Protocol):
    def new_key(self) -> NewKey: ...
    def new_token(self) -> str:
        """Nobody can guess it."""
        ...

    def digest(self, token: str) -> str:
        """What is kept of a token: 64 hexadecimal digits."""
        ...


class Passwords(Protocol):
    """What is slow here is so on purpose, and nobody else waits for it."""

    async def hash(self, password: str) -> str: ...
    async def matches(self, password: str, kept: str | None) -> bool:
        """As long for None, which nothing matches, as for any other."""
        ...

    def outdated(self, kept: str) -> bool:
        """Whether it would be hashed with other settings today."""
        ...


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "AccessToken(...)"


class AccessTokens(Protocol):
    """What a login asks with, for some minutes."""

    def issue(self, login_id: str, user_id: str, organization_id: str) -> AccessToken: ...

    def verify(self, token: str) -> str:
        """The login's id. Raises `signaling.errors.InvalidTokenError`."""
        ...
