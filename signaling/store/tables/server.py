"""Signaling processes that share this database, each for as long as it renews its lease."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, String, Table

from signaling.store.tables.columns import UtcDateTime, identifier, metadata

servers: Final = Table(
    "servers",
    metadata,
    identifier(primary_key=True),
    identifier("incarnation"),
    Column("url", String(2048), nullable=False),
    Column("internal_url", String(2048), nullable=False),
    Column("region", String(32)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""Its times are the database's, so that no server's clock can end another's lease."""
