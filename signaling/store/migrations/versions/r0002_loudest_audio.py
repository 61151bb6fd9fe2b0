"""How many of the loudest voices a meeting forwards"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("meetings", sa.Column("loudest_audio", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("meetings", "loudest_audio")
