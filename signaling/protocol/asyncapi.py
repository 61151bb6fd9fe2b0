"""`/asyncapi.json`: the client protocol in AsyncAPI 3.0, from the models that the server parses with.

One channel, the WebSocket; for each request an operation with the result it is answered with, and one
operation for all events. Told from the server's side: it receives requests and sends events.
"""

from __future__ import annotations

from typing import Any, Final

from signaling.protocol.schema import schema

ADDRESS: Final = "/v2/ws"
_CHANNEL: Final = "#/channels/client"
_HERE: Final = "#/$defs/"
_THERE: Final = "#/components/schemas/"


def asyncapi(*, version: str) -> dict[str, Any]:
    """The document, as JSON."""
    protocol = _moved(schema())
    definitions: dict[str, Any] = protocol["$defs"]
    requests = _names(protocol["requests"])
    results = _names(protocol["results"])
    kinds = {name: str(definitions[name]["properties"]["type"]["const"]) for name in requests}
    answers_of = {name: protocol["result_of"].get(kinds[name], ["Empty"]) for name in requests}
    messages = {name: _message(definitions[name], {"$ref": _THERE + name}) for name in requests}
    messages |= {f"{name}Response": _message(definitions[name], _response(name)) for name in results}
    messages["Failure"] = _message(definitions["Failure"], {"$ref": _THERE + "Failure"})
    messages["EventFrame"] = _message(definitions["EventFrame"], {"$ref": _THERE + "EventFrame"})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rostrum client protocol",
            "version": version,
            "license": {"name": "Apache-2.0"},
            "description": "JSON frames over one WebSocket: see docs/protocol.md.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "client": {
                "address": ADDRESS,
                "title": "WebSocket",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            **{kinds[name]: _request(name, answers_of[name], definitions[name]) for name in requests},
            "events": {
                "action": "send",
                "channel": {"$ref": _CHANNEL},
                "summary": "What happens in the session; `seq` counts per peer.",
                "messages": [{"$ref": f"{_CHANNEL}/messages/EventFrame"}],
            },
        },
        "components": {"messages": messages, "schemas": definitions},
    }


def _request(name: str, answers: list[str], definition: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": _CHANNEL},
        "summary": _first_sentence(definition) or name,
        "messages": [{"$ref": f"{_CHANNEL}/messages/{name}"}],
        "reply": {
            "channel": {"$ref": _CHANNEL},
            "messages": [
                *({"$ref": f"{_CHANNEL}/messages/{one}Response"} for one in answers),
                {"$ref": f"{_CHANNEL}/messages/Failure"},
            ],
        },
    }


def _message(definition: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"name": str(definition.get("title", "")), "payload": payload}
    summary = _first_sentence(definition)
    return message | ({"summary": summary} if summary else {})


def _response(result: str) -> dict[str, Any]:
    """`Success` with the result that it has for this kind of request."""
    return {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "ok": {"const": True},
            "result": {"$ref": _THERE + result},
        },
        "required": ["id", "ok", "result"],
    }


def _first_sentence(definition: dict[str, Any]) -> str:
    return str(definition.get("description", "")).partition("\n\n")[0].replace("\n", " ")


def _names(union: dict[str, Any]) -> list[str]:
    return [str(one["$ref"]).rpartition("/")[2] for one in union["oneOf"]]


def _moved(value: Any) -> Any:
    """With references to where the definitions are in this document, and discriminators as AsyncAPI has them:
    the name of the property alone."""
    match value:
        case {"$ref": str(reference), **rest}:
            return {"$ref": reference.replace(_HERE, _THERE)} | {
                name: _moved(one) for name, one in rest.items()
            }
        case {"propertyName": str(name), "mapping": _}:
            return name
        case dict():
            return {name: _moved(inner) for name, inner in value.items()}
        case list():
            return [_moved(inner) for inner in value]
    return value
