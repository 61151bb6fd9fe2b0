"""Who was in a session, and when."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, String, Table

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference

attendances: Final = Table(
    "attendances",
    metadata,
    identifier("peer_id", primary_key=True),
    reference("session_id", "sessions.id"),
    identifier("participant_id"),
    Column("name", String(128), nullable=False),
    Column("preset_name", String(128), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime),
    Column("leave_reason", String(64)),
    Index(None, "session_id", "joined_at"),
)
"""Outlives its participant, so there is no foreign key to it."""
