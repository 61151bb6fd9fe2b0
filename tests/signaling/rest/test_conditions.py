"""ETag and If-Match, Idempotency-Key: over HTTP, for each noun."""

from __future__ import annotations

from typing import Any

import pytest

from tests.signaling.rest.world import World

NOUNS = ("meetings", "presets", "participants")


async def collection(world: World, noun: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Path, a body that makes one, a change."""
    if noun == "meetings":
        return "/v2/meetings", {"title": "Weekly"}, {"title": "Daily"}
    if noun == "presets":
        body = {"name": "quiet", "config": {"view_type": "GROUP_CALL"}}
        return "/v2/presets", body, {"permissions": {"can_send_data": True}}
    meeting = await world.meeting()
    body = {"preset_name": "group_call_host", "custom_participant_id": "ada-1"}
    return f"/v2/meetings/{meeting['id']}/participants", body, {"name": "Bea"}


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_change_of_what_somebody_else_changed_is_refused(world: World, noun: str) -> None:
    path, body, change = await collection(world, noun)
    made = await world.call("POST", path, body)
    one = f"{path}/{made.data['id']}"
    read = await world.call("GET", one)
    assert made.headers["ETag"] == read.headers["ETag"]
    condition = {"headers": {"If-Match": read.headers["ETag"]}}

    theirs = await world.call("PATCH", one, change, **condition)
    assert theirs.status == 200
    assert theirs.headers["ETag"] != read.headers["ETag"]
    for method, sent in (("PATCH", change), ("DELETE", None)):
        if (noun, method) == ("meetings", "DELETE"):
            continue
        ours = await world.call(method, one, sent, **condition)
        assert (ours.status, ours.error["name"]) == (412, "PreconditionFailed")
        assert theirs.headers["ETag"] in ours.error["message"]
    now = await world.call("GET", one)
    assert now.headers["ETag"] == theirs.headers["ETag"], "what was refused has changed it"

    assert (await world.call("PATCH", one, change)).status == 200, "without a condition it is not refused"
    present = (await world.call("GET", one)).headers["ETag"]
    for condition_of in ("{}", '"77", {}', "*"):
        tag = condition_of.format(present)
        again = await world.call("PATCH", one, change, headers={"If-Match": tag})
        assert again.status == 200, tag
        present = again.headers["ETag"]
    if noun != "meetings":
        assert (await world.call("DELETE", one, headers={"If-Match": present})).status == 200


@pytest.mark.parametrize(
    ("tag", "status"), [('W/"1"', 412), ('"theirs"', 412), ("1", 400), ('"1', 400), ("", 400)]
)
async def test_a_tag_that_is_weak_or_none_of_ours_matches_nothing(
    world: World, tag: str, status: int
) -> None:
    meeting = await world.meeting()
    path = f"/v2/meetings/{meeting['id']}"
    answer = await world.call("PATCH", path, {"title": "x"}, headers={"If-Match": tag})
    assert answer.status == status


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_sent_twice_with_a_key_is_made_once(world: World, noun: str) -> None:
    path, body, change = await collection(world, noun)
    key = {"headers": {"Idempotency-Key": "5f0c-1"}}
    before = (await world.call("GET", path)).body["paging"]["total_count"]
    made = await world.call("POST", path, body, **key)
    assert "Idempotent-Replayed" not in made.headers
    await world.call("PATCH", f"{path}/{made.data['id']}", change)
    again = await world.call("POST", path, body, **key)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert without_token(again.data) == without_token(made.data)
    assert again.headers["ETag"] == made.headers["ETag"]
    if noun == "participants":
        assert world.tokens.verify(again.data["token"]).participant_id == made.data["id"]
    other = await world.call("POST", path, body | change, **key)
    assert (other.status, other.error["name"]) == (422, "ValidationFailed")
    assert (await world.call("GET", path)).body["paging"]["total_count"] == before + 1


async def test_keys_of_one_organization_say_nothing_to_another(world: World) -> None:
    key = {"headers": {"Idempotency-Key": "5f0c-1"}}
    ours = await world.call("POST", "/v2/meetings", {"title": "Weekly"}, **key)
    theirs = await world.call(
        "POST", "/v2/meetings", {"title": "Weekly"}, auth=await world.other_organization(), **key
    )
    assert theirs.status == 201
    assert theirs.data["id"] != ours.data["id"]


async def test_a_key_that_is_limited_to_a_unit_is_not_told_what_the_organization_made(world: World) -> None:
    unit = await world.call("POST", f"/v2/orgs/{world.organization_id}/units", {"name": "Sales"})
    made = await world.call("POST", "/v2/api-keys", {"name": "sales", "unit_id": unit.data["id"]})
    once, sales = {"Idempotency-Key": "1"}, f"Bearer {made.data['key']}"
    assert (await world.call("POST", "/v2/meetings", {"title": "Board"}, headers=once)).status == 201
    theirs = await world.call("POST", "/v2/meetings", {"title": "Board"}, headers=once, auth=sales)
    assert (theirs.status, theirs.error["name"]) == (422, "ValidationFailed")
    once = {"Idempotency-Key": "2"}
    first, second = [
        await world.call("POST", "/v2/meetings", {"title": "Sales"}, headers=once, auth=sales)
        for _ in range(2)
    ]
    assert first.data == second.data


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    answer = await world.call("POST", "/v2/meetings", {}, headers={"Idempotency-Key": key})
    assert answer.status == 400


def without_token(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "token"}
