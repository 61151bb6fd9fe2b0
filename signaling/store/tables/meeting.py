"""Meetings."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table

from signaling.store.tables.columns import identifier, metadata, reference, times, version

meetings: Final = Table(
    "meetings",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("title", String(512)),
    Column("status", String(16), nullable=False),
    Column("preferred_region", String(32)),
    Column("record_on_start", Boolean, nullable=False),
    Column("live_stream_on_start", Boolean, nullable=False),
    Column("persist_chat", Boolean, nullable=False),
    Column("summarize_on_end", Boolean, nullable=False),
    Column("session_keep_alive_time_in_secs", Integer, nullable=False),
    Column("recording_config", JSON(none_as_null=True)),
    Column("ai_config", JSON(none_as_null=True)),
    Column("loudest_audio", Integer),
    *times(),
    version(),
    Index(None, "organization_id", "created_at"),
)
