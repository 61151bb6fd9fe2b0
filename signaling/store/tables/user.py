"""Accounts of people who administer, what they are where, and their logins."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, String, Table, UniqueConstraint, false, text

from signaling.store.tables.columns import (
    UtcDateTime,
    identifier,
    metadata,
    optional_reference,
    reference,
    times,
    version,
)

users: Final = Table(
    "users",
    metadata,
    identifier(primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    *times(),
    Column("password_hash", String(255)),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    version(),
)

memberships: Final = Table(
    "memberships",
    metadata,
    identifier(primary_key=True),
    reference("user_id", "users.id"),
    optional_reference("organization_id", "organizations.id"),
    Column("role", String(32), nullable=False),
    *times(),
    optional_reference("unit_id", "units.id"),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    version(),
    UniqueConstraint("user_id", "organization_id"),
    Index(
        "uq_memberships_platform",
        "user_id",
        unique=True,
        sqlite_where=text("organization_id IS NULL"),
        postgresql_where=text("organization_id IS NULL"),
    ),
    Index("ix_memberships_created", "organization_id", "created_at", "id"),
    Index(None, "unit_id"),
)
"""Without an organization: of the platform, at most one. One of a unit goes with the unit."""

logins: Final = Table(
    "logins",
    metadata,
    identifier(primary_key=True),
    reference("user_id", "users.id"),
    reference("organization_id", "organizations.id"),
    Column("family_hash", String(64), nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("refreshed_at", UtcDateTime, nullable=False),
    Index(None, "user_id", "created_at"),
    Index(None, "organization_id"),
)
"""One that has ended is removed."""

password_tokens: Final = Table(
    "password_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    reference("user_id", "users.id"),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("user_id"),
)
"""The newest of each account; removed when it is used."""
