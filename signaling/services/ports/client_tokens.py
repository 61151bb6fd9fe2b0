"""Client tokens: signed, and whose are void before their time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from signaling.domain.client_token import Action, ClientGrant, IssuedToken


class ClientTokens(Protocol):
    def issue(self, grant: ClientGrant) -> IssuedToken: ...

    def verify(self, token: str, action: Action) -> ClientGrant:
        """Raises `InvalidTokenError`, also for a token of another action."""
        ...


class RevokedSubjectRepository(Protocol):
    async def add(self, organization_id: str, subject: str, revoked_at: datetime) -> None:
        """Once more does no harm."""
        ...

    async def has(self, organization_id: str, subject: str) -> bool: ...
    async def forget(self, *, before: datetime) -> None: ...
