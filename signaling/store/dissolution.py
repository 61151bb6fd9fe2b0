"""What becomes of a tenant's rows when it is deleted.

Its credentials, people, settings and whatever names somebody go. What stays is what its usage is counted
from: which sessions there were, when, and when peers were in, without a name. Their rows hang on those of the
meetings and of the tenant, so these stay too, emptied.

It is in two parts, since others wait while rows are changed. `dissolve` is one small transaction, with which
nobody gets in any more and nothing is found. What there may be any number of is emptied after it, so many
rows at a time, by `empty`: again and again from where it stopped. Others may still write for a caller whom
they let in before, so it is done once more when that is over, and `emptied_at` says that it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Table, delete, exists, func, or_, select, text, true, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from signaling.services.ports.organizations import Place
from signaling.store.connection import Statements
from signaling.store.tables import (
    attendances,
    idempotency_keys,
    meetings,
    memberships,
    metadata,
    organizations,
    participants,
    peer_reports,
    revoked_subjects,
    session_configurations,
    sessions,
    users,
    webhook_deliveries,
)


@dataclass(frozen=True, slots=True)
class Emptied:
    """Rows that stay, and what they hold from then on; and those of another table that go with each."""

    table: Table
    values: Mapping[str, Any]
    by: Column[Any]
    """With the key, in the order of an index that begins with the organization."""
    with_it: Column[Any] | None = None
    """By the same key."""

    @property
    def key(self) -> Column[Any]:
        (key,) = self.table.primary_key.columns
        return key

    def holds_something(self) -> ColumnElement[bool]:
        """That there is something to empty, where that can be seen: whoever begins at the front after a
        restart is to write nothing anew."""
        wanted = [(self.table.c[name], value) for name, value in self.values.items()]
        if any(value not in (None, "") for _, value in wanted):
            return true()
        return or_(*(column.is_not(None) if value is None else column != value for column, value in wanted))


EMPTIED: Final = (
    Emptied(
        attendances,
        {
            "name": "",
            "custom_participant_id": None,
            "user_agent": None,
            "address": None,
            "context": None,
            "context_hash": None,
            "events": None,
        },
        attendances.c.joined_at,
        with_it=peer_reports.c.peer_id,
    ),
    Emptied(
        sessions,
        {"meeting_title": None},
        sessions.c.created_at,
        with_it=session_configurations.c.session_id,
    ),
    Emptied(
        meetings,
        {
            "title": None,
            "unique_name": None,
            "short": None,
            "join_password_hash": None,
            "webhook_event_url": None,
            "webhook_event_failover_url": None,
            "configuration": {},
            "deleted_at": func.coalesce(
                meetings.c.deleted_at,
                select(organizations.c.deleted_at)
                .where(organizations.c.id == meetings.c.organization_id)
                .scalar_subquery(),
            ),
        },
        meetings.c.created_at,
    ),
)
REMOVED: Final = (webhook_deliveries, participants, idempotency_keys, revoked_subjects)
"""In steps. An index of each begins with the organization."""
STEPS: Final[Sequence[Table | Emptied]] = (*REMOVED, *EMPTIED)

_LATER: Final = {*REMOVED, *(one.table for one in EMPTIED), peer_reports, session_configurations}
AT_ONCE: Final = tuple(
    table
    for table in reversed(metadata.sorted_tables)
    if "organization_id" in table.c and table not in _LATER
)
"""All others that a tenant has rows in, also those that come later."""


def of_somebody(organization_id: ColumnElement[str]) -> ColumnElement[bool]:
    """That the row is of an organization (or app) that is there."""
    there = exists().where(organizations.c.id == organization_id, organizations.c.deleted_at.is_(None))
    return there.correlate_except(organizations)


async def dissolve(db: Statements, organization_id: str, now: datetime) -> None:
    """It is gone, and what it left is to be emptied."""
    await _remove_at_once(db, organization_id)
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


async def empty(
    db: Statements, organization_id: str, place: Place, now: datetime, *, settled: datetime, limit: int
) -> Place | None:
    """At most `limit` rows from this place on; None: there is nothing left, which is noted where it was
    deleted before `settled`. The transaction is one of its own: it waits for another that is at the same
    organization."""
    if db.dialect.name == "postgresql":  # it looks at nothing that others change, and is to fail nobody
        await db.execute(text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"))
    left = organizations.c.deleted_at.is_not(None) & organizations.c.emptied_at.is_(None)
    itself = select(organizations.c.deleted_at).where(organizations.c.id == organization_id, left)
    deleted_at = await db.scalar(itself.with_for_update(key_share=True))
    if deleted_at is None:
        return None
    if place.step == len(STEPS):
        if deleted_at > settled:
            return None
        await _remove_at_once(db, organization_id)
        done = update(organizations).where(organizations.c.id == organization_id)
        await db.execute(done.values(emptied_at=now))
        return None
    step = STEPS[place.step]
    if isinstance(step, Emptied):
        last = await _empty_some(db, step, organization_id, place.after, limit)
        return Place(place.step + 1) if last is None else Place(place.step, last)
    some = await _remove_some(db, step, organization_id, limit)
    return place if some else Place(place.step + 1)


async def _remove_at_once(db: Statements, organization_id: str) -> None:
    """What there is little of, and who was a member of nothing else."""
    here = memberships.c.organization_id == organization_id
    others = select(memberships.c.user_id).where(
        or_(memberships.c.organization_id.is_(None), memberships.c.organization_id != organization_id)
    )
    of_nobody_else = users.c.id.in_(select(memberships.c.user_id).where(here)) & users.c.id.not_in(others)
    await db.execute(delete(users).where(of_nobody_else))
    for table in AT_ONCE:
        await db.execute(delete(table).where(table.c.organization_id == organization_id))


async def _remove_some(db: Statements, table: Table, organization_id: str, limit: int) -> bool:
    """Whether there were any. Others may remove the same meanwhile: how many this removed says nothing."""
    key = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(table.c.organization_id == organization_id).limit(limit)
    chosen = [tuple(row) for row in await db.execute(some)]
    if chosen:
        await db.execute(delete(table).where(key.in_(chosen)))
    return bool(chosen)


async def _empty_some(
    db: Statements, step: Emptied, organization_id: str, after: tuple[datetime, str] | None, limit: int
) -> tuple[datetime, str] | None:
    """The last one, in their order; None: there was none."""
    mine = select(step.by, step.key).where(step.table.c.organization_id == organization_id)
    if after is not None:
        mine = mine.where(tuple_(step.by, step.key) > tuple_(*after, types=[step.by.type, step.key.type]))
    rows = (await db.execute(mine.order_by(step.by, step.key).limit(limit))).all()
    if not rows:
        return None
    keys = [key for _, key in rows]
    if step.with_it is not None:
        await db.execute(delete(step.with_it.table).where(step.with_it.in_(keys)))
    await db.execute(update(step.table).where(step.key.in_(keys), step.holds_something()).values(step.values))
    by, key = rows[-1]
    return by, key
