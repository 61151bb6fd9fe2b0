from __future__ import annotations

from typing import Any

import pytest

from tests.signaling.rest.world import ON_BOTH, World

pytestmark = ON_BOTH


async def test_adding_one_gives_a_token_for_this_meeting(world: World) -> None:
    meeting = await world.meeting()
    made = await world.participant(meeting["id"], picture="https://example.com/ada.png")
    assert made["name"] == "Ada"
    claims = world.tokens.verify(made["token"])
    assert claims.organization_id == world.organization_id
    assert (claims.meeting_id, claims.participant_id) == (meeting["id"], made["id"])
    found = await world.call("GET", f"/v2/meetings/{meeting['id']}/participants/{made['id']}")
    del made["token"]
    assert found.data == made


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"custom_participant_id": "x"}, "preset_name"),
        ({"preset_name": "group_call_host"}, "custom_participant_id"),
        ({"preset_name": "nope", "custom_participant_id": "x"}, "preset_name"),
        (
            {"preset_name": "group_call_host", "custom_participant_id": "x", "picture": "javascript:1"},
            "picture",
        ),
        ({"preset_name": "group_call_host", "custom_participant_id": "x", "role": "host"}, "role"),
    ],
)
async def test_what_is_missing_or_wrong_is_named(world: World, body: dict[str, Any], field: str) -> None:
    meeting = await world.meeting()
    answer = await world.call("POST", f"/v2/meetings/{meeting['id']}/participants", body)
    assert (answer.status, answer.error["field"]) == (422, field)


async def test_the_list_is_paged(world: World) -> None:
    meeting = await world.meeting()
    made = [await world.participant(meeting["id"], custom_participant_id=str(n)) for n in range(3)]
    answer = await world.call("GET", f"/v2/meetings/{meeting['id']}/participants?per_page=2")
    assert [one["id"] for one in answer.data] == [made[2]["id"], made[1]["id"]]
    assert answer.body["paging"]["total_count"] == 3
    assert "token" not in answer.data[0]


async def test_a_change_reaches_the_session_and_gives_a_new_token(world: World) -> None:
    meeting = await world.meeting()
    made = await world.participant(meeting["id"])
    path = f"/v2/meetings/{meeting['id']}/participants/{made['id']}"
    answer = await world.call("PATCH", path, {"preset_name": "webinar_viewer", "name": "Ada L."})
    assert (answer.data["preset_name"], answer.data["name"]) == ("webinar_viewer", "Ada L.")
    world.tokens.verify(answer.data["token"])
    assert world.live.calls == [("participant_changed", made["id"])]
    refused = await world.call("PATCH", path, {"preset_name": "nope"})
    assert refused.error["field"] == "preset_name"


async def test_whom_the_join_policy_refuses_is_changed_without_a_token(world: World) -> None:
    path = f"/v2/orgs/{world.organization_id}/units"
    ward = (await world.call("POST", path, {"name": "ward"})).data["id"]
    meeting = await world.meeting()
    key = {"Idempotency-Key": "once"}
    people = f"/v2/meetings/{meeting['id']}/participants"
    body = {"preset_name": "group_call_host", "custom_participant_id": "ada", "name": "Ada"}
    made = (await world.call("POST", people, body, headers=key)).data
    restricted = {"join_policy": "ORGUNIT", "allow_join_units": [ward]}
    assert (await world.call("PATCH", f"/v2/meetings/{meeting['id']}", restricted)).status == 200

    changed = await world.call("PATCH", f"{people}/{made['id']}", {"name": "Ada L."})
    assert (changed.status, changed.data["name"], changed.data["token"]) == (200, "Ada L.", None)
    for answer in (
        await world.call("POST", f"{people}/{made['id']}/token"),
        await world.call("POST", people, body, headers=key),
    ):
        assert (answer.status, answer.error["reason"]) == (403, "not_in_unit")
    moved = await world.call("PATCH", f"{people}/{made['id']}", {"unit_id": ward})
    assert world.tokens.verify(moved.data["token"]).participant_id == made["id"]


async def test_a_token_is_refreshed(world: World) -> None:
    meeting = await world.meeting()
    made = await world.participant(meeting["id"])
    path = f"/v2/meetings/{meeting['id']}/participants/{made['id']}/token"
    token = (await world.call("POST", path)).data["token"]
    assert token != made["token"]
    assert world.tokens.verify(token).participant_id == made["id"]


async def test_a_removed_one_is_gone_and_put_out(world: World) -> None:
    meeting = await world.meeting()
    made = await world.participant(meeting["id"])
    path = f"/v2/meetings/{meeting['id']}/participants/{made['id']}"
    answer = await world.call("DELETE", path)
    assert answer.data["custom_participant_id"] == "ada-1"
    assert answer.data["preset_id"]
    assert world.live.calls == [("participant_removed", made["id"])]
    assert (await world.call("GET", path)).status == 404
    assert (await world.call("POST", path + "/token")).status == 404
    assert (await world.call("DELETE", path)).status == 404


async def test_one_is_only_found_in_its_own_meeting(world: World) -> None:
    meeting, other = await world.meeting(), await world.meeting()
    made = await world.participant(meeting["id"])
    answer = await world.call("GET", f"/v2/meetings/{other['id']}/participants/{made['id']}")
    assert answer.status == 404
