"""Sessions."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, Index, Integer, String, Table, text

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference, times

UNARCHIVED: Final = text("archived_at IS NULL AND started_at IS NOT NULL AND ended_at IS NOT NULL")
"""Of sessions that are over, and that somebody was in."""

sessions: Final = Table(
    "sessions",
    metadata,
    identifier(primary_key=True),
    reference("meeting_id", "meetings.id"),
    reference("organization_id", "organizations.id"),
    Column("status", String(16), nullable=False),
    *times(),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("end_reason", String(64)),
    Column("max_concurrent_participants", Integer, nullable=False),
    Column("server_id", String(64)),
    Column("meeting_title", String(512)),
    Column("unit_id", String(64)),
    Column("seconds_consumed", Float, nullable=False, server_default="0"),
    Column("archived_at", UtcDateTime),
    Index(
        "uq_sessions_active",
        "meeting_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_sessions_created", "organization_id", "created_at", "id"),
    Index("ix_sessions_updated", "organization_id", "updated_at", "id"),
    Index("ix_sessions_ended", "organization_id", "ended_at", "id"),
    Index("ix_sessions_consumed", "organization_id", "seconds_consumed", "id"),
    Index("ix_sessions_unit", "organization_id", "unit_id", "created_at", "id"),
    Index("ix_sessions_status", "organization_id", "status", "created_at", "id"),
    Index("ix_sessions_meeting", "organization_id", "meeting_id", "created_at", "id"),
    Index(
        "ix_sessions_live",
        "organization_id",
        "created_at",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_sessions_unarchived", "ended_at", "id", sqlite_where=UNARCHIVED, postgresql_where=UNARCHIVED),
)
"""A meeting has at most one session that has not ended. `server_id` outlives its server, so there is no
foreign key to it."""
