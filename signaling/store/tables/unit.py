"""Units of organizations."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table

from signaling.store.tables.columns import identifier, metadata, reference, times, version

units: Final = Table(
    "units",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("parent_id", String(64), ForeignKey("units.id")),
    Column("path", String(600), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", String(2048)),
    Column("logo_url", String(2048)),
    Column("admin", String(320)),
    *times(),
    version(),
    Index(None, "organization_id", "path"),
    Index("ix_units_name", "organization_id", "name", "id"),
    Index(None, "parent_id"),
)
"""`path`: the ids from the top to the unit itself, with a slash after each. One that has others below it
cannot be removed."""
