from __future__ import annotations

import json
import subprocess
import sys
from typing import get_args

from signaling.domain.preset import ViewType
from signaling.protocol import messages
from signaling.protocol.schema import RESULT_OF, schema
from signaling.services.live.requests import HANDLERS


def test_every_request_and_event_is_in_the_schema() -> None:
    document = schema()
    requests = {one["$ref"].rsplit("/", 1)[1] for one in document["requests"]["oneOf"]}
    events = {one["$ref"].rsplit("/", 1)[1] for one in document["events"]["oneOf"]}

    assert requests == {one.__name__ for one in get_args(get_args(messages.AnyRequest)[0])}
    assert events == {one.__name__ for one in get_args(get_args(messages.AnyEvent)[0])}
    assert requests | events <= set(document["$defs"])


def test_presets_have_the_view_types_that_the_protocol_names() -> None:
    assert schema()["$defs"]["MeetingInfo"]["properties"]["view_type"]["enum"] == list(ViewType)


def test_every_reference_leads_to_a_definition() -> None:
    document = schema()

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for below in value.values() for one in references(below)]
        if isinstance(value, list):
            return [one for below in value for one in references(below)]
        return []

    assert references(document)
    for reference in references(document):
        assert reference.removeprefix("#/$defs/") in document["$defs"]


def test_every_request_has_a_handler_and_a_result() -> None:
    requests = {one.__name__ for one in get_args(get_args(messages.AnyRequest)[0])}
    assert {one.__name__ for one in HANDLERS} == requests - {"Join", "Resume", "UpdateToken", "ReportDevices"}
    types = {one.model_fields["type"].default for one in get_args(get_args(messages.AnyRequest)[0])}
    assert set(RESULT_OF) <= types


def test_the_tag_of_every_message_is_required() -> None:
    document = schema()
    for direction in ("requests", "events"):
        for one in document[direction]["oneOf"]:
            assert "type" in document["$defs"][one["$ref"].rsplit("/", 1)[1]]["required"]


def test_the_module_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "signaling.protocol.schema"], capture_output=True, check=True, text=True
    )
    assert json.loads(printed.stdout) == json.loads(json.dumps(schema()))
