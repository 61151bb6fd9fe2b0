"""Configuration of organizations, units and sessions, and how participants were admitted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"],
        ["organizations.id"],
        name=f"fk_{table}_organization_id",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "configurations",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("locked", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        _organization("configurations"),
        sa.PrimaryKeyConstraint("organization_id", "owner_id", name="pk_configurations"),
    )
    op.create_table(
        "session_configurations",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("configuration", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name="fk_session_configurations_session_id",
            ondelete="CASCADE",
        ),
        _organization("session_configurations"),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_configurations"),
    )
    standing = sa.Column("standing", sa.String(length=16), nullable=False, server_default="registered")
    op.add_column("participants", standing)
    op.add_column("participants", sa.Column("unit_id", sa.String(length=64)))
    op.add_column("participants", sa.Column("password_mark", sa.String(length=16)))


def downgrade() -> None:
    for column in ("password_mark", "unit_id", "standing"):
        op.drop_column("participants", column)
    op.drop_table("session_configurations")
    op.drop_table("configurations")
