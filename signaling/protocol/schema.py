"""The client protocol as one JSON Schema: `python -m signaling.protocol.schema > schema.json`.

The document's `$defs` hold every model; `oneOf` under `requests`, `events` and `results` say which of them
travel in which direction. The web client's types are generated from it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from signaling.protocol import messages

RESULTS: tuple[type[BaseModel], ...] = (
    messages.Joined,
    messages.Waiting,
    messages.Resumed,
    messages.IceServersGiven,
    messages.StatsGiven,
    messages.Published,
    messages.Subscribed,
    messages.StageActionDone,
    messages.WaitingActionDone,
    messages.Empty,
)

_STAGE_ACTIONS = ("request", "cancel", "join", "leave", "grant", "invite", "deny", "kick")

RESULT_OF: dict[str, tuple[type[BaseModel], ...]] = {
    "join": (messages.Joined, messages.Waiting),
    "resume": (messages.Resumed,),
    "get_ice_servers": (messages.IceServersGiven,),
    "get_stats": (messages.StatsGiven,),
    "publish": (messages.Published,),
    "subscribe": (messages.Subscribed,),
    "admit": (messages.WaitingActionDone,),
    "deny": (messages.WaitingActionDone,),
    **{f"stage_{action}": (messages.StageActionDone,) for action in _STAGE_ACTIONS},
}
"""What a request is answered with, one of these; `Empty` where it is not listed."""


def schema() -> dict[str, Any]:
    """The whole protocol, JSON Schema 2020-12."""
    requests = _members(messages.request_adapter.json_schema(ref_template="{model}"))
    events = _members(messages.event_adapter.json_schema(ref_template="{model}"))
    frames = [messages.Success, messages.Failure, messages.EventFrame]
    inbound: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (getattr(messages, name), "validation") for name in requests
    ]
    sent = [*(getattr(messages, name) for name in events), *RESULTS, *frames]
    outbound: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "serialization") for model in sent]
    _, definitions = models_json_schema([*inbound, *outbound])
    for name in requests:
        definitions["$defs"][name]["required"].append("type")
    names = {kind: [one.__name__ for one in results] for kind, results in RESULT_OF.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rostrum client protocol",
        "requests": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in requests]},
        "events": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in events]},
        "results": {"oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in RESULTS]},
        "result_of": names,
        "$defs": definitions["$defs"],
    }


def _members(union: dict[str, Any]) -> list[str]:
    return [member["$ref"] for member in union["oneOf"]]


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
