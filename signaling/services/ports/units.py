"""Units in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.unit import Unit


class UnitRepository(Protocol):
    async def get(self, organization_id: str, unit_id: str) -> Unit | None: ...
    async def add(self, unit: Unit) -> None: ...
    async def save(self, unit: Unit) -> None: ...
    async def remove(self, unit: Unit) -> None: ...
    async def count(self, organization_id: str) -> int: ...
    async def below(self, unit: Unit) -> Sequence[Unit]:
        """All that lie below it, without itself."""
        ...

    async def all(self, organization_id: str, *, within: str | None = None) -> Sequence[Unit]:
        """`within`: a unit, and what is below it."""
        ...

    async def list(
        self,
        organization_id: str,
        *,
        within: str | None = None,
        parent_id: str | None = None,
        search: str | None = None,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Unit], int]:
        """A page by name, and the total; `parent_id`: those right below that one."""
        ...
