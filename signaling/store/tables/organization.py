"""Organizations and the apps below them, and the API keys that speak for either."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, false, text

from signaling.store.tables.columns import (
    UtcDateTime,
    identifier,
    metadata,
    optional_reference,
    reference,
    times,
)

_UNEMPTIED: Final = text("deleted_at IS NOT NULL AND emptied_at IS NULL")

organizations: Final = Table(
    "organizations",
    metadata,
    identifier(primary_key=True),
    Column("name", String(255), nullable=False),
    *times(),
    optional_reference("parent_id", "organizations.id"),
    Column("contact", String(320)),
    Column("website", String(2048)),
    Column("logo_url", String(2048)),
    Column("preferred_region", String(32)),
    Column("plan", String(32), nullable=False, server_default="unlimited"),
    Column("feature_flags", JSON, nullable=False, server_default="[]"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("deleted_at", UtcDateTime),
    Column("emptied_at", UtcDateTime),
    Index("ix_organizations_created", "parent_id", "created_at", "id"),
    Index(None, "name"),
    Index("ix_organizations_unemptied", "deleted_at", sqlite_where=_UNEMPTIED, postgresql_where=_UNEMPTIED),
)
"""Of one that was deleted, `emptied_at` is when nothing was left but what its usage is counted from."""

api_keys: Final = Table(
    "api_keys",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("name", String(128), nullable=False, server_default=""),
    Column("prefix", String(16), nullable=False, server_default=""),
    Column("scopes", JSON(none_as_null=True)),
    optional_reference("unit_id", "units.id"),
    Column("platform", Boolean, nullable=False, server_default=false()),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Index("ix_api_keys_created", "organization_id", "created_at", "id"),
    Index(None, "unit_id"),
)
"""A key that is limited to a unit goes with it: without the limit it would be good for more."""
