"""Where there are only so many values, `/openapi.json` names them, and others are refused by naming them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from signaling.domain.attendance import LEFT_BECAUSE, PeerEventKind
from signaling.domain.caller import Scope
from signaling.domain.events import LeaveReason
from signaling.domain.plan import Feature
from signaling.domain.session_status import SessionEndReason
from signaling.domain.webhook import EventName, RoomEventName
from tests.signaling import values
from tests.signaling.rest.world import ON_BOTH, World

pytestmark = ON_BOTH
LISTED: Final = re.compile(
    r"(?i)(^|\.|_)(.*reasons?|status|direction|action|plan|scopes?|events?|event_(name|type)|"
    r"(view|candidate|record)_?type|protocol|policy|sort_\w+|codec|feature_flags)(\[\])?$"
)
"""How a field is called that has only so many values."""


async def the_document(world: World) -> Any:
    return (await world.call("GET", "/openapi.json", auth=None)).body


def texts(document: Any) -> Iterator[tuple[str, Any]]:
    """Every text that bodies, answers and queries have in them, with what it is called where."""

    def look(schema: Any, where: str) -> Iterator[tuple[str, Any]]:
        if schema.get("type") == "string":
            yield where, schema
        for name, inner in schema.get("properties", {}).items():
            yield from look(inner, f"{where}.{name}")
        for keyword in ("anyOf", "oneOf", "allOf"):
            for inner in schema.get(keyword, ()):
                yield from look(inner, where)
        if isinstance(schema.get("items"), dict):
            yield from look(schema["items"], where + "[]")

    for name, schema in document["components"]["schemas"].items():
        yield from look(schema, name)
    for path in document["paths"].values():
        for operation in path.values():
            for one in operation["parameters"]:
                yield from look(one["schema"], f"{operation['operationId']}?.{one['name']}")


async def test_what_sounds_as_if_it_had_only_so_many_values_names_them(world: World) -> None:
    found = [one for one in texts(await the_document(world)) if LISTED.search(one[0])]
    assert len(found) > 60
    vague = [where for where, schema in found if not schema.keys() & {"enum", "const"}]
    vague.remove("FailureError.reason")  # each error has its own (docs/errors.md)
    assert vague == [], "give them their type"


async def test_the_values_that_are_named_are_those_that_the_code_has(world: World) -> None:
    by_place: dict[str, set[str]] = {}
    document = await the_document(world)
    schemas = document["components"]["schemas"]
    for where, schema in texts(document):
        by_place.setdefault(where, set()).update(schema.get("enum", ()))
    ends = {one.upper() for one in SessionEndReason}
    leaves = {one.lower() for one in LEFT_BECAUSE}
    flags = {*Feature, *(f"-{one}" for one in Feature)}
    for where, expected in (
        ("SessionAnswer.end_reason", ends),
        ("MeetingEnded.reason", ends),
        ("RoomSessionEnded.ended_reason", {one.lower() for one in ends}),
        ("PersonAnswer.leave_reason", leaves),
        ("ReportedPerson.leave_reason", leaves),
        ("RoomParticipantLeft.left_reason", leaves),
        ("DeliverySummary.event", {*EventName, *RoomEventName, "webhook.test"}),
        ("DeliveryAnswer.event", {*EventName, *RoomEventName, "webhook.test"}),
        ("listDeliveries?.event", {*EventName, *RoomEventName, "webhook.test"}),
        ("listWebhookDeliveries?.event", {*EventName, *RoomEventName, "webhook.test"}),
        ("OrganizationBody.feature_flags[]", flags),
        ("OrganizationAnswer.feature_flags[]", flags),
        ("DeviceInfo.device", {"desktop", "mobile", "bot", "whip", "whep"}),
        ("Targeted.action", {"kick", "mute", "unmute", "censor", "admit", "deny"}),
        ("CandidatePairAnswer.remote_candidate_type", {"host", "srflx", "prflx", "relay"}),
        ("CandidatePairAnswer.remote_candidate_protocol", {"udp", "tcp"}),
    ):
        assert by_place[where] == expected, where
    assert set(schemas["Scope"]["enum"]) == set(Scope)
    assert schemas["KeyAnswer"]["properties"]["scopes"]["items"] == {"$ref": "#/components/schemas/Scope"}
    assert set(schemas["RoomEventName"]["enum"]) == set(RoomEventName)
    assert set(schemas["PeerEventKind"]["enum"]) == set(PeerEventKind)
    events = {
        name: one["post"]["requestBody"]["content"]["application/json"]["schema"]
        for name, one in document["webhooks"].items()
    }
    assert events.keys() <= {*EventName, *RoomEventName, "webhook.test"}


async def test_whoever_leaves_for_whatever_reason_is_shown_with_it(world: World) -> None:
    """As they are stored: what is not in the list would be an internal error."""
    assert set(LeaveReason) < set(LEFT_BECAUSE)
    meeting = (await world.meeting())["id"]
    for reason in SessionEndReason:
        session = await world.session(meeting, ended=True, reason=reason)
        shown = (await world.call("GET", f"/v2/sessions/{session.id}")).data
        assert shown["end_reason"] == reason.upper()
    running = await world.session(meeting, seconds=100)
    for number, left in enumerate(LEFT_BECAUSE):
        there = await world.attendance(running, seconds=101 + number)
        async with world.database() as uow:
            assert await uow.sessions.save_attendance(there.left(left, values.at(200)))
            await uow.commit()
    path = f"/v2/sessions/{running.id}/participants"
    people = (await world.call("GET", path)).body["data"]["participants"]
    assert [one["leave_reason"] for one in people] == [one.lower() for one in LEFT_BECAUSE]


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", "/v2/webhook-deliveries?event=meeting.paused", None, "'video.room.session.started'"),
        ("GET", "/v2/sessions?lifecycle_status=GONE", None, "'ARCHIVED'"),
        ("POST", "/v2/api-keys", {"name": "CI", "scopes": ["meetings:own"]}, "'meetings:write'"),
        ("POST", "/v2/orgs", {"name": "Acme", "feature_flags": ["teleport"]}, "'-recording'"),
        ("POST", "/v2/webhooks", {"name": "a", "url": "b", "events": ["all"]}, "'meeting.participantJoined'"),
        ("POST", "/v2/presets", {"name": "a", "config": {"view_type": "CALL"}}, "'GROUP_CALL'"),
        ("POST", "/v2/meetings", {"join_policy": "ALL"}, "'ORGUNIT'"),
    ],
)
async def test_who_sends_another_value_is_told_those_that_there_are(
    world: World, method: str, path: str, body: Any, named: str
) -> None:
    answer = await world.call(method, path, body)
    assert answer.status == 422
    assert named in answer.error["message"]
