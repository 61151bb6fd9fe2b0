"""API keys in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from signaling.domain.organization import ApiKey, Organization


class ApiKeyRepository(Protocol):
    async def add(self, key: ApiKey) -> None:
        """Raises `ConflictError` for one that is known."""
        ...

    async def get(self, organization_id: str, key_id: str) -> ApiKey | None: ...
    async def save(self, key: ApiKey) -> None: ...
    async def by_hash(
        self, key_hash: str, organization_id: str | None
    ) -> tuple[ApiKey, Organization | None] | None:
        """The key, and the organization that it is sent for (None: its own) where that is there, in one look.
        Whether it may speak for that one was not asked."""
        ...

    async def has_platform(self, organization_id: str) -> bool:
        """Whether one of its keys, that is not revoked, is the platform's."""
        ...

    async def list(
        self, organization_id: str, *, within: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[ApiKey], int]:
        """A page of those that were not revoked, newest first, and the total; `within`: a unit, with all
        below it."""
        ...

    async def used(self, key_ids: Iterable[str], at: datetime) -> None: ...
