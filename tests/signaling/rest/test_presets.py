from __future__ import annotations

from signaling.domain.default_presets import DEFAULT_PRESETS
from tests.signaling.rest.world import ON_BOTH, World

MINIMAL = {"name": "quiet", "config": {"view_type": "GROUP_CALL"}}

pytestmark = ON_BOTH


async def test_an_organization_starts_with_presets_for_every_kind_of_meeting(world: World) -> None:
    answer = await world.call("GET", "/v2/presets")
    assert {one["name"] for one in answer.data} == {preset.name for preset in DEFAULT_PRESETS}
    shown = [(await world.call("GET", f"/v2/presets/{one['id']}")).data for one in answer.data]
    kinds = {one["config"]["view_type"] for one in shown}
    assert kinds == {"GROUP_CALL", "WEBINAR", "LIVESTREAM", "AUDIO_ROOM"}
    for one in shown:
        media, view = one["permissions"]["media"], one["config"]["view_type"]
        if view == "AUDIO_ROOM":
            assert [media[kind]["can_produce"] for kind in ("audio", "video", "screenshare")] == [
                "ALLOWED",
                "NOT_ALLOWED",
                "NOT_ALLOWED",
            ]
    assert set(answer.data[0]) == {"id", "name", "created_at", "updated_at"}


async def test_one_is_made_whole_from_little(world: World) -> None:
    answer = await world.call("POST", "/v2/presets", MINIMAL)
    assert answer.status == 201
    assert answer.data["permissions"]["media"]["video"]["can_produce"] == "NOT_ALLOWED"
    assert answer.data["ui"]["design_tokens"]["colors"]["brand"]["500"]
    assert (await world.call("GET", f"/v2/presets/{answer.data['id']}")).data == answer.data


async def test_a_name_is_taken_once(world: World) -> None:
    await world.call("POST", "/v2/presets", MINIMAL)
    answer = await world.call("POST", "/v2/presets", MINIMAL)
    assert (answer.status, answer.error["name"]) == (409, "Conflict")


async def test_a_wrong_permission_is_named(world: World) -> None:
    answer = await world.call("POST", "/v2/presets", MINIMAL | {"permissions": {"can_fly": True}})
    assert (answer.status, answer.error["field"]) == (422, "permissions.can_fly")


async def test_a_patch_goes_deep_and_reaches_the_sessions(world: World) -> None:
    made = (await world.call("POST", "/v2/presets", MINIMAL)).data
    patch = {"permissions": {"media": {"audio": {"can_produce": "ALLOWED"}}}}
    answer = await world.call("PATCH", f"/v2/presets/{made['id']}", patch)
    assert answer.data["permissions"]["media"]["audio"]["can_produce"] == "ALLOWED"
    assert answer.data["permissions"]["media"]["video"]["can_produce"] == "NOT_ALLOWED"
    assert answer.data["config"] == made["config"]
    assert world.live.calls == [("preset_changed", "quiet")]


async def test_a_replacement_leaves_nothing_of_the_one_before_and_reaches_the_sessions(world: World) -> None:
    rich = MINIMAL | {"permissions": {"can_record": True}}
    made = (await world.call("POST", "/v2/presets", rich)).data
    path = f"/v2/presets/{made['id']}"
    answer = await world.call("PUT", path, MINIMAL, headers={"If-Match": '"1"'})
    assert answer.data["permissions"]["can_record"] is False
    assert (answer.data["id"], answer.data["created_at"]) == (made["id"], made["created_at"])
    assert world.live.calls == [("preset_changed", "quiet")]
    assert (await world.call("PUT", path, MINIMAL, headers={"If-Match": '"1"'})).status == 412
    assert (await world.call("PUT", path, {"name": "quiet"})).error["field"] == "config"


async def test_they_are_searched_by_part_of_the_name_and_by_id(world: World) -> None:
    made = (await world.call("POST", "/v2/presets", MINIMAL)).data
    by_name = await world.call("GET", "/v2/presets?search=QUI")
    assert [one["id"] for one in by_name.data] == [made["id"]]
    by_id = await world.call("GET", f"/v2/presets?search={made['id']}")
    assert [one["name"] for one in by_id.data] == ["quiet"]
    assert (await world.call("GET", "/v2/presets?search=%25")).data == []


