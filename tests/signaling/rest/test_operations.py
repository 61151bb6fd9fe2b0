"""What holds of every endpoint, read off the table of operations: a new one cannot be forgotten."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from signaling.domain.caller import EVERYTHING, Scope
from signaling.ids import new_uuid
from signaling.rest.openapi import example_of
from signaling.rest.operation import Access, Operation
from tests.signaling.rest.past import a_session
from tests.signaling.rest.world import World, documented


async def _meeting(world: World, _: dict[str, str]) -> str:
    return str((await world.meeting())["id"])


async def _participant(world: World, made: dict[str, str]) -> str:
    return str((await world.participant(made["meeting_id"]))["id"])


async def _preset(world: World, _: dict[str, str]) -> str:
    return str((await world.call("GET", "/v2/presets")).data[0]["id"])


async def _session(world: World, _: dict[str, str]) -> str:
    return (await a_session(world))[0]


async def _peer(world: World, made: dict[str, str]) -> str:
    return (await a_session(world, made.get("session_id")))[1]


async def _organization(world: World, _: dict[str, str]) -> str:
    return world.organization_id


async def _webhook(world: World, _: dict[str, str]) -> str:
    body = {"name": "ours", "url": "https://hooks.example/", "events": ["meeting.started"]}
    return str((await world.call("POST", "/v2/webhooks", body)).data["id"])


async def _delivery(world: World, made: dict[str, str]) -> str:
    webhook_id = made.get("webhook_id") or await _webhook(world, made)
    return str((await world.call("POST", f"/v2/webhooks/{webhook_id}/test")).data["id"])


async def _unit(world: World, _: dict[str, str]) -> str:
    path = f"/v2/orgs/{world.organization_id}/units"
    return str((await world.call("POST", path, {"name": "Sales"})).data["id"])


async def _key(world: World, _: dict[str, str]) -> str:
    return str((await world.call("POST", "/v2/api-keys", {"name": "CI"})).data["id"])


async def _user(world: World, _: dict[str, str]) -> str:
    invitation = {"email": f"{new_uuid()}@example.org", "name": "Ada", "role": "member"}
    return str((await world.call("POST", "/v2/users", invitation)).data["id"])


MAKERS: Final[dict[str, Callable[[World, dict[str, str]], Awaitable[str]]]] = {
    "account_id": _organization,
    "app_id": _organization,
    "key_id": _key,
    "meeting_id": _meeting,
    "org_id": _organization,
    "participant_id": _participant,
    "preset_id": _preset,
    "session_id": _session,
    "peer_id": _peer,
    "attendee_id": _peer,
    "unit_id": _unit,
    "user_id": _user,
    "room_id": _meeting,
    "room_participant_id": _peer,
    "room_session_id": _session,
    "webhook_id": _webhook,
    "delivery_id": _delivery,
}
"""How to make what a parameter in a path names, in the world's organization. A new noun needs a line here."""


MADE_ANEW: Final = ("/test", "/resend", "/generate_join_client_token")
"""How paths end where another one is made each time: a delivery, a token."""
SENT: Final = {
    "MeetingFacts",
    "ParticipantFacts",
    "MeetingEnded",
    "ParticipantLeft",
    "RoomParticipantJoined",
    "RoomParticipantLeft",
    "RoomSessionEnded",
}
"""What bodies of webhooks are made of."""
UNIQUE: Final = {"name", "unique_name", "email"}
"""What another one may not have as well."""
SECRETS: Final = ("key", "apikey", "password_token")
"""Shown in the first answer only."""


def scoped(world: World) -> list[Operation]:
    return [one for one in world.operations if isinstance(one.access, Scope)]


async def path_of(world: World, operation: Operation) -> str:
    made: dict[str, str] = {}
    for name in operation.parameters:
        assert name in MAKERS, f"{operation.name}: say in MAKERS how to make a {name!r}"
        made[name] = await MAKERS[name](world, made)
    return operation.path.format(**made)


def body_of(operation: Operation) -> Any:
    return None if operation.body is None else example_of(operation.body)


