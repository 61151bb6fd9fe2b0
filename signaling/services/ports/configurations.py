"""Configuration in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.configuration import ConfigurationRecord, EffectiveConfiguration


class ConfigurationRepository(Protocol):
    async def get(self, organization_id: str, owner_id: str) -> ConfigurationRecord | None: ...
    async def chain(self, organization_id: str, unit_ids: Sequence[str]) -> Sequence[ConfigurationRecord]:
        """Of the organization that an app belongs to, of this one, and of units in their order; who says
        nothing is left out."""
        ...

    async def add(self, record: ConfigurationRecord) -> None:
        """Raises `ConflictError` where the owner has one."""
        ...

    async def save(self, record: ConfigurationRecord) -> None: ...
    async def add_snapshot(
        self, organization_id: str, session_id: str, snapshot: EffectiveConfiguration
    ) -> None: ...
    async def save_snapshot(self, session_id: str, snapshot: EffectiveConfiguration) -> None: ...
    async def snapshot(self, organization_id: str, session_id: str) -> EffectiveConfiguration | None: ...
