"""What organizations and units say of how sessions are run, and what sessions were started with."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Column, ForeignKey, String, Table

from signaling.store.tables.columns import identifier, metadata, reference, times, version

configurations: Final = Table(
    "configurations",
    metadata,
    Column(
        "organization_id", String(64), ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    ),
    identifier("owner_id", primary_key=True),
    Column("said", JSON, nullable=False),
    Column("locked", JSON, nullable=False),
    *times(),
    version(),
)
"""`owner_id` is the organization's id, or that of one of its units."""

session_configurations: Final = Table(
    "session_configurations",
    metadata,
    Column("session_id", String(64), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("configuration", JSON, nullable=False),
)
"""Written once, when a session starts. A table of its own: lists of sessions do not read it."""
