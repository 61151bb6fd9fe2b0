"""In which region a server is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("servers", sa.Column("region", sa.String(length=32)))


def downgrade() -> None:
    op.drop_column("servers", "region")
