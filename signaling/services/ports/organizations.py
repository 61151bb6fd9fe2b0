"""Organizations and apps in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from signaling.domain.organization import ApiKey, Organization


@dataclass(frozen=True, slots=True)
class Place:
    """How far the emptying of an organization is: in which step, and after which row of it."""

    step: int
    after: tuple[datetime, str] | None = None


FRONT: Final = Place(0)


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
        """It is deleted: nobody gets in any more, and what it left is to be emptied."""
        ...

    async def unemptied(self, settled: datetime) -> Sequence[str]:
        """The ids of those that were deleted until then and left what is not noted to be empty, the first
        deleted first; not where sessions run, for these write names until they end."""
        ...

    async def empty(
        self, organization_id: str, place: Place, now: datetime, *, settled: datetime, limit: int
    ) -> Place | None:
        """Removes so many rows at most of what it left, but for what usage is counted from, and says from
        where to go on; None: nothing is left, which is noted where it was deleted until `settled`: nobody
        writes for it any more. The unit does nothing else."""
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
