"""Guests: whoever has the link, where the policy lets them in."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.services.meeting_passwords import PASSWORDS_A_MINUTE
from tests.signaling.rest.world import ON_BOTH, Answer, World

pytestmark = ON_BOTH


async def meeting(world: World, **said: Any) -> dict[str, Any]:
    return await world.meeting(
        title="Open house",
        **({"join_policy": "PUBLIC", "default_guest_preset": "group_call_participant"} | said),
    )


async def knock(world: World, made: dict[str, Any], **body: Any) -> Answer:
    path = f"/v2/join/{made['short']}"
    return await world.call("POST", path, {"name": "Grace"} | body, auth=None)


async def test_a_guest_becomes_a_participant_with_a_token_and_the_preset_of_guests(world: World) -> None:
    made = await meeting(world)
    door = await world.call("GET", f"/v2/join/{made['short']}", auth=None)
    assert door.data == {"title": "Open house", "asks_password": False}
    entrance = (await knock(world, made)).data
    path = f"/v2/meetings/{made['id']}/participants/{entrance['participant_id']}"
    found = (await world.call("GET", path)).data
    assert (found["name"], found["preset_name"]) == ("Grace", "group_call_participant")
    invited = await world.call("GET", "/v2/invitation", auth=f"Bearer {entrance['token']}")
    assert invited.status == 200
    await world.call("PATCH", f"/v2/meetings/{made['id']}", {"join_policy": "ORG"})
    void = await world.call("GET", "/v2/invitation", auth=f"Bearer {entrance['token']}")
    assert (void.status, void.error["reason"]) == (403, "not_in_organization")


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ({"join_policy": "ORG"}, 403, "not_in_organization"),
        ({"join_policy": None}, 403, "not_in_organization"),
        ({"join_policy": "RESTRICT"}, 403, "not_registered"),
        ({"join_policy": "ORGUNIT"}, 403, "not_in_organization"),
        ({"default_guest_preset": None}, 403, "no_guests"),
        ({"default_guest_preset": "no such preset"}, 403, "no_guests"),
    ],
)
async def test_where_guests_are_not_taken_the_door_says_why(
    world: World, said: dict[str, Any], status: int, reason: str
) -> None:
    made = await meeting(world, **said)
    for answer in (await knock(world, made), await world.call("GET", f"/v2/join/{made['short']}", auth=None)):
        assert (answer.status, answer.error["reason"]) == (status, reason)
    assert (await world.call("GET", f"/v2/meetings/{made['id']}/participants")).data == []


async def test_a_password_opens_the_door_and_is_shown_to_nobody(world: World) -> None:
    made = await meeting(world, join_policy="PASSWORD", join_password="a sunny day")
    assert made["has_join_password"] is True and "sunny" not in str(made)
    for body in ({}, {"password": "a rainy day"}, {"password": ""}):
        refused = await knock(world, made, **body)
        assert (refused.status, refused.error["reason"]) == (403, "wrong_password")
    entrance = (await knock(world, made, password="a sunny day")).data
    bearer = f"Bearer {entrance['token']}"
    assert (await world.call("GET", "/v2/invitation", auth=bearer)).status == 200
    await world.call("PATCH", f"/v2/meetings/{made['id']}", {"join_password": "another day"})
    void = await world.call("GET", "/v2/invitation", auth=bearer)
    assert void.error["reason"] == "wrong_password"


async def test_without_a_password_nothing_opens_a_door_that_asks_for_one(world: World) -> None:
    made = await meeting(world, join_policy="PASSWORD")
    for password in ("", "None", "null"):
        assert (await knock(world, made, password=password)).error["reason"] == "wrong_password"


@pytest.mark.usefixtures("time_stands_still")
async def test_passwords_of_a_meeting_cannot_be_tried_without_end(world: World) -> None:
    made = await meeting(world, join_policy="PASSWORD", join_password="a sunny day")
    tried = [await knock(world, made, password="wrong") for _ in range(PASSWORDS_A_MINUTE + 3)]
    assert tried[-1].status == 429 and int(tried[-1].headers["Retry-After"]) >= 1
    assert (await knock(world, made, password="a sunny day")).status == 429


async def test_an_unknown_link_leads_nowhere_nor_does_that_of_a_deleted_meeting(world: World) -> None:
    made = await meeting(world)
    assert (await knock(world, {"short": "222222222222"})).status == 404
    assert (await knock(world, {"short": made["id"]})).status == 404, "an id is no link"
    await world.call("PATCH", f"/v2/meetings/{made['id']}", {"status": "INACTIVE"})
    assert (await knock(world, made)).error["name"] == "MeetingInactive"
    await world.call("DELETE", f"/v2/meetings/{made['id']}")
    assert (await knock(world, made)).status == 404
