"""Deliveries: the outbox of what waits, and the log of what came of it.

The same row is both. What waits is found by two partial indexes, of unfinished rows only, so it costs the
same however long the log is. A delivery is taken in two steps: a look at what is due and first in its queue,
and a change of those that were chosen, on the condition that they still are due; the one of two processes
that comes second changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from signaling.domain.listing import Page
from signaling.domain.webhook import Shape, Target, timeout_of
from signaling.domain.webhook_delivery import TRANSITIONS, Attempt, Delivery, DeliveryStatus, Outcome
from signaling.domain.webhook_lanes import Candidate
from signaling.services.ports.webhooks import Claimed, DeliveryFilter, QueueCounts
from signaling.store.connection import Statements
from signaling.store.dissolution import of_somebody
from signaling.store.listing import Listing
from signaling.store.tables import webhook_attempts as attempts
from signaling.store.tables import webhook_deliveries as deliveries
from signaling.store.tables import webhooks

MAX_LOOKED_AT: Final = 1000
"""Candidates of one look."""

_c = deliveries.c
_earlier = deliveries.alias("earlier")
_UNFINISHED = _c.finished_at.is_(None)
_FIRST_IN_QUEUE = ~(
    exists()
    .where(_earlier.c.queue == _c.queue, _earlier.c.seq < _c.seq, _earlier.c.finished_at.is_(None))
    .correlate(deliveries)
)
_QUEUED = and_(_UNFINISHED, _c.status == DeliveryStatus.QUEUED)
_NOBODY_WANTS_IT = or_(
    and_(
        _c.webhook_id.is_not(None),
        ~exists().where(webhooks.c.id == _c.webhook_id, webhooks.c.enabled).correlate(deliveries),
    ),
    ~of_somebody(_c.organization_id),
)
_TARGET = (
    func.coalesce(webhooks.c.url, _c.url).label("url"),
    case((webhooks.c.id.is_(None), _c.failover_url), else_=webhooks.c.failover_url).label("failover_url"),
    case((webhooks.c.id.is_(None), _c.timeout_secs), else_=webhooks.c.timeout_secs).label("timeout_secs"),
)
"""A webhook's as it is now, or what the delivery itself says."""
_NEXT_DUE = (
    select(_c.due_at)
    .where(_UNFINISHED, _c.due_at > bindparam("now"), _FIRST_IN_QUEUE)
    .order_by(_c.due_at)
    .limit(1)
)
_COUNTS = select(func.count(), func.min(_c.created_at)).where(_UNFINISHED)
_OF_TARGET = {"url", "failover_url", "timeout_secs"}
_PLAIN = {column.name for column in deliveries.columns} - {"seq", "claim"} - _OF_TARGET
_CLAIM = (
    update(deliveries)
    .where(_c.seq == bindparam("of"), _UNFINISHED, _c.due_at <= bindparam("now"))
    .values(status=DeliveryStatus.DELIVERING, due_at=bindparam("until"), claim=bindparam("held_by"))
    .returning(deliveries)
)
_ADD_ATTEMPT = insert(attempts)
_SETTLE = (
    update(deliveries)
    .where(
        _c.seq == bindparam("of"),
        _c.claim == bindparam("held_by"),
        _c.status == DeliveryStatus.DELIVERING,
    )
    .values(
        status=bindparam("new_status"),
        attempts=bindparam("number"),
        due_at=bindparam("due"),
        finished_at=bindparam("finished"),
        claim=None,
        last_status=bindparam("answered"),
        last_error=bindparam("complaint"),
    )
    .returning(_c.id)
)


