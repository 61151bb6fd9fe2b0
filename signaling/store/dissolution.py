"""What becomes of a tenant's rows when it is deleted.

Its credentials, people, settings and whatever names somebody go. What stays is what its usage is counted
from: which sessions there were, when, and when peers were in, without a name. Their rows hang on those of the
meetings and of the tenant, so these stay too, emptied.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, delete, or_, select, update

from signaling.store.connection import Statements
from signaling.store.tables import (
    attendances,
    meetings,
    memberships,
    metadata,
    organizations,
    sessions,
    users,
)

EMPTIED: Final[Mapping[Table, Mapping[str, Any]]] = {
    meetings: {
        "title": None,
        "unique_name": None,
        "short": None,
        "join_password_hash": None,
        "webhook_event_url": None,
        "webhook_event_failover_url": None,
        "configuration": {},
    },
    sessions: {"meeting_title": None},
    attendances: {
        "name": "",
        "custom_participant_id": None,
        "user_agent": None,
        "address": None,
        "context": None,
        "context_hash": None,
        "events": None,
    },
}
"""What their rows hold from then on."""

REMOVED: Final = tuple(
    table
    for table in reversed(metadata.sorted_tables)
    if "organization_id" in table.c and table not in EMPTIED
)
"""All others that a tenant has rows in, also those that come later."""


async def dissolve(db: Statements, organization_id: str, now: datetime) -> None:
    """May be done twice."""
    here = memberships.c.organization_id == organization_id
    others = select(memberships.c.user_id).where(
        or_(memberships.c.organization_id.is_(None), memberships.c.organization_id != organization_id)
    )
    of_nobody_else = users.c.id.in_(select(memberships.c.user_id).where(here)) & users.c.id.not_in(others)
    await db.execute(delete(users).where(of_nobody_else))
    for table in REMOVED:
        await db.execute(delete(table).where(table.c.organization_id == organization_id))
    for table, values in EMPTIED.items():
        await db.execute(update(table).where(table.c.organization_id == organization_id).values(values))
    open_ones = (meetings.c.organization_id == organization_id) & meetings.c.deleted_at.is_(None)
    await db.execute(update(meetings).where(open_ones).values(deleted_at=now, updated_at=now))
    itself = (organizations.c.id == organization_id) & organizations.c.deleted_at.is_(None)
    await db.execute(
        update(organizations)
        .where(itself)
        .values(
            deleted_at=now,
            updated_at=now,
            version=organizations.c.version + 1,
            contact=None,
            website=None,
            logo_url=None,
        )
    )
