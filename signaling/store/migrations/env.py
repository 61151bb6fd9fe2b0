"""Run by alembic. The connection comes from `signaling.store.migrate`, inside its transaction."""

from __future__ import annotations

from alembic import context

from signaling.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
