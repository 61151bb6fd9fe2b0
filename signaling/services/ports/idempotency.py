"""Answers in the store, by idempotency key."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from signaling.domain.idempotency import MadeBefore


class IdempotencyRepository(Protocol):
    async def get(self, organization_id: str, key: str) -> MadeBefore | None: ...
    async def add(self, made: MadeBefore) -> None:
        """Raises `ConflictError` where the organization has the key."""
        ...

    async def remove(self, organization_id: str, key: str) -> None: ...
    async def forget(self, *, before: datetime, keep: int) -> None:
        """Those made before that time, and of each organization all but the newest `keep` (and those that
        are as old as the last of these)."""
        ...
