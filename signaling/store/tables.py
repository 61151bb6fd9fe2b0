"""The tables. Types are portable between SQLite and PostgreSQL; times are UTC.

What no query looks into (a preset, the recording settings of a meeting) is one JSON column, validated again
by the domain's model when it is read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in, an aware UTC time out, whether the database knows time zones or not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "naive times have no place in the store"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id(name: str = "id", **options: Any) -> Column[str]:
    return Column(name, String(64), nullable=False, **options)


def _reference(name: str, target: str) -> Column[str]:
    return Column(name, String(64), ForeignKey(target, ondelete="CASCADE"), nullable=False)


def _times() -> tuple[Column[datetime], Column[datetime]]:
    return (
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
    )


def _version() -> Column[int]:
    return Column("version", Integer, nullable=False, server_default="1")


organizations: Final = Table(
    "organizations",
    metadata,
    _id(primary_key=True),
    Column("name", String(255), nullable=False),
    *_times(),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    _id(primary_key=True),
    _reference("organization_id", "organizations.id"),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "organization_id"),
)

presets: Final = Table(
    "presets",
    metadata,
    _id(primary_key=True),
    _reference("organization_id", "organizations.id"),
    Column("name", String(128), nullable=False),
    Column("preset", JSON, nullable=False),
    *_times(),
    _version(),
    UniqueConstraint("organization_id", "name"),
)

meetings: Final = Table(
    "meetings",
    metadata,
    _id(primary_key=True),
    _reference("organization_id", "organizations.id"),
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
    *_times(),
    _version(),
    Index(None, "organization_id", "created_at"),
)

participants: Final = Table(
    "participants",
    metadata,
    _id(primary_key=True),
    _reference("organization_id", "organizations.id"),
    _reference("meeting_id", "meetings.id"),
    Column("name", String(128), nullable=False),
    Column("custom_participant_id", String(255), nullable=False),
    Column("preset_name", String(128), nullable=False),
    Column("picture", String(4096)),
    *_times(),
    _version(),
    Index(None, "meeting_id", "created_at"),
    Index(None, "organization_id", "preset_name"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    _id(primary_key=True),
    _reference("meeting_id", "meetings.id"),
    _reference("organization_id", "organizations.id"),
    Column("status", String(16), nullable=False),
    *_times(),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("end_reason", String(64)),
    Column("max_concurrent_participants", Integer, nullable=False),
    Index(
        "uq_sessions_active",
        "meeting_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(None, "organization_id", "created_at"),
)
"""A meeting has at most one session that has not ended."""

attendances: Final = Table(
    "attendances",
    metadata,
    _id("peer_id", primary_key=True),
    _reference("session_id", "sessions.id"),
    _id("participant_id"),
    Column("name", String(128), nullable=False),
    Column("preset_name", String(128), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime),
    Column("leave_reason", String(64)),
    Index(None, "session_id", "joined_at"),
)
"""Outlives its participant, so there is no foreign key to it."""

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column(
        "organization_id", String(64), ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "created_at"),
)
