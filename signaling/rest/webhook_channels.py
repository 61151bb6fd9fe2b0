"""Webhooks in `/asyncapi.json`, beside the WebSocket: what is sent where, from the same models.

Two channels, of which only who receives knows the address: the URL of an organization's webhook, and that of
a room. For each event an operation, whose message has the headers and the body of the request.
"""

from __future__ import annotations

from typing import Any, Final

from signaling.rest.described_webhooks import DescribedEvent, described_events

_ORGANIZATIONS: Final = "organization_webhook"
_ROOMS: Final = "room_webhook"
_ABOUT: Final = {
    _ORGANIZATIONS: ("An organization's webhook", "POST to the URL of a webhook: see docs/webhooks.md."),
    _ROOMS: ("A room's webhook", "POST to the URL that a meeting or room names: see docs/webhooks.md."),
}


def with_webhooks(document: dict[str, Any]) -> dict[str, Any]:
    """The document of the WebSocket with them."""
    events, schemas = described_events()
    components = document["components"]
    shared = components["schemas"].keys() & schemas.keys()
    assert not shared, f"{sorted(shared)} mean one thing on the WebSocket and another one in webhooks"
    return document | {
        "channels": document["channels"] | {name: _channel(name, events) for name in _ABOUT},
        "operations": document["operations"] | {one.name: _operation(one) for one in events},
        "components": components
        | {
            "messages": components["messages"] | {one.name: _message(one) for one in events},
            "schemas": components["schemas"] | schemas,
        },
    }


def _channel(name: str, events: list[DescribedEvent]) -> dict[str, Any]:
    title, description = _ABOUT[name]
    sent = (one.name for one in events if _channel_of(one) == name)
    return {
        "address": None,
        "title": title,
        "description": description,
        "messages": {event: {"$ref": f"#/components/messages/{event}"} for event in sent},
    }


def _operation(event: DescribedEvent) -> dict[str, Any]:
    channel = f"#/channels/{_channel_of(event)}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "summary": f"What is sent of {event.name}",
        "messages": [{"$ref": f"{channel}/messages/{event.name}"}],
    }


def _message(event: DescribedEvent) -> dict[str, Any]:
    return {
        "name": event.name,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                name: {"type": "string", "description": description}
                for name, description in event.headers.items()
            },
            "required": list(event.headers),
        },
        "payload": event.schema,
    }


def _channel_of(event: DescribedEvent) -> str:
    return _ROOMS if event.of_room else _ORGANIZATIONS
