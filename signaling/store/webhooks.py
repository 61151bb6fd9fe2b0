"""Webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, RowMapping, bindparam, delete, insert, select, update

from signaling.domain.listing import Page
from signaling.domain.webhook import EventName, Room, Webhook, room_subscriber
from signaling.store.connection import Statements
from signaling.store.listing import Listing
from signaling.store.rows import insert_unique, values_of
from signaling.store.tables import meetings, webhooks

_ENABLED = (
    select(webhooks)
    .where(webhooks.c.organization_id == bindparam("organization"), webhooks.c.enabled)
    .order_by(webhooks.c.created_at, webhooks.c.id)
)
_ROOM = select(
    meetings.c.title,
    meetings.c.webhook_event_url,
    meetings.c.webhook_event_failover_url,
    meetings.c.webhook_timeout_secs,
).where(meetings.c.organization_id == bindparam("organization"), meetings.c.id == bindparam("meeting"))


class SqlWebhooks:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, webhook_id: str) -> Webhook | None:
        query = select(webhooks).where(
            webhooks.c.organization_id == organization_id, webhooks.c.id == webhook_id
        )
        row = (await self._db.execute(query)).first()
        return _webhook(row) if row else None

    async def add(self, webhook: Webhook) -> None:
        statement = insert(webhooks).values(_values(webhook))
        await insert_unique(self._db, statement, f"There is a webhook {webhook.id!r} already.")

    async def save(self, webhook: Webhook) -> None:
        await self._db.execute(update(webhooks).where(*_same(webhook)).values(_values(webhook)))

    async def remove(self, webhook: Webhook) -> None:
        await self._db.execute(delete(webhooks).where(*_same(webhook)))

    async def enabled(self, organization_id: str) -> Sequence[Webhook]:
        rows = await self._db.execute(_ENABLED, {"organization": organization_id})
        return [_webhook(row) for row in rows]

    async def room(self, organization_id: str, meeting_id: str) -> Room:
        row = (
            await self._db.execute(_ROOM, {"organization": organization_id, "meeting": meeting_id})
        ).first()
        return Room(row.title, room_subscriber(meeting_id, *row[1:])) if row else Room()

    async def list(
        self, organization_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Webhook], int]:
        listing = Listing(webhooks, webhooks.c.id, _read)
        where = (webhooks.c.organization_id == organization_id,)
        return await listing.page(self._db, where, webhooks.c.created_at, Page(offset, limit))


def _same(webhook: Webhook) -> tuple[Any, ...]:
    return webhooks.c.organization_id == webhook.organization_id, webhooks.c.id == webhook.id


def _values(webhook: Webhook) -> dict[str, Any]:
    return values_of(webhook) | {"events": list(webhook.events)}


def _webhook(row: Row[Any]) -> Webhook:
    return _read(row._mapping)


def _read(values: Mapping[str, Any] | RowMapping) -> Webhook:
    return Webhook(**{**values} | {"events": tuple(EventName(one) for one in values["events"])})
