"""Keys that sign tokens, and whose tokens are void before their time."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, Text

from signaling.store.tables.columns import UtcDateTime, identifier, metadata, reference

signing_keys: Final = Table(
    "signing_keys",
    metadata,
    identifier(primary_key=True),
    Column("private_key", Text, nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("active_from", UtcDateTime, nullable=False),
    Column("longest_token", Integer, nullable=False),
)
"""`private_key` is sealed; `longest_token` in seconds."""

revoked_subjects: Final = Table(
    "revoked_subjects",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    identifier("subject", primary_key=True),
    Column("revoked_at", UtcDateTime, nullable=False),
    Index(None, "revoked_at"),
)
"""Kept for as long as a token of theirs may be good."""
