"""Webhooks, what was and is to be delivered to them, and the attempts at it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference, times, version

webhooks: Final = Table(
    "webhooks",
    metadata,
    identifier(primary_key=True),
    reference("organization_id", "organizations.id"),
    Column("name", String(256), nullable=False),
    Column("url", String(2048), nullable=False),
    Column("events", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("failover_url", String(2048)),
    Column("timeout_secs", Integer),
    *times(),
    version(),
    Index("ix_webhooks_created", "organization_id", "created_at", "id"),
)

_UNFINISHED = text("finished_at IS NULL")

webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    identifier(unique=True),
    identifier("event_id"),
    Column("event", String(64), nullable=False),
    reference("organization_id", "organizations.id"),
    Column("subscriber", String(80), nullable=False),
    Column("queue", String(160), nullable=False),
    Column("shape", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("webhook_id", String(64)),
    Column("meeting_id", String(64)),
    Column("session_id", String(64)),
    Column("url", String(2048)),
    Column("failover_url", String(2048)),
    Column("timeout_secs", Integer),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claim", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("last_status", Integer),
    Column("last_error", String(512)),
    Column("resent_from", String(64)),
    Index("ix_webhook_deliveries_due", "due_at", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index(
        "ix_webhook_deliveries_queue",
        "queue",
        "seq",
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    ),
    Index(
        "ix_webhook_deliveries_waiting",
        "session_id",
        "finished_at",
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    ),
    Index(None, "organization_id", "seq"),
    Index(None, "webhook_id", "seq"),
    Index(None, "session_id", "seq"),
    Index(None, "created_at"),
)
"""The outbox and the log of it. A webhook may be gone while the deliveries to it are still looked at, so
there is no foreign key to it; nor to meetings and sessions."""

webhook_attempts: Final = Table(
    "webhook_attempts",
    metadata,
    Column(
        "delivery_id", String(64), ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True),
    Column("url", String(2048), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("request_headers", JSON, nullable=False),
    Column("status", Integer),
    Column("response_headers", JSON(none_as_null=True)),
    Column("response_body", Text),
    Column("error", String(512)),
)

webhook_key_pairs: Final = Table(
    "webhook_key_pairs",
    metadata,
    identifier(primary_key=True),
    Column("ed25519", Text, nullable=False),
    Column("rsa", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("active_from", UtcDateTime, nullable=False),
)
"""Of all servers on the database; the private keys are sealed."""
