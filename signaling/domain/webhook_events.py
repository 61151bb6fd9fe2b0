"""What happened, in the form in which webhooks hear of it.

An occurrence is known by where it happened and by what makes it one of its kind. From that its id follows:
the same occurrence has the same id, however often it is written down, sent or sent again. Each kind says how
it is written for an organization's webhook and, where rooms hear of it too, for a room's.

A body is JSON as JavaScript would print it: a receiver that parsed it and prints it again has the bytes that
were signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Protocol
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny
from pydantic.alias_generators import to_camel

from signaling.domain.webhook import EventName, RoomEventName, Shape, Subscriber, Webhook
from signaling.domain.webhook_delivery import Delivery

_NAMESPACE: Final = UUID("5f0c1d52-7a3e-4a53-9a53-3c6e9cf0b2a1")
TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""As `to_text` writes it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What an event tells of its surroundings."""

    organization_name: str
    meeting_title: str | None


class Payload(BaseModel):
    """For an organization's webhook: camelCase, and what is not known is left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class RoomPayload(BaseModel):
    model_config = ConfigDict(frozen=True)


class RoomEvent(BaseModel):
    """For a room's webhook."""

    model_config = ConfigDict(frozen=True)

    record_type: Literal["event"] = "event"
    event_type: RoomEventName
    id: str = Field(description="The same for the same event, however often it is sent.")
    occurred_at: TimeText
    payload: SerializeAsAny[RoomPayload]


class Occurrence(Protocol):
    """Something that webhooks are told of."""

    @property
    def name(self) -> EventName: ...
    @property
    def organization_id(self) -> str: ...
    @property
    def meeting_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def identity(self) -> str:
        """What tells it from others of its name in the same session."""
        ...

    @property
    def at(self) -> datetime: ...

    def for_organization(self, setting: Setting) -> Payload: ...

    def for_room(self) -> tuple[RoomEventName, RoomPayload] | None:
        """Its name there and what it tells; None where rooms do not hear of it."""
        ...


def event_id(occurrence: Occurrence) -> str:
    return str(uuid5(_NAMESPACE, f"{occurrence.session_id} {occurrence.name} {occurrence.identity}"))


def delivery(
    occurrence: Occurrence, subscriber: Subscriber, setting: Setting, now: datetime
) -> Delivery | None:
    """Of this occurrence to this subscriber; None where it does not hear of it."""
    identity = event_id(occurrence)
    name: EventName | RoomEventName
    body: BaseModel
    if subscriber.shape is Shape.ORGANIZATION:
        name, body = occurrence.name, occurrence.for_organization(setting)
    else:
        told = occurrence.for_room()
        if told is None:
            return None
        name, payload = told
        at = to_text(occurrence.at)
        body = _Enveloped(data=RoomEvent(event_type=name, id=identity, occurred_at=at, payload=payload))
    return Delivery(
        id=str(uuid5(UUID(identity), subscriber.key)),
        event_id=identity,
        event=name,
        organization_id=occurrence.organization_id,
        subscriber=subscriber.key,
        queue=f"{subscriber.key} {occurrence.session_id}",
        shape=subscriber.shape,
        body=to_body(body),
        created_at=now,
        due_at=now,
        webhook_id=subscriber.webhook_id,
        meeting_id=occurrence.meeting_id,
        session_id=occurrence.session_id,
        target=subscriber.target,
    )


class WebhookFacts(Payload):
    id: str
    name: str


class WebhookTest(Payload):
    """Somebody wants to see whether the webhook works."""

    event: Literal["webhook.test"] = "webhook.test"
    webhook: WebhookFacts
    sent_at: TimeText


def test_body(webhook: Webhook, now: datetime) -> str:
    return to_body(WebhookTest(webhook=WebhookFacts(id=webhook.id, name=webhook.name), sent_at=to_text(now)))


def to_body(model: BaseModel) -> str:
    return model.model_dump_json(by_alias=True, exclude_none=True)


def to_text(time: datetime) -> str:
    """`2026-01-31T09:30:00.125Z`"""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Enveloped(BaseModel):
    data: RoomEvent