class SqlDeliveries:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def add(self, new: Sequence[Delivery]) -> None:
        if not new:
            return
        dialect = sqlite if self._db.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(deliveries).on_conflict_do_nothing(index_elements=["id"])
        for one in new:  # one by one: their order is that of `seq`
            await self._db.execute(statement, delivery_values(one))

    async def get(self, organization_id: str, delivery_id: str) -> Delivery | None:
        query = select(deliveries).where(_c.organization_id == organization_id, _c.id == delivery_id)
        row = (await self._db.execute(query)).first()
        return _delivery(row) if row else None

    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
        return [_attempt(row) for row in await self._db.execute(query)]

    async def list(
        self, organization_id: str, wanted: DeliveryFilter, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Delivery], int]:
        where = (_of_organization(organization_id, wanted), *_wanted(wanted))
        listing = Listing(deliveries, _c.seq, _read)
        return await listing.page(self._db, where, _c.seq, Page(offset, limit))

    # --- delivering --------------------------------------------------------------------------------------

    async def stand_aside(self) -> None:
        if self._db.dialect.name == "postgresql":
            await self._db.execute(text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"))

    async def candidates(self, now: datetime, *, full: Collection[str], each: int) -> Sequence[Candidate]:
        turn = func.row_number().over(partition_by=_c.subscriber, order_by=(_c.due_at, _c.seq))
        due = (
            select(_c.seq, _c.subscriber, _c.due_at, turn.label("turn"))
            .where(_UNFINISHED, _c.due_at <= now, _c.subscriber.not_in(full), _FIRST_IN_QUEUE)
            .subquery()
        )
        query = (
            select(due.c.seq, due.c.subscriber)
            .where(due.c.turn <= each)
            .order_by(due.c.due_at, due.c.seq)
            .limit(MAX_LOOKED_AT)
        )
        return [Candidate(*row) for row in await self._db.execute(query)]

    async def claim(
        self, chosen: Sequence[Candidate], now: datetime, *, claim: str, margin: float
    ) -> Sequence[Claimed]:
        if not chosen:
            return []
        seqs = [one.seq for one in chosen]
        query = (
            select(_c.seq, *_TARGET)
            .outerjoin(webhooks, webhooks.c.id == _c.webhook_id)
            .where(
                _c.seq.in_(seqs),
                or_(_c.webhook_id.is_(None), webhooks.c.enabled),
                of_somebody(_c.organization_id),
            )
            .order_by(_c.seq)
        )
        claimed = []
        for row in (await self._db.execute(query)).all():
            target = Target(row.url, row.failover_url, timeout_of(row.timeout_secs))
            until = now + timedelta(seconds=target.timeout + margin)
            values = {"of": row.seq, "now": now, "until": until, "held_by": claim}
            taken = (await self._db.execute(_CLAIM, values)).first()
            if taken is not None:
                claimed.append(Claimed(_delivery(taken), target))
        return claimed

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        for one in outcomes:
            delivery_id = await self._db.scalar(_SETTLE, _settled(one))
            if delivery_id is not None:
                await self._db.execute(_ADD_ATTEMPT, _attempt_values(delivery_id, one.attempt))

    async def give_back(self, leases: Sequence[tuple[int, str]], now: datetime) -> None:
        for seq, claim in leases:
            await self._db.execute(
                update(deliveries)
                .where(_c.seq == seq, _c.claim == claim, _c.status == DeliveryStatus.DELIVERING)
                .values(status=DeliveryStatus.QUEUED, due_at=now, claim=None)
            )

    async def take_back(self, holder: str, now: datetime) -> int:
        done = await self._db.execute(
            update(deliveries)
            .where(
                _UNFINISHED,
                _c.status == DeliveryStatus.DELIVERING,
                _c.claim.startswith(holder, autoescape=True),
            )
            .values(status=DeliveryStatus.QUEUED, due_at=now, claim=None)
        )
        return int(done.rowcount)

    async def next_due(self, now: datetime) -> datetime | None:
        due: datetime | None = await self._db.scalar(_NEXT_DUE, {"now": now})
        return due

    # --- keeping it in bounds ----------------------------------------------------------------------------

    async def discard_unwanted(self, now: datetime, webhook_id: str | None = None) -> int:
        nobody_has_it = or_(_c.status == DeliveryStatus.QUEUED, _c.due_at <= now)
        statement = update(deliveries).where(_UNFINISHED, nobody_has_it, _NOBODY_WANTS_IT)
        if webhook_id is not None:
            statement = statement.where(_c.webhook_id == webhook_id)
        return await self._discard(statement, now, "the webhook is disabled or gone")

    async def discard_beyond(self, now: datetime, keep: int) -> int:
        waiting = func.count().label("waiting")
        crowded = select(_c.subscriber).where(_QUEUED).group_by(_c.subscriber).having(waiting > keep)
        discarded = 0
        for subscriber in (await self._db.scalars(crowded)).all():
            mine = and_(_QUEUED, _c.subscriber == subscriber)
            oldest_kept = select(_c.seq).where(mine).order_by(_c.seq.desc()).offset(keep - 1).limit(1)
            kept = await self._db.scalar(oldest_kept)
            if kept is None:  # others delivered them meanwhile
                continue
            statement = update(deliveries).where(mine, _c.seq < kept)
            discarded += await self._discard(statement, now, f"more than {keep} waited for this endpoint")
        return discarded

    async def forget(self, *, before: datetime, limit: int) -> int:
        old = select(_c.seq).where(_c.created_at < before).order_by(_c.created_at).limit(limit)
        done = await self._db.execute(delete(deliveries).where(_c.seq.in_(old)))
        return int(done.rowcount)

    async def counts(self) -> QueueCounts:
        queued, oldest = (await self._db.execute(_COUNTS)).one()
        return QueueCounts(queued, oldest)

    async def _discard(self, statement: Any, now: datetime, why: str) -> int:
        values = {"status": DeliveryStatus.DISCARDED, "finished_at": now, "last_error": why}
        done = await self._db.execute(statement.values(**values))
        return int(done.rowcount)


def _of_organization(organization_id: str, wanted: DeliveryFilter) -> ColumnElement[bool]:
    """A webhook and a session are of one organization, so these find the rows and the organization is only
    looked at. SQLite knows nothing of how many rows there are, and would go through all of the
    organization's; for an expression there is no index."""
    narrower = wanted.webhook_id is not None or wanted.session_id is not None
    return (_c.organization_id.concat("") if narrower else _c.organization_id) == organization_id


def _wanted(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    conditions = [
        column == value
        for column, value in (
            (_c.webhook_id, wanted.webhook_id),
            (_c.meeting_id, wanted.meeting_id),
            (_c.session_id, wanted.session_id),
            (_c.event, wanted.event),
            (_c.event_id, wanted.event_id),
            (_c.status, wanted.status),
        )
        if value is not None
    ]
    if wanted.since is not None:
        conditions.append(_c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_c.created_at <= wanted.until)
    return conditions


def delivery_values(delivery: Delivery) -> dict[str, Any]:
    target = delivery.target
    return {name: getattr(delivery, name) for name in _PLAIN} | {
        "url": target.url if target else None,
        "failover_url": target.failover_url if target else None,
        "timeout_secs": target.timeout if target else None,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return _read(row._mapping)


def _read(row: Mapping[str, Any] | RowMapping) -> Delivery:
    values = {**row}
    del values["claim"]
    url, failover, timeout = (values.pop(name) for name in ("url", "failover_url", "timeout_secs"))
    return Delivery(
        **values
        | {
            "shape": Shape(values["shape"]),
            "status": DeliveryStatus(values["status"]),
            "target": None if url is None else Target(url, failover, timeout_of(timeout)),
        }
    )


def _settled(one: Outcome) -> dict[str, Any]:
    finished = not TRANSITIONS[one.status]
    return {
        "of": one.seq,
        "held_by": one.claim,
        "new_status": one.status,
        "number": one.attempt.number,
        "due": one.due_at,
        "finished": one.due_at if finished else None,
        "answered": one.attempt.status,
        "complaint": one.attempt.error,
    }


def _attempt_values(delivery_id: str, attempt: Attempt) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "number": attempt.number,
        "url": attempt.url,
        "started_at": attempt.started_at,
        "duration_ms": round(attempt.duration * 1000),
        "request_headers": dict(attempt.request_headers),
        "status": attempt.status,
        "response_headers": None if attempt.response_headers is None else dict(attempt.response_headers),
        "response_body": attempt.response_body,
        "error": attempt.error,
    }


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)
    del values["delivery_id"]
    return Attempt(duration=values.pop("duration_ms") / 1000, **values)
