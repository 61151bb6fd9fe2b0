"""Apps, plans, units, keys with limits, and accounts of people who administer

The keys of the first organization, which the first start made, become keys of the platform: until now they
were the only ones there were.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FIRST = "SELECT id FROM organizations ORDER BY created_at, id LIMIT 1"


def _cascading(table: str, column: str, target: str) -> sa.Column[str]:
    return sa.Column(
        column,
        sa.String(length=64),
        sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{column}", ondelete="CASCADE"),
        nullable=True,
    )


def _times() -> tuple[sa.Column[object], sa.Column[object]]:
    return (
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer(), nullable=False, server_default="1")


def upgrade() -> None:
    op.add_column(
        "organizations", _cascading("organizations", "parent_id", "organizations"), inline_references=True
    )
    for column in (
        sa.Column("contact", sa.String(length=320)),
        sa.Column("website", sa.String(length=2048)),
        sa.Column("logo_url", sa.String(length=2048)),
        sa.Column("preferred_region", sa.String(length=32)),
        sa.Column("plan", sa.String(length=32), nullable=False, server_default="unlimited"),
        sa.Column("feature_flags", sa.JSON(), nullable=False, server_default="[]"),
        _version(),
    ):
        op.add_column("organizations", column)
    op.create_index("ix_organizations_parent_id_created_at", "organizations", ["parent_id", "created_at"])
    op.create_index("ix_organizations_name", "organizations", ["name"])

    op.create_table(
        "units",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(length=64), nullable=True),
        sa.Column("path", sa.String(length=600), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=2048), nullable=True),
        sa.Column("logo_url", sa.String(length=2048), nullable=True),
        sa.Column("admin", sa.String(length=320), nullable=True),
        *_times(),
        _version(),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_units_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name="fk_units_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
    )
    op.create_index("ix_units_organization_id_path", "units", ["organization_id", "path"])
    op.create_index("ix_units_parent_id", "units", ["parent_id"])

    _keys()
    _people()


def _keys() -> None:
    for column in (
        sa.Column("name", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("prefix", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("scopes", sa.JSON(none_as_null=True)),
        sa.Column("platform", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("api_keys", column)
    op.add_column("api_keys", _cascading("api_keys", "unit_id", "units"), inline_references=True)
    op.create_index("ix_api_keys_unit_id", "api_keys", ["unit_id"])
    op.execute(f"UPDATE api_keys SET platform = {_true()} WHERE organization_id = ({_FIRST})")


def _true() -> str:
    return "1" if op.get_bind().dialect.name == "sqlite" else "TRUE"


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        *_times(),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False, server_default=sa.false()),
        _version(),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "memberships",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        _cascading("memberships", "organization_id", "organizations"),
        sa.Column("role", sa.String(length=32), nullable=False),
        *_times(),
        _cascading("memberships", "unit_id", "units"),
        sa.Column("disabled", sa.Boolean(), nullable=False, server_default=sa.false()),
        _version(),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.UniqueConstraint("user_id", "organization_id", name="uq_memberships_user_id_organization_id"),
    )
    op.create_index(
        "uq_memberships_platform",
        "memberships",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("organization_id IS NULL"),
        postgresql_where=sa.text("organization_id IS NULL"),
    )
    op.create_index(
        "ix_memberships_organization_id_created_at", "memberships", ["organization_id", "created_at"]
    )
    op.create_index("ix_memberships_unit_id", "memberships", ["unit_id"])
    op.create_table(
        "logins",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("family_hash", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_logins_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_logins_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_logins"),
    )
    op.create_index("ix_logins_user_id_created_at", "logins", ["user_id", "created_at"])
    op.create_index("ix_logins_organization_id", "logins", ["organization_id"])
    op.create_table(
        "password_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_password_tokens_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_password_tokens"),
        sa.UniqueConstraint("user_id", name="uq_password_tokens_user_id"),
    )


def downgrade() -> None:
    for table in ("password_tokens", "logins", "memberships", "users"):
        op.drop_table(table)
    op.drop_index("ix_api_keys_unit_id", table_name="api_keys")
    for column in (
        "unit_id",
        "last_used_at",
        "revoked_at",
        "expires_at",
        "platform",
        "scopes",
        "prefix",
        "name",
    ):
        op.drop_column("api_keys", column)
    op.drop_table("units")
    op.drop_index("ix_organizations_name", table_name="organizations")
    op.drop_index("ix_organizations_parent_id_created_at", table_name="organizations")
    for column in (
        "version",
        "feature_flags",
        "plan",
        "preferred_region",
        "logo_url",
        "website",
        "contact",
        "parent_id",
    ):
        op.drop_column("organizations", column)
