"""Meetings: unit, unique name, short id, policies, webhooks; how sessions are run becomes configuration"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from signaling.ids import new_short_id

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FORMER_DEFAULTS: Mapping[str, Any] = {
    "record_on_start": False,
    "live_stream_on_start": False,
    "persist_chat": False,
    "summarize_on_end": False,
    "session_keep_alive_time_in_secs": 60,
    "recording_config": None,
    "ai_config": None,
    "loudest_audio": None,
}
"""What was a column each. A value that differs becomes something that the meeting says."""


def _new() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("unit_id", sa.String(length=64)),
        sa.Column("unique_name", sa.String(length=255)),
        sa.Column("short", sa.String(length=16)),
        sa.Column("list_policy", sa.String(length=16), nullable=False, server_default="SHARED"),
        sa.Column("open_password_hash", sa.String(length=255)),
        sa.Column("join_password_hash", sa.String(length=255)),
        sa.Column("webhook_event_url", sa.String(length=4096)),
        sa.Column("webhook_event_failover_url", sa.String(length=4096)),
        sa.Column("webhook_timeout_secs", sa.Integer()),
        sa.Column("configuration", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )


def upgrade() -> None:
    for column in _new():
        op.add_column("meetings", column)
    _move_to_configuration(op.get_bind())
    for name in _FORMER_DEFAULTS:
        op.drop_column("meetings", name)
    op.create_index("uq_meetings_short", "meetings", ["short"], unique=True)
    op.create_index("ix_meetings_organization_id_unit_id", "meetings", ["organization_id", "unit_id"])
    op.create_index(
        "uq_meetings_unique_name",
        "meetings",
        ["organization_id", "unique_name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("what the new columns hold has no place in the old ones: restore a backup")


def _move_to_configuration(connection: sa.Connection) -> None:
    names = ("id", *_FORMER_DEFAULTS)
    meetings = sa.table(
        "meetings",
        *(sa.column(name, sa.JSON() if name.endswith("_config") else None) for name in names),
        sa.column("short", sa.String()),
        sa.column("configuration", sa.JSON()),
    )
    rows = connection.execute(sa.select(*(meetings.c[name] for name in names))).mappings().all()
    for row in rows:
        said = {
            name: bool(row[name]) if isinstance(default, bool) else row[name]
            for name, default in _FORMER_DEFAULTS.items()
            if row[name] is not None and row[name] != default
        }
        values = {"short": new_short_id(), "configuration": json.loads(json.dumps(said))}
        connection.execute(sa.update(meetings).where(meetings.c.id == row["id"]).values(values))
