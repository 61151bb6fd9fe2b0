"""Who was in a session, and when."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Index, String, Table, Text, true

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference

attendances: Final = Table(
    "attendances",
    metadata,
    identifier("peer_id", primary_key=True),
    reference("session_id", "sessions.id"),
    identifier("organization_id"),
    identifier("meeting_id"),
    identifier("participant_id"),
    Column("custom_participant_id", String(255)),
    Column("name", String(128), nullable=False),
    Column("preset_name", String(128), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime),
    Column("leave_reason", String(64)),
    Column("view_type", String(16)),
    Column("device", String(16)),
    Column("sdk", String(64)),
    Column("user_agent", String(512)),
    Column("address", String(64)),
    Column("context", Text),
    Column("context_hash", String(64)),
    Column("counted", Boolean, nullable=False, server_default=true()),
    Column("events", JSON(none_as_null=True)),
    Index("ix_attendances_session", "session_id", "joined_at", "peer_id"),
    Index("ix_attendances_joined", "organization_id", "joined_at", "peer_id"),
    Index("ix_attendances_updated", "organization_id", "updated_at", "peer_id"),
    Index("ix_attendances_left", "organization_id", "left_at", "peer_id"),
    Index("ix_attendances_context", "organization_id", "context_hash", "joined_at", "peer_id"),
    Index("ix_attendances_participant", "organization_id", "participant_id", "session_id"),
    Index("ix_attendances_custom", "organization_id", "custom_participant_id", "session_id"),
)
"""Outlives its participant, so there is no foreign key to it; organization and meeting go with its session. A
context is too long for an index, so the index is of its hash. What is in `events` says
`signaling.store.attendances`."""
