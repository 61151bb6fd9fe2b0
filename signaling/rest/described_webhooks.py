"""What webhooks are sent, with which headers, from the models that it is written with: for /openapi.json, and
for /asyncapi.json (`signaling.rest.webhook_channels`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from signaling.domain.webhook import TEST_EVENT
from signaling.domain.webhook_events import RoomEvent, WebhookTest
from signaling.domain.webhook_sessions import EVENTS, ROOM_EVENTS
from signaling.rest.field_texts import describe
from signaling.rest.tags import EVENTS as TAG

_THERE: Final = "#/components/schemas/{model}"
_OF_ALL: Final = {
    "rostrum-event-id": "The same for the same event, in every attempt and every re-send.",
    "rostrum-delivery-id": "The delivery in the log.",
    "rostrum-attempt": "Which attempt this is, from 1.",
    "rostrum-timestamp": "Unix seconds of the attempt.",
    "rostrum-signature-ed25519": "Base64, Ed25519 over `timestamp|body`.",
    "rostrum-key-id": "The `kid` of the key of that signature in `/.well-known/webhooks.json`.",
}
_OF_ORGANIZATION: Final = {
    "rostrum-webhook-id": "The webhook.",
    "dyte-webhook-id": "The same; as `rtk-webhook-id`, too.",
    "dyte-uuid": "The event's id; as `rtk-uuid`, too.",
    "dyte-signature": "Base64, RSA (PKCS #1 v1.5) with SHA-256 of the body; as `rtk-signature`, too.",
    "rostrum-rsa-key-id": "The `kid` of the key of that one.",
}
_OF_ROOM: Final = {
    "telnyx-timestamp": "The same as `rostrum-timestamp`.",
    "telnyx-signature-ed25519": "The same as `rostrum-signature-ed25519`.",
}


@dataclass(frozen=True, slots=True)
class DescribedEvent:
    """`schema` of the body, `headers` with what they say. `of_room`: it goes to a room's URL."""

    name: str
    schema: dict[str, Any]
    headers: Mapping[str, str]
    of_room: bool


def described_events() -> tuple[list[DescribedEvent], dict[str, Any]]:
    """All of them, and the schemas that they refer to, below `#/components/schemas`."""
    events: dict[str, type[BaseModel]] = {**EVENTS, TEST_EVENT: WebhookTest}
    models: list[type[BaseModel]] = [*events.values(), *ROOM_EVENTS.values(), RoomEvent]
    schemas, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_THERE
    )
    given = {model: schemas[model, "serialization"] for model in models}
    told = [
        DescribedEvent(str(name), given[model], _OF_ALL | _OF_ORGANIZATION, of_room=False)
        for name, model in events.items()
    ]
    for name, payload in ROOM_EVENTS.items():
        facts = {"event_type": {"const": name}, "payload": given[payload]}
        data = {"allOf": [given[RoomEvent], {"type": "object", "properties": facts}]}
        schema = {"type": "object", "properties": {"data": data}, "required": ["data"]}
        told.append(DescribedEvent(name, schema, _OF_ALL | _OF_ROOM, of_room=True))
    schemas_by_name = definitions.get("$defs", {})
    for schema in schemas_by_name.values():
        if "properties" in schema:
            schema["properties"] = {
                name: _left_out_if_null(one) for name, one in schema["properties"].items()
            }
    describe(schemas_by_name)
    return told, schemas_by_name


def _left_out_if_null(schema: dict[str, Any]) -> dict[str, Any]:
    """As `to_body` prints: what is None is not there, so nothing is null."""
    options: list[dict[str, Any]] = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(options) != 1:
        return schema
    return options[0] | {name: value for name, value in schema.items() if name not in ("anyOf", "default")}


def described_webhooks() -> tuple[dict[str, Any], dict[str, Any]]:
    """The `webhooks` of `/openapi.json` by event, and the schemas that they refer to."""
    events, schemas = described_events()
    return {one.name: _told(one.name, one.schema, one.headers) for one in events}, schemas


def _told(name: str, schema: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "post": {
            "summary": f"What is sent of {name}",
            "tags": [TAG],
            "parameters": [
                {
                    "name": name,
                    "in": "header",
                    "required": True,
                    "description": description,
                    "schema": {"type": "string"},
                }
                for name, description in headers.items()
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {"2XX": {"description": "Taken. Anything else is tried again."}},
            "security": [],
        }
    }
