"""What was measured of peers while they were in."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from signaling.store.tables.columns import UtcDateTime, identifier, metadata

peer_reports: Final = Table(
    "peer_reports",
    metadata,
    Column("peer_id", String(64), ForeignKey("attendances.peer_id", ondelete="CASCADE"), primary_key=True),
    identifier("organization_id"),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("report", LargeBinary, nullable=False),
)
"""A table of its own: lists of attendances do not read it. `report` is what `PeerReport.pack` gives, made
smaller; no query looks into it."""
