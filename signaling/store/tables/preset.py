"""Presets."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Column, Index, String, Table, UniqueConstraint

from signaling.store.tables.columns import identifier, metadata, reference, times, version

presets: Final = Table(
    "presets",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("name", String(128), nullable=False),
    Column("preset", JSON, nullable=False),
    *times(),
    version(),
    UniqueConstraint("organization_id", "name"),
    Index("ix_presets_created", "organization_id", "created_at", "id"),
)
