"""Deleted organizations and apps, and an index for each list that had none with its order"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NEW: Final = (
    ("ix_sessions_unit", "sessions", ("organization_id", "unit_id", "created_at", "id")),
    ("ix_meetings_unit", "meetings", ("organization_id", "unit_id", "created_at", "id")),
    ("ix_participants_custom", "participants", ("meeting_id", "custom_participant_id")),
    ("ix_presets_created", "presets", ("organization_id", "created_at", "id")),
    ("ix_organizations_created", "organizations", ("parent_id", "created_at", "id")),
    ("ix_memberships_created", "memberships", ("organization_id", "created_at", "id")),
    ("ix_webhooks_created", "webhooks", ("organization_id", "created_at", "id")),
    ("ix_api_keys_created", "api_keys", ("organization_id", "created_at", "id")),
    ("ix_units_name", "units", ("organization_id", "name", "id")),
)
_FORMER: Final = (
    ("ix_meetings_organization_id_unit_id", "meetings", ("organization_id", "unit_id")),
    ("ix_organizations_parent_id_created_at", "organizations", ("parent_id", "created_at")),
    ("ix_memberships_organization_id_created_at", "memberships", ("organization_id", "created_at")),
    ("ix_webhooks_organization_id_created_at", "webhooks", ("organization_id", "created_at")),
    ("ix_api_keys_organization_id", "api_keys", ("organization_id",)),
)


def upgrade() -> None:
    op.add_column("organizations", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    for name, table, columns in _NEW:
        op.create_index(name, table, list(columns))
    for name, table, _ in _FORMER:
        op.drop_index(name, table_name=table)


def downgrade() -> None:
    for name, table, columns in _FORMER:
        op.create_index(name, table, list(columns))
    for name, table, _ in _NEW:
        op.drop_index(name, table_name=table)
    op.drop_column("organizations", "deleted_at")
