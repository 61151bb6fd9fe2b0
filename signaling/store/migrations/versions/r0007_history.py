"""What lists of sessions and attendances show, filter and sort by, with an index for each"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIVE: Final = sa.text("ended_at IS NULL")
_SECONDS: Final = {
    "sqlite": "(julianday(left_at) - julianday(joined_at)) * 86400.0",
    "postgresql": "EXTRACT(EPOCH FROM left_at - joined_at)",
}
_FILL: Final = (
    "UPDATE sessions SET meeting_title = (SELECT title FROM meetings WHERE id = sessions.meeting_id)",
    "UPDATE sessions SET seconds_consumed = COALESCE((SELECT SUM({seconds}) FROM attendances"
    " WHERE attendances.session_id = sessions.id AND left_at IS NOT NULL), 0)",
    "UPDATE attendances SET updated_at = COALESCE(left_at, joined_at),"
    " organization_id = (SELECT organization_id FROM sessions WHERE sessions.id = session_id),"
    " meeting_id = (SELECT meeting_id FROM sessions WHERE sessions.id = session_id),"
    " custom_participant_id = (SELECT custom_participant_id FROM participants"
    " WHERE participants.id = attendances.participant_id)",
)
_INDEXES: Final = (
    ("ix_sessions_created", "sessions", ("organization_id", "created_at", "id")),
    ("ix_sessions_updated", "sessions", ("organization_id", "updated_at", "id")),
    ("ix_sessions_ended", "sessions", ("organization_id", "ended_at", "id")),
    ("ix_sessions_consumed", "sessions", ("organization_id", "seconds_consumed", "id")),
    ("ix_sessions_meeting", "sessions", ("organization_id", "meeting_id", "created_at", "id")),
    ("ix_attendances_session", "attendances", ("session_id", "joined_at", "peer_id")),
    ("ix_attendances_joined", "attendances", ("organization_id", "joined_at", "peer_id")),
    ("ix_attendances_updated", "attendances", ("organization_id", "updated_at", "peer_id")),
    ("ix_attendances_left", "attendances", ("organization_id", "left_at", "peer_id")),
    ("ix_attendances_context", "attendances", ("organization_id", "context_hash", "joined_at", "peer_id")),
    ("ix_attendances_participant", "attendances", ("organization_id", "participant_id", "session_id")),
    ("ix_attendances_custom", "attendances", ("organization_id", "custom_participant_id", "session_id")),
    ("ix_meetings_created", "meetings", ("organization_id", "created_at", "id")),
    ("ix_participants_created", "participants", ("meeting_id", "created_at", "id")),
)
_REPLACED: Final = (
    ("sessions", "ix_sessions_organization_id_created_at"),
    ("attendances", "ix_attendances_session_id_joined_at"),
    ("meetings", "ix_meetings_organization_id_created_at"),
    ("participants", "ix_participants_meeting_id_created_at"),
)


def upgrade() -> None:
    for table, name in _REPLACED:
        op.drop_index(name, table_name=table)
    op.add_column("sessions", sa.Column("meeting_title", sa.String(length=512)))
    op.add_column("sessions", sa.Column("unit_id", sa.String(length=64)))
    op.add_column("sessions", sa.Column("seconds_consumed", sa.Float(), nullable=False, server_default="0"))
    for column in (
        sa.Column("organization_id", sa.String(length=64)),
        sa.Column("meeting_id", sa.String(length=64)),
        sa.Column("custom_participant_id", sa.String(length=255)),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        sa.Column("view_type", sa.String(length=16)),
        sa.Column("device", sa.String(length=16)),
        sa.Column("sdk", sa.String(length=64)),
        sa.Column("user_agent", sa.String(length=512)),
        sa.Column("address", sa.String(length=64)),
        sa.Column("context", sa.Text()),
        sa.Column("context_hash", sa.String(length=64)),
        sa.Column("counted", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("events", sa.JSON()),
    ):
        op.add_column("attendances", column)
    connection = op.get_bind()
    for statement in _FILL:
        connection.execute(sa.text(statement.format(seconds=_SECONDS[connection.dialect.name])))
    with op.batch_alter_table("attendances") as batch:
        batch.alter_column("organization_id", existing_type=sa.String(length=64), nullable=False)
        batch.alter_column("meeting_id", existing_type=sa.String(length=64), nullable=False)
        batch.alter_column("updated_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    for name, table, columns in _INDEXES:
        op.create_index(name, table, list(columns))
    op.create_index(
        "ix_sessions_live",
        "sessions",
        ["organization_id", "created_at", "id"],
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )


def downgrade() -> None:
    raise NotImplementedError("what the new columns hold has no place in the old ones: restore a backup")
