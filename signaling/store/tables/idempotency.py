"""Requests that were answered, by the key that their client gave them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from signaling.store.tables.columns import UtcDateTime, metadata

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