async def test_one_in_use_is_not_renamed_under_its_participants(world: World) -> None:
    made = (await world.call("POST", "/v2/presets", MINIMAL)).data
    path = f"/v2/presets/{made['id']}"
    assert (await world.call("PATCH", path, {"name": "silent"})).data["name"] == "silent"
    meeting = await world.meeting()
    await world.participant(meeting["id"], preset_name="silent")
    answer = await world.call("PATCH", path, {"name": "mute"})
    assert (answer.status, answer.error["name"]) == (409, "Conflict")


async def test_one_in_use_is_removed_only_by_force(world: World) -> None:
    made = (await world.call("POST", "/v2/presets", MINIMAL)).data
    path = f"/v2/presets/{made['id']}"
    first, second = await world.meeting(), await world.meeting(default_guest_preset="quiet")
    people = [await world.participant(one["id"], preset_name="quiet") for one in (first, first, second)]
    unit = {"name": "Sales"}
    sales = (await world.call("POST", f"/v2/orgs/{world.organization_id}/units", unit)).data
    said = {"configuration": {"default_member_preset": "quiet"}}
    of_unit = f"/v2/orgs/{world.organization_id}/units/{sales['id']}/configuration"
    assert (await world.call("PATCH", of_unit, said)).status == 200

    async def refusal() -> str:
        answer = await world.call("DELETE", path)
        assert (answer.status, answer.error["name"]) == (409, "Conflict"), answer.body
        assert "send force=true" in answer.error["message"]
        return str(answer.error["message"]).partition("(")[2].rpartition("),")[0]

    told = await refusal()
    assert told.startswith("3 participants of 2 meetings (one is ") and told.endswith(
        "have it, and it is a default of 1 meeting and of 1 configuration of the organization and its units"
    )
    await world.call("DELETE", f"/v2/meetings/{second['id']}")
    ours = f"2 participants of 1 meeting ({first['id']}) have it"
    assert (
        await refusal() == ours + ", and it is a default of 1 configuration of the organization and its units"
    )
    await world.call("PATCH", of_unit, {"configuration": {"default_member_preset": None}})
    assert await refusal() == ours, "nobody gets into a meeting that was deleted"
    ada, bob = (f"/v2/meetings/{first['id']}/participants/{one['id']}" for one in people[:2])
    await world.call("PATCH", ada, {"preset_name": "group_call_host"})
    assert await refusal() == f"1 participant of 1 meeting ({first['id']}) has it"
    renamed = await world.call("PATCH", path, {"name": "silent"})
    assert renamed.status == 409, "as it is not renamed"
    assert (await world.call("DELETE", path + "?force=true")).data["name"] == "quiet"
    assert (await world.call("GET", bob)).data["preset_name"] == "quiet"


async def test_one_that_nobody_can_join_with_any_more_is_removed(world: World) -> None:
    made = (await world.call("POST", "/v2/presets", MINIMAL)).data
    meeting = await world.meeting(default_member_preset="quiet")
    await world.participant(meeting["id"], preset_name="quiet")
    await world.participant((await world.meeting())["id"], preset_name="group_call_host")
    await world.call("DELETE", f"/v2/meetings/{meeting['id']}")
    assert (await world.call("DELETE", f"/v2/presets/{made['id']}")).status == 200


async def test_a_removed_one_can_no_longer_be_given(world: World) -> None:
    made = (await world.call("POST", "/v2/presets", MINIMAL)).data
    answer = await world.call("DELETE", f"/v2/presets/{made['id']}")
    assert answer.data["name"] == "quiet"
    assert (await world.call("GET", f"/v2/presets/{made['id']}")).status == 404
    meeting = await world.meeting()
    body = {"preset_name": "quiet", "custom_participant_id": "x"}
    refused = await world.call("POST", f"/v2/meetings/{meeting['id']}/participants", body)
    assert refused.error["field"] == "preset_name"
