"""Until when what removed organizations left is emptied, in steps"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNEMPTIED: Final = sa.text("deleted_at IS NOT NULL AND emptied_at IS NULL")


def upgrade() -> None:
    op.add_column("organizations", sa.Column("emptied_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE organizations SET emptied_at = deleted_at")
    op.create_index(
        "ix_organizations_unemptied",
        "organizations",
        ["deleted_at"],
        sqlite_where=_UNEMPTIED,
        postgresql_where=_UNEMPTIED,
    )


def downgrade() -> None:
    op.drop_index("ix_organizations_unemptied", table_name="organizations")
    op.drop_column("organizations", "emptied_at")
