"""What was measured of peers while they were in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "peer_reports",
        sa.Column("peer_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["attendances.peer_id"], name="fk_peer_reports_peer_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("peer_id", name="pk_peer_reports"),
    )


def downgrade() -> None:
    op.drop_table("peer_reports")
