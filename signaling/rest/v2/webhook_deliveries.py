"""The log of webhooks: `/v2/webhooks/{webhook_id}/deliveries`, and `/v2/webhook-deliveries` of all that there
were, those to URLs of meetings included."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.listed import OneOf
from signaling.domain.webhook import ALL_EVENTS
from signaling.domain.webhook_delivery import Attempt, Delivery, DeliveryStatus
from signaling.errors import ConflictError, StateError
from signaling.rest.access import organization_id_of
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Search
from signaling.rest.parsing import Answer, parse_query, shown
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.services.webhooks import WebhookService

EventText = Annotated[str, OneOf(ALL_EVENTS)]
Id = Annotated[str, Field(max_length=64)]
_EXAMPLE: Final = {
    "id": "7a1d8f34-0f5e-5c0b-9a55-7c2f35c1b2aa",
    "event_id": "0c9a4d7e-3f60-5d2b-8a0e-5b1c2d3e4f50",
    "event": "meeting.participantJoined",
    "webhook_id": "5d4f0c5e-6a0f-4f0e-8f6a-0d2b8c1a7e11",
    "meeting_id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
    "session_id": "2f1e0d9c-8b7a-4c6d-9e5f-4a3b2c1d0e9f",
    "status": "DELIVERED",
    "attempts": 1,
    "last_status": 200,
    "last_error": None,
    "created_at": "2026-01-31T09:30:00.125Z",
    "next_attempt_at": None,
    "finished_at": "2026-01-31T09:30:00.250Z",
    "resent_from": None,
}
_ATTEMPT: Final = {
    "number": 1,
    "url": "https://hooks.example/rostrum",
    "started_at": "2026-01-31T09:30:00.130Z",
    "duration_ms": 118,
    "request_headers": {"content-type": "application/json", "rostrum-attempt": "1"},
    "status": 200,
    "response_headers": {"content-type": "text/plain"},
    "response_body": "ok",
    "error": None,
}


class DeliveryQuery(Search):
    """`start_time` and `end_time` are of when the event was written down. `search` is the id of an event."""

    event: EventText | None = None
    status: DeliveryStatus | None = None
    meeting_id: Id | None = None
    session_id: Id | None = None

    def wanted(self) -> DeliveryFilter:
        return DeliveryFilter(
            meeting_id=self.meeting_id,
            session_id=self.session_id,
            event=self.event,
            event_id=self.search,
            status=self.status,
            since=self.since,
            until=self.until,
        )


class AllDeliveriesQuery(DeliveryQuery):
    webhook_id: Id | None = None

    def wanted(self) -> DeliveryFilter:
        return replace(super().wanted(), webhook_id=self.webhook_id)


class DeliverySummary(Answer):
    model_config = shown(_EXAMPLE)

    id: str
    event_id: str
    """The same for the same event, in every delivery of it."""
    event: EventText
    webhook_id: str | None
    """null: it goes to the URL that the meeting names."""
    meeting_id: str | None
    session_id: str | None
    status: DeliveryStatus
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: Timestamp
    next_attempt_at: Timestamp | None
    """Of one that waits: not before then, and not before those of its session that came before it."""
    finished_at: Timestamp | None
    resent_from: str | None
    """The id of the delivery that this one repeats."""

    @classmethod
    def of(cls, delivery: Delivery) -> DeliverySummary:
        return cls.reading(delivery, next_attempt_at=_next_attempt(delivery))


class AttemptAnswer(Answer):
    model_config = shown(_ATTEMPT)

    number: int
    url: str
    started_at: Timestamp
    duration_ms: int
    request_headers: dict[str, str]
    status: int | None
    response_headers: dict[str, str] | None
    response_body: str | None
    """The first 4 KiB."""
    error: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptAnswer:
        return cls.reading(attempt, duration_ms=round(attempt.duration * 1000))


class DeliveryAnswer(DeliverySummary):
    model_config = shown(
        _EXAMPLE | {"request_body": '{"event":"meeting.participantJoined"}', "log": [_ATTEMPT]}
    )

    request_body: str
    """Exactly what is sent and signed."""
    log: list[AttemptAnswer]

    @classmethod
    def with_log(cls, delivery: Delivery, attempts: list[AttemptAnswer]) -> DeliveryAnswer:
        return cls.reading(
            delivery,
            next_attempt_at=_next_attempt(delivery),
            request_body=delivery.body,
            log=attempts,
        )


DELIVERIES: Final = "/v2/webhook-deliveries"
OF_WEBHOOK: Final = "/v2/webhooks/{webhook_id}/deliveries"


class DeliveryRoutes:
    def __init__(self, service: WebhookService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            self._list(DELIVERIES, self.list, AllDeliveriesQuery, named="listDeliveries"),
            *self._one(DELIVERIES, named="Delivery"),
            self._list(OF_WEBHOOK, self.list_of_webhook, DeliveryQuery, named="listWebhookDeliveries"),
            *self._one(OF_WEBHOOK, named="WebhookDelivery"),
        ]

    def _list(self, path: str, handler: Handler, query: type[DeliveryQuery], *, named: str) -> Operation:
        return Operation(
            method="GET",
            path=path,
            handler=handler,
            name=named,
            summary="List deliveries, newest first",
            tag="Webhooks",
            access=Scope.WEBHOOKS_READ,
            query=query,
            answer=DeliverySummary,
            many=Many.PAGE,
        )

    def _one(self, path: str, *, named: str) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=path + "/{delivery_id}",
                handler=self.get,
                name=f"get{named}",
                summary="Read a delivery, with every attempt",
                tag="Webhooks",
                access=Scope.WEBHOOKS_READ,
                answer=DeliveryAnswer,
            ),
            Operation(
                method="POST",
                path=path + "/{delivery_id}/resend",
                handler=self.resend,
                name=f"resend{named}",
                summary="Send the event of a finished delivery again",
                tag="Webhooks",
                access=Scope.WEBHOOKS_WRITE,
                answer=DeliverySummary,
                status=201,
                errors=(ConflictError, StateError),
            ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, AllDeliveriesQuery)
        found, total = await self._service.deliveries(
            organization_id_of(request), query.wanted(), offset=query.offset, limit=query.per_page
        )
        return listing([DeliverySummary.of(one) for one in found], query, total)

    async def list_of_webhook(self, request: web.Request) -> web.Response:
        query = parse_query(request, DeliveryQuery)
        found, total = await self._service.deliveries_to(
            organization_id_of(request),
            request.match_info["webhook_id"],
            query.wanted(),
            offset=query.offset,
            limit=query.per_page,
        )
        return listing([DeliverySummary.of(one) for one in found], query, total)

    async def get(self, request: web.Request) -> web.Response:
        found, attempts = await self._service.delivery(
            organization_id_of(request),
            request.match_info["delivery_id"],
            webhook_id=request.match_info.get("webhook_id"),
        )
        return success(DeliveryAnswer.with_log(found, [AttemptAnswer.of(one) for one in attempts]))

    async def resend(self, request: web.Request) -> web.Response:
        made = await self._service.resend(
            organization_id_of(request),
            request.match_info["delivery_id"],
            webhook_id=request.match_info.get("webhook_id"),
        )
        return success(DeliverySummary.of(made), status=201)


def _next_attempt(delivery: Delivery) -> datetime | None:
    return delivery.due_at if delivery.status is DeliveryStatus.QUEUED else None