@pytest.mark.asvs("8.4.1")
async def test_what_belongs_to_another_organization_is_not_there_for_any_operation(world: World) -> None:
    rival = await world.other_organization()
    tried = 0
    for operation in scoped(world):
        if operation.parameters:
            path = await path_of(world, operation)
            answer = await world.call(operation.method, path, body_of(operation), auth=rival)
            assert answer.status == 404, (operation.name, answer.body)
            tried += 1
    assert tried > 25


@pytest.mark.asvs("8.4.1")
async def test_a_list_of_another_organization_shows_nothing_of_ours(world: World) -> None:
    rival = await world.other_organization()
    await world.participant((await world.meeting())["id"])
    for operation in scoped(world):
        if not operation.parameters and operation.method == "GET":
            answer = await world.call("GET", operation.path, auth=rival)
            ours = await world.call("GET", operation.path)
            if isinstance(answer.body, dict) and isinstance(answer.body.get("data"), list):
                theirs = {one["id"] for one in answer.body["data"]}
                known = {one["id"] for one in ours.body["data"]}
                if operation.access is Scope.ORGANIZATIONS_READ:  # our key is the platform's, and sees theirs
                    known = {world.organization_id}
                assert not theirs & known, operation.name


@pytest.mark.asvs("8.2.1")
async def test_without_its_scope_no_operation_is_done(world: World) -> None:
    for operation in scoped(world):
        assert isinstance(operation.access, Scope)
        path = await path_of(world, operation)
        noun = operation.access.partition(":")[0]
        with_it = {one for one in Scope if one.startswith(f"{noun}:")}  # who may write may read
        world.scopes = EVERYTHING - ({operation.access} if operation.access.writes else with_it)
        try:
            answer = await world.call(operation.method, path, body_of(operation))
        finally:
            world.scopes = EVERYTHING
        assert answer.status == 403, (operation.name, answer.body)
        assert operation.access in str(answer.body), "it says which scope is missing"


async def test_reading_never_needs_a_scope_to_write_and_the_other_way_round(world: World) -> None:
    for operation in scoped(world):
        assert isinstance(operation.access, Scope)
        assert operation.access.writes == operation.changes, operation.name


async def test_whatever_a_post_makes_is_made_once_with_a_key(world: World) -> None:
    tried = 0
    for operation in scoped(world):
        if operation.method != "POST" or operation.status != 201 or operation.path.endswith(MADE_ANEW):
            continue
        assert operation.once, f"{operation.name}: let it be sent again (`once_of`), or name it in MADE_ANEW"
        path, name = await path_of(world, operation), f"key-{tried}"
        body = body_of(operation) | dict.fromkeys(UNIQUE & body_of(operation).keys(), f"{tried}@example.org")
        made = await world.call("POST", path, body, headers={"Idempotency-Key": name})
        again = await world.call("POST", path, body, headers={"Idempotency-Key": name})
        assert (made.status, again.status) == (201, 201), (operation.name, made.body, again.body)
        assert again.headers["Idempotent-Replayed"] == "true", operation.name
        first, later = made.body["data"], again.body["data"]
        assert all(later[name] is None for name in SECRETS if name in first), operation.name
        kept = first.keys() - {*SECRETS, "token"}
        assert {name: later[name] for name in kept} == {name: first[name] for name in kept}, operation.name
        tried += 1
    assert tried >= 10


async def test_whatever_has_an_etag_is_changed_and_removed_under_its_condition(world: World) -> None:
    tagged = {operation.path for operation in world.operations if operation.tagged}
    for operation in scoped(world):
        if operation.method in ("PATCH", "PUT", "DELETE") and operation.path in tagged:
            assert operation.conditional, f"{operation.name}: take If-Match"
            path, stale = await path_of(world, operation), {"If-Match": '"77"'}
            answer = await world.call(operation.method, path, body_of(operation), headers=stale)
            assert answer.status == 412, (operation.name, answer.body)


async def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(world: World) -> None:
    names = [one.name for one in world.operations]
    assert len(set(names)) == len(names)
    for operation in world.operations:
        assert operation.summary and operation.tag, operation.name


