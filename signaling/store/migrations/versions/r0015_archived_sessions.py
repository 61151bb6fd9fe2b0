"""When a session was archived, and indexes for sessions by status and for what is to be archived"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_UNARCHIVED: Final = sa.text("archived_at IS NULL AND started_at IS NOT NULL AND ended_at IS NOT NULL")
_UNFINISHED: Final = sa.text("finished_at IS NULL")


def upgrade() -> None:
    op.add_column("sessions", sa.Column("archived_at", sa.DateTime(timezone=True)))
    op.create_index("ix_sessions_status", "sessions", ["organization_id", "status", "created_at", "id"])
    op.create_index(
        "ix_sessions_unarchived",
        "sessions",
        ["ended_at", "id"],
        sqlite_where=_UNARCHIVED,
        postgresql_where=_UNARCHIVED,
    )
    op.create_index(
        "ix_webhook_deliveries_waiting",
        "webhook_deliveries",
        ["session_id", "finished_at"],
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )


def downgrade() -> None:
    op.execute(
        "UPDATE sessions SET status = CASE"
        " WHEN end_reason = 'MAX_DURATION_REACHED' THEN 'EXPIRED' ELSE 'FINISHED' END"
        " WHERE status = 'ARCHIVED'"
    )
    op.drop_index("ix_webhook_deliveries_waiting", table_name="webhook_deliveries")
    op.drop_index("ix_sessions_unarchived", table_name="sessions")
    op.drop_index("ix_sessions_status", table_name="sessions")
    op.drop_column("sessions", "archived_at")
