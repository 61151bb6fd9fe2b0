"""What attendances say of their sockets and machines, where they said what happened to them

No column changes, and no row: `signaling.store.attendances` reads both. The revision is for versions of
before, which could not read what is written from now on: they are told so at their start.
"""

from __future__ import annotations

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("what was written since then had no place before: restore a backup")
