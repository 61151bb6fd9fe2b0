"""One password of a meeting: who was admitted by it may also open, where the open policy says so"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("meetings", "open_password_hash")


def downgrade() -> None:
    op.add_column("meetings", sa.Column("open_password_hash", sa.String(length=255)))
