"""Configuration of organizations and units, and what follows from it, over REST."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.domain.configuration import Level, LevelKind, Origin, effective, parse_configuration
from tests.signaling import values
from tests.signaling.rest.world import ON_BOTH, World

pytestmark = ON_BOTH


def of_organization(world: World) -> str:
    return f"/v2/orgs/{world.organization_id}/configuration"


async def unit(world: World, *, below: str | None = None) -> str:
    async with world.database() as uow:
        organization = await uow.organizations.get(world.organization_id)
        assert organization is not None
        parent = None if below is None else await uow.units.get(organization.id, below)
        made = values.unit(organization, below=parent)
        await uow.units.add(made)
        await uow.commit()
    return made.id


async def test_nobody_has_said_anything_at_first(world: World) -> None:
    answer = await world.call("GET", of_organization(world))
    assert answer.data == {"configuration": {}, "locked": []}


async def test_put_replaces_patch_merges_and_null_takes_back(world: World) -> None:
    path = of_organization(world)
    said = {"max_participants": 9, "recording_config": {"max_seconds": 90, "video_config": {"codec": "VP8"}}}
    put = await world.call("PUT", path, {"configuration": said, "locked": ["max_participants"]})
    assert put.data == {"configuration": said, "locked": ["max_participants"]}
    patch = {"max_participants": None, "recording_config": {"video_config": {"width": 640}}}
    patched = await world.call("PATCH", path, {"configuration": patch})
    assert patched.data == {
        "configuration": {
            "recording_config": {"max_seconds": 90, "video_config": {"codec": "VP8", "width": 640}}
        },
        "locked": ["max_participants"],
    }
    assert (await world.call("GET", path)).data == patched.data
    emptied = await world.call("PUT", path, {})
    assert emptied.data == {"configuration": {}, "locked": []}


async def test_two_who_change_the_same_do_not_overwrite_each_other(world: World) -> None:
    path = of_organization(world)
    etag = (await world.call("GET", path)).headers["ETag"]
    first = await world.call(
        "PATCH", path, {"configuration": {"max_participants": 5}}, headers={"If-Match": etag}
    )
    assert first.status == 200 and first.headers["ETag"] != etag
    second = await world.call(
        "PATCH", path, {"configuration": {"max_participants": 6}}, headers={"If-Match": etag}
    )
    assert second.status == 412


async def test_every_value_of_a_meeting_has_the_level_it_comes_from(world: World) -> None:
    top = await unit(world)
    leaf = await unit(world, below=top)
    await world.call(
        "PATCH", of_organization(world), {"configuration": {"max_participants": 50, "persist_chat": True}}
    )
    defined = {"profiles": {"clinic": ["audio"], "school": []}, "max_participants": 20}
    for owner, said in ((top, defined), (leaf, {"profile": "clinic"})):
        path = f"/v2/orgs/{world.organization_id}/units/{owner}/configuration"
        assert (await world.call("PATCH", path, {"configuration": said})).status == 200
    meeting = await world.meeting(unit_id=leaf, persist_chat=False)
    data = (await world.call("GET", f"/v2/meetings/{meeting['id']}/effective-config")).data
    expected: dict[str, tuple[Any, str, str | None]] = {
        "max_participants": (20, "unit", top),
        "profile": ("clinic", "unit", leaf),
        "persist_chat": (False, "meeting", meeting["id"]),
        "join_policy": ("ORG", "system", None),
    }
    for key, (value, level, owner_id) in expected.items():
        assert data["values"][key] == value
        assert data["origins"][key] == {"level": level, "id": owner_id}
    assert (data["locked"], data["passed_over"]) == ({}, {})
    assert data["values"]["profiles"] == {"clinic": ["audio"]}, "only the one that is chosen"
    assert [key for key in data["origins"] if key.startswith("profiles")] == ["profiles.clinic"]


async def test_a_profile_or_a_skin_is_chosen_among_those_that_there_are(world: World) -> None:
    path = of_organization(world)
    for key in ("profile", "skin"):
        for refused in (
            await world.call("POST", "/v2/meetings", {key: "clinic"}),
            await world.call("PATCH", path, {"configuration": {key: "clinic"}}),
        ):
            assert (refused.status, refused.error["field"]) == (422, key)
    defined = {"profiles": {"clinic": ["video", "audio", "audio"]}, "skins": {"clinic": {"theme": "light"}}}
    said = (await world.call("PATCH", path, {"configuration": {**defined, "skin": "clinic"}})).data
    assert said["configuration"]["profiles"] == {"clinic": ["audio", "video"]}
    meeting = await world.meeting(profile="clinic")
    assert (meeting["profile"], meeting["skin"]) == ("clinic", None)
    opened = await world.call("POST", f"/v2/meetings/{meeting['id']}/open", {"configuration": {"skin": "no"}})
    assert (opened.status, opened.error["field"]) == (422, "skin")

    await world.call("PATCH", path, {"configuration": {"profiles": {"clinic": None}}})
    renamed = await world.call("PATCH", f"/v2/meetings/{meeting['id']}", {"title": "Still mine"})
    assert renamed.status == 200, "what was chosen before is in nobody's way"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"profiles": {"clinic": ["telepathy"]}}, "profiles.clinic.0"),
        ({"profiles": {"a.b": []}}, "profiles"),
        ({"skins": {"dark": {"theme": "pink"}}}, "skins.dark"),
        ({"skins": {"dark": {"colors": {"brand": {"500": "url(x);"}}}}}, "skins.dark"),
        ({"skins": {"dark": {"logo": None}}}, "skins.dark"),
    ],
)
async def test_what_is_no_profile_and_no_skin_is_refused(
    world: World, wrong: dict[str, Any], field: str
) -> None:
    refused = await world.call("PATCH", of_organization(world), {"configuration": wrong})
    assert refused.status == 422 and refused.error["field"].startswith(field), refused.body


async def test_what_is_locked_above_cannot_be_said_and_what_was_said_before_is_passed_over(
    world: World,
) -> None:
    before = await world.meeting(max_participants=99)
    lock = {"configuration": {"max_participants": 9}, "locked": ["max_participants"]}
    assert (await world.call("PUT", of_organization(world), lock)).status == 200

    refused = await world.call("POST", "/v2/meetings", {"max_participants": 10})
    assert (refused.status, refused.error["name"]) == (403, "ConfigurationLocked")
    assert refused.error["field"] == "max_participants"
    path = f"/v2/meetings/{before['id']}"
    assert (await world.call("PATCH", path, {"max_participants": 98})).status == 403
    assert (await world.call("PATCH", path, {"title": "Still mine"})).status == 200

    data = (await world.call("GET", path + "/effective-config")).data
    organization = {"level": "organization", "id": world.organization_id}
    assert data["values"]["max_participants"] == 9
    assert data["locked"] == {"max_participants": organization}
    assert data["passed_over"] == {"max_participants": {"level": "meeting", "id": before["id"]}}
    opened = await world.call("POST", path + "/open", {"configuration": {"max_participants": 3}})
    assert opened.error["name"] == "ConfigurationLocked"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"configuration": {"max_participants": 0}}, "max_participants"),
        ({"configuration": {"colour": "red"}}, "colour"),
        ({"locked": ["colour"]}, "locked"),
        ({"configuration": 5}, "configuration"),
    ],
)
async def test_a_wrong_key_or_value_is_named(world: World, body: dict[str, Any], field: str) -> None:
    for method in ("PUT", "PATCH"):
        answer = await world.call(method, of_organization(world), body)
        assert (answer.status, answer.error["field"]) == (422, field)


async def test_a_session_shows_what_it_was_started_with(world: World) -> None:
    meeting = await world.meeting()
    said = effective([Level(Origin(LevelKind.SYSTEM), parse_configuration({"max_participants": 4}))])
    async with world.database() as uow:
        kept = await uow.meetings.get(world.organization_id, meeting["id"])
        assert kept is not None
        session = values.session(kept)
        await uow.sessions.add(session)
        await uow.configurations.add_snapshot(world.organization_id, session.id, said)
        await uow.commit()
    data = (await world.call("GET", f"/v2/sessions/{session.id}/effective-config")).data
    assert data["values"] == {"max_participants": 4}
    assert data["origins"] == {"max_participants": {"level": "system", "id": None}}


async def test_a_participant_whom_the_policy_does_not_take_gets_no_token(world: World) -> None:
    top = await unit(world)
    leaf = await unit(world, below=top)
    meeting = await world.meeting(join_policy="ORGUNIT", allow_join_units=[top])
    path = f"/v2/meetings/{meeting['id']}/participants"
    body = {"preset_name": "group_call_host", "custom_participant_id": "ada", "name": "Ada"}
    refused = await world.call("POST", path, body)
    assert (refused.status, refused.error["name"], refused.error["reason"]) == (
        403,
        "JoinRefused",
        "not_in_unit",
    )
    taken = await world.call("POST", path, body | {"unit_id": leaf})
    assert taken.status == 201 and taken.data["unit_id"] == leaf

    beside = await unit(world)
    await world.call("PATCH", f"/v2/meetings/{meeting['id']}", {"allow_join_units": [beside]})
    again = await world.call("POST", f"{path}/{taken.data['id']}/token")
    assert again.error["reason"] == "not_in_unit"
    assert (await world.call("POST", path, body | {"unit_id": "nowhere"})).error["field"] == "unit_id"


@pytest.mark.parametrize("key", ["allow_join_units", "allow_open_units"])
async def test_what_is_no_unit_here_is_allowed_nothing(world: World, key: str) -> None:
    known = await unit(world)
    meeting = f"/v2/meetings/{(await world.meeting())['id']}"
    said = {key: [known, "elsewhere"]}
    for refused in (
        await world.call("POST", "/v2/meetings", said),
        await world.call("PATCH", meeting, said),
        await world.call("POST", meeting + "/open", {"configuration": said}),
        await world.call("PUT", of_organization(world), {"configuration": said}),
    ):
        assert (refused.status, refused.error["field"]) == (422, key)
        assert "'elsewhere'" in refused.error["message"]
    assert (await world.call("PATCH", meeting, {key: [known]})).status == 200


async def test_a_policy_that_the_organization_locks_is_asked_before_a_fresh_token(world: World) -> None:
    meeting = await world.meeting(join_policy="PUBLIC")
    path = f"/v2/meetings/{meeting['id']}/participants"
    body = {"preset_name": "group_call_host", "custom_participant_id": "ada"}
    added = (await world.call("POST", path, body)).data
    assert (await world.call("POST", f"{path}/{added['id']}/token")).data["token"]
    said = {"configuration": {"join_policy": "ORGUNIT"}, "locked": ["join_policy"]}
    assert (await world.call("PATCH", of_organization(world), said)).status == 200
    refused = await world.call("POST", f"{path}/{added['id']}/token")
    assert refused.error["reason"] == "not_in_unit"
