"""The tenant, and the keys that speak for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Organization:
    """Owns meetings, presets and keys; nothing of one organization is visible to another."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an organization. Only the hash is kept; the key itself is shown once."""

    id: str
    organization_id: str
    key_hash: str
    created_at: datetime