async def test_every_body_and_every_answer_has_an_example_that_holds(world: World) -> None:
    for operation in world.operations:
        for model in (operation.body, operation.answer):
            if model is not None:
                example = example_of(model)
                assert example is not None, f"{operation.name}: give {model.__name__} an example (`shown`)"
                model.model_validate(example)


async def test_every_model_has_a_name_of_its_own_that_clients_can_be_generated_with(world: World) -> None:
    """Where two have one, their modules' names come into the document, and generators drop one of them."""
    schemas = (await world.call("GET", "/openapi.json", auth=None)).body["components"]["schemas"]
    assert [name for name in schemas if not name.isalnum()] == []
    titles = [schema["title"] for schema in schemas.values() if "title" in schema]
    assert len(set(titles)) == len(titles)
    assert {"permissions", "ui"} <= set(schemas["PresetAnswer"]["required"]), "they are in every answer"


async def test_the_description_has_every_operation(world: World) -> None:
    answer = await world.call("GET", "/openapi.json", auth=None)
    assert answer.status == 200 and answer.body["openapi"].startswith("3.1")
    told = {(method.upper(), path) for path, one in answer.body["paths"].items() for method in one}
    assert told == {(one.method, one.path) for one in world.operations if not one.hidden}
    ids = [one["operationId"] for path in answer.body["paths"].values() for one in path.values()]
    assert len(set(ids)) == len(ids)


