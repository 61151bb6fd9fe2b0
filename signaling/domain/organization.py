"""The tenant, the apps below it, and the keys that speak for them.

An app is one environment (production, staging, ...) of an organization. It is a tenant like the organization:
it has meetings, presets, webhooks and keys of its own, and nothing of one is seen from another. What makes it
an app is its `parent_id`. The organization itself is its default app.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signaling.domain.plan import DEFAULT_PLAN, PlanName
from signaling.domain.region import Region
from signaling.domain.version import FIRST


@dataclass(frozen=True, slots=True)
class Organization:
    """Owns meetings, presets and keys; nothing of one organization is visible to another."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    parent_id: str | None = None
    """Of an app: its organization."""
    contact: str | None = None
    website: str | None = None
    logo_url: str | None = None
    preferred_region: Region | None = None
    plan: PlanName = DEFAULT_PLAN
    """Of an app: always its organization's, and so are the flags."""
    feature_flags: tuple[str, ...] = ()
    """What it has besides what its plan has, and what it has not: see `signaling.domain.plan`."""
    version: int = FIRST
    deleted_at: datetime | None = None

    @property
    def account_id(self) -> str:
        """The organization that this is or belongs to."""
        return self.parent_id or self.id


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an organization or app. Only the hash is kept; the key itself is shown once."""

    id: str
    organization_id: str
    key_hash: str
    created_at: datetime
    name: str = ""
    prefix: str = ""
    """How the key begins, so that people can tell which one it is."""
    scopes: frozenset[str] | None = None
    """None: whatever can be done in the organization."""
    unit_id: str | None = None
    """Only for what belongs to this unit and those below it."""
    platform: bool = False
    """May act on every organization."""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    """To within some minutes."""

    def holds(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
