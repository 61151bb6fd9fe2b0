"""Participants."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, String, Table

from signaling.store.tables.columns import identifier, metadata, reference, times, version

participants: Final = Table(
    "participants",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    reference("meeting_id", "meetings.id"),
    Column("name", String(128), nullable=False),
    Column("custom_participant_id", String(255), nullable=False),
    Column("preset_name", String(128), nullable=False),
    Column("picture", String(4096)),
    Column("standing", String(16), nullable=False, server_default="registered"),
    Column("unit_id", String(64)),
    Column("password_mark", String(16)),
    *times(),
    version(),
    Index("ix_participants_created", "meeting_id", "created_at", "id"),
    Index("ix_participants_custom", "meeting_id", "custom_participant_id"),
    Index(None, "organization_id", "preset_name"),
)