async def test_every_parameter_says_what_it_is_and_has_an_example(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    for path in document["paths"].values():
        for operation in path.values():
            for one in operation["parameters"]:
                where = f"{operation['operationId']} {one['name']}"
                assert one["description"], f"{where}: a docstring, or a line in signaling.rest.parameters"
                listed = "enum" in one["schema"] or one["schema"].get("type") == "boolean"
                assert listed or "example" in one, f"{where}: an example, in signaling.rest.parameters"


async def test_every_body_and_every_answer_is_shown_by_an_example(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    for path in document["paths"].values():
        for operation in path.values():
            done = next(one for status, one in operation["responses"].items() if status.startswith("2"))
            for described in (operation.get("requestBody", {}), done):
                for media_type, content in described.get("content", {}).items():
                    assert "example" in content, f"{operation['operationId']}: {media_type}"


async def test_every_example_and_every_default_is_one_that_the_description_allows(world: World) -> None:
    from jsonschema_rs import Draft202012Validator

    document = (await world.call("GET", "/openapi.json", auth=None)).body
    validators: dict[str, Draft202012Validator] = {}
    tried = 0

    def check(schema: Any, value: Any, where: str) -> None:
        nonlocal tried
        key = json.dumps(schema)
        if key not in validators:
            validators[key] = Draft202012Validator(schema | {"components": document["components"]})
        assert [one.message for one in validators[key].iter_errors(value)] == [], (where, value)
        tried += 1

    def look(schema: Any, where: str) -> None:
        match schema:
            case dict():
                if "default" in schema:
                    check(schema, schema["default"], where)
                for name, inner in schema.items():
                    if name not in ("default", "example", "examples", "enum", "const"):
                        look(inner, f"{where}/{name}")
            case list():
                for inner in schema:
                    look(inner, where)

    for name, schema in document["components"]["schemas"].items():
        look(schema, name)
        for example in schema.get("examples", ()):
            check(schema, example, name)
    for name, path in document["paths"].items():
        for operation in () if name.startswith("/accounts/") else path.values():
            where = operation["operationId"]
            for one in operation["parameters"]:
                if "example" in one:
                    check(one["schema"], one["example"], f"{where} {one['name']}")
            for described in (operation.get("requestBody", {}), *operation["responses"].values()):
                for content in described.get("content", {}).values():
                    examples = [one["value"] for one in content.get("examples", {}).values()]
                    for example in examples + ([content["example"]] if "example" in content else []):
                        check(content["schema"], example, where)
    assert tried > 1000


async def test_what_a_patch_leaves_out_has_no_default_and_is_not_needed_at_any_depth(world: World) -> None:
    """A generated client sends defaults: it would change what nobody meant to."""
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    seen: set[str] = set()

    def look(schema: Any, where: str) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                look(document["components"]["schemas"][name], name)
        assert "required" not in schema, where
        for name, inner in schema.get("properties", {}).items():
            assert "default" not in inner, f"{where}.{name}"
            look(inner, f"{where}.{name}")
        for inner in schema.get("anyOf", ()):
            look(inner, where)

    for path, operations in document["paths"].items():
        for content in operations.get("patch", {}).get("requestBody", {}).get("content", {}).values():
            look(content["schema"], path)
    assert {"MeetingPatch", "PresetPatch", "PartialPresetConfig", "PartialRecordingVideo"} <= seen
    preset = document["components"]["schemas"]["PresetBody"]
    assert set(preset["required"]) == {"name", "config"}, "what is taken whole has both"


async def test_what_is_said_of_configuration_is_described_wherever_it_stands(world: World) -> None:
    schemas = (await world.call("GET", "/openapi.json", auth=None)).body["components"]["schemas"]
    configuration = {"$ref": "#/components/schemas/Configuration"}
    for name, field in (
        ("OpenBody", "configuration"),
        ("ConfigurationBody", "configuration"),
        ("ConfigurationAnswer", "configuration"),
        ("EffectiveAnswer", "values"),
    ):
        found = schemas[name]["properties"][field]
        assert configuration["$ref"] in str(found), name
    assert schemas["Configuration"]["properties"]["open_policy"]["description"] == "Who may begin a session."
    assert "PartialConfiguration" in str(schemas["ConfigurationPatch"])


async def test_what_the_code_says_of_a_field_is_in_the_description(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    schemas = document["components"]["schemas"]
    for model, field, said in (
        ("SessionAnswer", "associated_id", "Of the meeting."),
        ("MeetingPatch", "open_policy", "Who may begin a session."),
        ("PeerEventAnswer", "id", "Its id."),
        ("Permissions", "can_send_data", "Messages over data channels, to all or some"),
    ):
        found = schemas[model]["properties"][field].get("description")
        assert found == said or str(found).startswith(str(said)), (model, field, found)
    (sessions,) = (
        one for one in document["paths"]["/v2/sessions"]["get"]["parameters"] if one["name"] == "participants"
    )
    assert sessions["description"].startswith("Ids or custom ids of participants")


async def test_every_field_says_what_it_is(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    messages = (await world.call("GET", "/asyncapi.json", auth=None)).body["components"]["schemas"]
    sent = {name: messages[name] for name in ("MeetingFacts", "ParticipantFacts", "RoomParticipantLeft")}
    silent = [
        f"{model}.{name}"
        for model, schema in [*document["components"]["schemas"].items(), *sent.items()]
        for name, found in schema.get("properties", {}).items()
        # Shades and fractions have it in their names.
        if not found.keys() & {"description", "const"} and not name[0].isdigit()
    ]
    assert silent == [], "a docstring below the field, or a line in signaling.rest.field_texts"


async def test_every_group_of_operations_says_what_it_is_about(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    told = {one["name"]: one["description"] for one in document["tags"]}
    groups = (*document["paths"].values(), *document["webhooks"].values())
    assert {tag for path in groups for one in path.values() for tag in one["tags"]} == set(told)
    assert all(told.values()) and len(told) == len(document["tags"])
    pages = {part for text in told.values() for part in text.rstrip(".").split() if part.startswith("docs/")}
    assert pages and all((Path(__file__).parents[3] / page).exists() for page in pages)


async def test_what_the_description_refers_to_is_in_it(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                assert value["$ref"] in known
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(document)


async def test_the_protocol_of_the_socket_is_described_too(world: World) -> None:
    document = (await world.call("GET", "/asyncapi.json", auth=None)).body
    assert document["asyncapi"].startswith("3.")
    kinds = {one["properties"]["type"]["const"] for one in _requests(document)}
    assert kinds | {"events"} <= set(document["operations"])
    assert document["operations"]["join"]["reply"]["messages"][0]["$ref"].endswith("/JoinedResponse")


async def test_webhooks_are_described_beside_the_socket_with_the_same_bodies(world: World) -> None:
    document = (await world.call("GET", "/asyncapi.json", auth=None)).body
    openapi = (await world.call("GET", "/openapi.json", auth=None)).body
    told = {
        name: one
        for name, one in document["operations"].items()
        if one["channel"]["$ref"].endswith("_webhook")
    }
    assert set(told) == set(openapi["webhooks"])
    for name, operation in told.items():
        assert operation["action"] == "send"
        (message,) = (_at(document, _at(document, one["$ref"])["$ref"]) for one in operation["messages"])
        sent = openapi["webhooks"][name]["post"]
        assert message["payload"] == sent["requestBody"]["content"]["application/json"]["schema"]
        assert message["headers"]["required"] == [one["name"] for one in sent["parameters"]]
    for reference in _references(document):
        assert _at(document, reference) is not None, reference


async def test_what_webhooks_do_not_know_is_left_out_and_nothing_in_them_is_null(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    schemas = document["components"]["schemas"]
    facts = [one for name, one in schemas.items() if name in SENT]
    assert len(facts) == len(SENT)
    assert "null" not in json.dumps(facts)
    assert "endedAt" not in schemas["MeetingFacts"]["required"]
    assert schemas["MeetingFacts"]["properties"]["endedAt"]["format"] == "date-time"


def _at(document: Any, reference: str) -> Any:
    """Raises `KeyError` for what is not there."""
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)


def _requests(document: Any) -> list[Any]:
    received = (one for one in document["operations"].values() if one["action"] == "receive")
    names = (one["messages"][0]["$ref"].rpartition("/")[2] for one in received)
    return [document["components"]["schemas"][name] for name in names]


@pytest.mark.asvs("8.2.1")
async def test_nobody_gets_in_without_a_credential(world: World) -> None:
    for operation in world.operations:
        if operation.access is not Access.ANYBODY:
            path = operation.path.format(**dict.fromkeys(operation.parameters, "x"))
            answer = await world.call(operation.method, path, body_of(operation), auth=None)
            assert answer.status in (401, 415, 428), (operation.name, answer.status)
            assert answer.status in documented(operation)


KIT: Final = "/accounts/{account_id}/realtime/kit"


@pytest.mark.parametrize("prefix", ["/v2", KIT + "/{app_id}", "/client/v4" + KIT + "/{app_id}"])
async def test_the_realtimekit_prefix_is_an_alias(world: World, prefix: str) -> None:
    base = prefix.format(account_id=world.organization_id, app_id=world.organization_id)
    bearer = {"Authorization": f"Bearer {world.api_key}"}
    made = await world.call("POST", f"{base}/meetings", {"title": "Alias"}, auth=None, headers=bearer)
    assert (made.status, made.data["title"]) == (201, "Alias")
    read = await world.call("GET", f"{base}/meetings/{made.data['id']}", auth=None, headers=bearer)
    assert read.data == made.data
    assert read.headers["Cache-Control"] == "no-store"
    rival = await world.other_organization()
    assert (await world.call("GET", f"{base}/meetings/{made.data['id']}", auth=rival)).status == 404
    for path in (f"{base}/meetings", f"{base}/nothing"):
        assert (await world.call("GET", path, auth=None)).status == 401


async def test_the_vendors_base_url_is_no_more_to_describe(world: World) -> None:
    apps = ("/client/v4" + KIT + "/apps").format(account_id=world.organization_id)
    found = await world.call("GET", apps)
    assert [one["id"] for one in found.data] == [world.organization_id]
    assert not [one.path for one in world.operations if one.path.startswith("/client")]


async def test_the_description_has_what_webhooks_are_sent(world: World) -> None:
    document = (await world.call("GET", "/openapi.json", auth=None)).body
    bodies = {
        name: one["post"]["requestBody"]["content"]["application/json"]["schema"]
        for name, one in document["webhooks"].items()
    }
    for name in ("meeting.started", "meeting.participantLeft", "webhook.test", "video.room.session.ended"):
        assert bodies[name]
    left = document["components"]["schemas"]["ParticipantLeft"]
    assert left["properties"]["event"]["const"] == "meeting.participantLeft"
