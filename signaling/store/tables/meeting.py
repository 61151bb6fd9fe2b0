"""Meetings."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Column, Index, Integer, String, Table, text

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference, times, version

meetings: Final = Table(
    "meetings",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("title", String(512)),
    Column("status", String(16), nullable=False),
    Column("preferred_region", String(32)),
    Column("unit_id", String(64)),
    Column("unique_name", String(255)),
    Column("short", String(16)),
    Column("list_policy", String(16), nullable=False, server_default="SHARED"),
    Column("join_password_hash", String(255)),
    Column("webhook_event_url", String(4096)),
    Column("webhook_event_failover_url", String(4096)),
    Column("webhook_timeout_secs", Integer),
    Column("configuration", JSON(), nullable=False, server_default="{}"),
    Column("deleted_at", UtcDateTime),
    *times(),
    version(),
    Index("ix_meetings_created", "organization_id", "created_at", "id"),
    Index("ix_meetings_unit", "organization_id", "unit_id", "created_at", "id"),
    Index("uq_meetings_short", "short", unique=True),
    Index(
        "uq_meetings_unique_name",
        "organization_id",
        "unique_name",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)
"""A deleted meeting stays, with its sessions; its unique name is free again."""
