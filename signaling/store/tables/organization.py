"""Organizations, and the API keys that speak for them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, String, Table

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference, times

organizations: Final = Table(
    "organizations",
    metadata,
    identifier(primary_key=True),
    Column("name", String(255), nullable=False),
    *times(),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "organization_id"),
)
