"""Organizations and apps in the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from signaling.domain.organization import ApiKey, Organization


class OrganizationRepository(Protocol):
    async def get(self, organization_id: str) -> Organization | None: ...
    async def add(self, organization: Organization) -> None: ...
    async def save(self, organization: Organization) -> None: ...
    async def first(self) -> Organization | None:
        """The oldest organization that there is."""
        ...

    async def named(self, name: str, *, parent_id: str | None) -> Organization | None:
        """Of the organizations, or of the apps of one."""
        ...

    async def dissolve(self, organization_id: str, now: datetime) -> None:
        """It is deleted: what is its own is gone, but for what usage is counted from."""
        ...

    async def list(
        self, *, search: str | None = None, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Organization], int]:
        """A page of all organizations (no apps), newest first, and the total; `search` in name, or an id."""
        ...

    async def apps(self, parent_id: str) -> Sequence[Organization]:
        """The oldest first."""
        ...

    async def add_key(self, key: ApiKey) -> None: ...
    async def key(self, key_hash: str) -> ApiKey | None: ...
    async def keys(self, organization_id: str) -> Sequence[ApiKey]: ...
