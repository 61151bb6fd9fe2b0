"""Members: whoever has signed in to an organization, where the policy of a meeting takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.signaling import values
from tests.signaling.rest.world import Answer, World

PASSWORD = "correct horse battery"


async def signed_in(world: World, email: str = "ada@example.org", **membership: Any) -> tuple[str, str]:
    """The id of the account, and what to send as Authorization."""
    body = {"email": email, "name": "Ada Lovelace", "role": "member"} | membership
    invited = (await world.call("POST", "/v2/users", body)).data
    token = {"password_token": invited["password_token"], "password": PASSWORD}
    assert (await world.call("POST", "/v2/auth/password-token", token, auth=None)).status == 200
    entered = await world.call("POST", "/v2/auth/login", {"email": email, "password": PASSWORD}, auth=None)
    return invited["id"], f"Bearer {entered.data['access']['token']}"


async def knock(world: World, made: dict[str, Any], auth: str, **body: Any) -> Answer:
    return await world.call("POST", f"/v2/join/{made['short']}/member", body, auth=auth)


async def invited_by(world: World, token: str) -> Answer:
    """Whether the token would let its holder in."""
    return await world.call("GET", "/v2/invitation", auth=f"Bearer {token}")


async def participant(world: World, made: dict[str, Any], participant_id: str) -> Any:
    path = f"/v2/meetings/{made['id']}/participants/{participant_id}"
    return (await world.call("GET", path)).data


async def test_a_member_is_one_participant_each_time_with_the_name_of_the_account(world: World) -> None:
    made = await world.meeting(title="Weekly")
    user_id, auth = await signed_in(world)
    door = await world.call("GET", f"/v2/join/{made['short']}/member", auth=auth)
    assert door.data == {"title": "Weekly", "asks_password": False}
    first, again = (await knock(world, made, auth)).data, (await knock(world, made, auth)).data
    assert first["participant_id"] == again["participant_id"] and first["meeting_id"] == made["id"]
    found = await participant(world, made, first["participant_id"])
    assert found["custom_participant_id"] == user_id
    assert (found["name"], found["preset_name"]) == ("Ada Lovelace", "group_call_participant")
    for token in (first["token"], again["token"]):
        assert (await invited_by(world, token)).data["participant"]["name"] == "Ada Lovelace"


async def test_what_the_organization_gave_a_member_stays_theirs(world: World) -> None:
    made = await world.meeting(default_member_preset="group_call_host")
    _, auth = await signed_in(world)
    first = (await knock(world, made, auth)).data["participant_id"]
    assert (await participant(world, made, first))["preset_name"] == "group_call_host"
    path = f"/v2/meetings/{made['id']}/participants/{first}"
    await world.call("PATCH", path, {"preset_name": "webinar_viewer"})
    picture = "https://pictures.example/ada.png"
    assert (await knock(world, made, auth, picture=picture)).status == 201
    found = await participant(world, made, first)
    assert (found["preset_name"], found["picture"]) == ("webinar_viewer", picture)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [("PUBLIC", None), ("ORG", None), ("RESTRICT", "not_registered"), ("ORGUNIT", "not_in_unit")],
)
async def test_the_join_policy_decides_about_members(world: World, policy: str, reason: str | None) -> None:
    made = await world.meeting(join_policy=policy)
    _, auth = await signed_in(world)
    look = await world.call("GET", f"/v2/join/{made['short']}/member", auth=auth)
    answer = await knock(world, made, auth)
    if reason is None:
        assert (look.status, answer.status) == (200, 201)
    else:
        assert (look.error["reason"], answer.error["reason"]) == (reason, reason)
        assert (await world.call("GET", f"/v2/meetings/{made['id']}/participants")).data == []


async def test_whom_the_organization_has_entered_is_that_one(world: World) -> None:
    made = await world.meeting(join_policy="RESTRICT")
    user_id, auth = await signed_in(world)
    entered = await world.participant(made["id"], custom_participant_id=user_id, name="The chair")
    joined = (await knock(world, made, auth)).data
    assert joined["participant_id"] == entered["id"]
    assert (await invited_by(world, joined["token"])).data["participant"]["name"] == "The chair"


async def test_members_of_an_allowed_unit_and_those_below_it_are_taken(world: World) -> None:
    path = f"/v2/orgs/{world.organization_id}/units"
    hospital = (await world.call("POST", path, {"name": "hospital"})).data["id"]
    ward = (await world.call("POST", path, {"name": "ward", "parent_id": hospital})).data["id"]
    office = (await world.call("POST", path, {"name": "office"})).data["id"]
    made = await world.meeting(join_policy="ORGUNIT", allow_join_units=[hospital])
    ada, of_ward = await signed_in(world, unit_id=ward)
    _, of_office = await signed_in(world, "bob@example.org", unit_id=office)
    assert (await knock(world, made, of_office)).error["reason"] == "not_in_unit"
    token = (await knock(world, made, of_ward)).data["token"]
    assert (await invited_by(world, token)).status == 200
    await world.call("PATCH", f"/v2/users/{ada}", {"unit_id": office})
    assert (await invited_by(world, token)).error["reason"] == "not_in_unit"


async def test_the_password_of_a_meeting_is_asked_of_members_too(world: World) -> None:
    made = await world.meeting(join_policy="PASSWORD", join_password="a sunny day")
    _, auth = await signed_in(world)
    look = await world.call("GET", f"/v2/join/{made['short']}/member", auth=auth)
    assert look.data["asks_password"] is True
    for body in ({}, {"password": "a rainy day"}):
        assert (await knock(world, made, auth, **body)).error["reason"] == "wrong_password"
    joined = (await knock(world, made, auth, password="a sunny day")).data
    assert (await invited_by(world, joined["token"])).status == 200


@pytest.mark.parametrize("change", ["disabled", "account_disabled", "removed"])
@pytest.mark.parametrize("policy", ["ORG", "PUBLIC"])
async def test_who_is_no_member_any_more_is_let_in_nowhere(world: World, change: str, policy: str) -> None:
    made = await world.meeting(join_policy=policy)
    user_id, auth = await signed_in(world)
    joined = (await knock(world, made, auth)).data
    token, path = joined["token"], f"/v2/users/{user_id}"
    if change == "removed":
        await world.call("DELETE", path)
    else:
        await world.call("PATCH", path, {change: True})
    refused = await invited_by(world, token)
    assert (refused.status, refused.error["reason"]) == (403, "not_in_organization")
    people = f"/v2/meetings/{made['id']}/participants/{joined['participant_id']}"
    assert (await world.call("POST", people + "/token")).error["reason"] == "not_in_organization"
    assert (await world.call("PATCH", people, {"name": "Ada"})).data["token"] is None
    assert (await knock(world, made, auth)).status == 401


async def test_a_meeting_of_another_organization_is_not_there(world: World) -> None:
    async with world.database() as uow:
        rival = values.organization("Rival")
        theirs = replace(values.meeting(rival), short="kqm3t8wz4x2p")
        await uow.organizations.add(rival)
        await uow.meetings.add(theirs)
        await uow.commit()
    _, auth = await signed_in(world)
    for short in (theirs.short, "nowhere"):
        for method, body in (("GET", None), ("POST", {})):
            answer = await world.call(method, f"/v2/join/{short}/member", body, auth=auth)
            assert answer.status == 404, short


async def test_a_key_is_nobody_who_could_join(world: World) -> None:
    made = await world.meeting()
    for method, body in (("GET", None), ("POST", {})):
        answer = await world.call(method, f"/v2/join/{made['short']}/member", body)
        assert answer.status == 403


async def test_a_meeting_may_have_no_preset_for_members(world: World) -> None:
    made = await world.meeting(default_member_preset="no such preset")
    _, auth = await signed_in(world)
    assert (await knock(world, made, auth)).error["reason"] == "no_preset"
    await world.call("PATCH", f"/v2/meetings/{made['id']}", {"status": "INACTIVE"})
    assert (await knock(world, made, auth)).error["name"] == "MeetingInactive"
