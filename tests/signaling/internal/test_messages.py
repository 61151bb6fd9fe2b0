from __future__ import annotations

import json

import pytest

from signaling.errors import (
    MisdirectedError,
    NoActiveSessionError,
    OverloadedError,
    SignalingError,
    ValidationFailedError,
)
from signaling.internal.messages import parse_error, print_error
from signaling.services.live.calls import CALLS, Call
from tests.signaling import values

MEETING = values.meeting(values.organization())


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_everything_that_is_asked_of_live_sessions_can_be_carried(call: Call) -> None:
    assert call.for_all or call.addressee in ("meeting_id", "meeting", "participant")
    assert call.arguments.model_json_schema(mode="serialization")["required"]
    assert call.answer.json_schema(mode="serialization")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("meeting_changed", {"meeting": MEETING}),
        ("participant_changed", {"participant": values.participant(MEETING)}),
        ("preset_changed", {"organization_id": "org", "preset_name": "host"}),
    ],
)
def test_arguments_arrive_as_they_were_sent(name: str, arguments: dict[str, object]) -> None:
    call = CALLS[name]
    assert call.parse(json.loads(json.dumps(call.print(arguments)))) == arguments


@pytest.mark.parametrize(
    "error",
    [
        NoActiveSessionError(),
        ValidationFailedError("a: too long", field="a"),
        OverloadedError(retry_after=7.0),
        MisdirectedError(url="https://b.example.org"),
    ],
)
def test_an_error_arrives_as_it_was_raised(error: SignalingError) -> None:
    again = parse_error(json.loads(json.dumps(print_error(error))))
    assert type(again) is type(error)
    assert (again.message, again.retry_after, again.field) == (error.message, error.retry_after, error.field)
    assert getattr(again, "url", None) == getattr(error, "url", None)


def test_an_error_that_a_newer_version_knows_is_an_error_here() -> None:
    assert type(parse_error({"name": "Unheard", "message": "Of a newer version."})) is SignalingError
