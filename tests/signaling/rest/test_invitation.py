from __future__ import annotations

from dataclasses import replace

import aiohttp
import pytest

from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.tokens import JwtTokens
from signaling.clock import SystemClock
from signaling.services.invitation import MAX_NAMES
from tests.signaling import values
from tests.signaling.rest.world import Answer, World


async def invitation(world: World, token: str | None) -> Answer:
    return await world.call("GET", "/v2/invitation", auth=token and f"Bearer {token}")


async def test_a_token_shows_the_meeting_the_person_and_what_they_may(world: World) -> None:
    meeting = await world.meeting(title="Weekly")
    ada = await world.participant(meeting["id"], picture="https://example.org/ada.png")
    answer = await invitation(world, ada["token"])
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data == {
        "meeting": {"id": meeting["id"], "title": "Weekly", "view_type": "GROUP_CALL"},
        "participant": {
            "id": ada["id"],
            "name": "Ada",
            "picture": "https://example.org/ada.png",
            "preset_name": "group_call_host",
        },
        "may": {
            "edit_display_name": True,
            "audio": "ALLOWED",
            "video": "ALLOWED",
            "screenshare": "ALLOWED",
            "stage": {"enabled": False, "access": "ALLOWED"},
        },
        "live_participants": 0,
        "present": [],
        "waits": False,
    }


@pytest.mark.parametrize(
    ("preset", "media", "view_type"),
    [("webinar_viewer", "CAN_REQUEST", "WEBINAR"), ("livestream_viewer", "NOT_ALLOWED", "LIVESTREAM")],
)
async def test_a_viewer_reads_what_must_be_asked_for(
    world: World, preset: str, media: str, view_type: str
) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"], preset_name=preset))["token"]
    data = (await invitation(world, token)).data
    assert data["meeting"]["view_type"] == view_type
    assert data["may"]["audio"] == data["may"]["video"] == media
    assert data["may"]["stage"] == {"enabled": True, "access": media}


async def test_it_follows_what_was_changed_after_the_token_was_issued(world: World) -> None:
    meeting = await world.meeting(title="Old")
    ada = await world.participant(meeting["id"])
    base = f"/v2/meetings/{meeting['id']}"
    await world.call("PATCH", base, {"title": "New"})
    await world.call("PATCH", f"{base}/participants/{ada['id']}", {"name": "Grace"})
    data = (await invitation(world, ada["token"])).data
    assert (data["meeting"]["title"], data["participant"]["name"]) == ("New", "Grace")


async def test_it_says_who_is_in_and_names_some_of_them(world: World) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"]))["token"]
    somebody = values.participant(values.meeting(values.organization()))
    world.live.present[meeting["id"]] = [replace(somebody, name=f"Guest {n}") for n in range(30)]
    data = (await invitation(world, token)).data
    assert data["live_participants"] == 30
    assert data["present"] == [{"name": f"Guest {n}", "picture": None} for n in range(MAX_NAMES)]
    assert data["waits"] is False


async def test_who_may_not_see_who_takes_part_reads_no_names(world: World) -> None:
    meeting = await world.meeting()
    ada = await world.participant(meeting["id"], preset_name="group_call_participant")
    world.live.present[meeting["id"]] = [values.participant(values.meeting(values.organization()))]
    assert len((await invitation(world, ada["token"])).data["present"]) == 1
    await change_preset(world, show_participant_list=False)
    data = (await invitation(world, ada["token"])).data
    assert (data["live_participants"], data["present"]) == (1, [])


async def test_who_has_to_wait_reads_so_and_no_names(world: World) -> None:
    meeting = await world.meeting()
    ada = await world.participant(meeting["id"], preset_name="group_call_participant")
    host = await world.participant(meeting["id"])
    inside = values.participant(values.meeting(values.organization()))
    await change_preset(world, waiting_room_type="ON_PRIVILEGED_USER_ENTRY")
    assert (await invitation(world, ada["token"])).data["waits"] is True
    world.live.present[meeting["id"]] = [inside]
    assert (await invitation(world, ada["token"])).data["waits"] is False, "somebody is in who lets them in"
    await change_preset(world, waiting_room_type="SKIP_ON_ACCEPT")
    data = (await invitation(world, ada["token"])).data
    assert (data["waits"], data["live_participants"], data["present"]) == (True, 1, [])
    assert (await invitation(world, host["token"])).data["waits"] is False


async def test_a_lobby_is_told_of_before_anybody_is_in_and_where_the_server_of_the_session_is_silent(
    world: World,
) -> None:
    meeting = await world.meeting(lobby_enabled=True)
    ada = await world.participant(meeting["id"], preset_name="group_call_participant")
    assert (await invitation(world, ada["token"])).data["waits"] is True
    world.live.unreachable.add(meeting["id"])
    data = (await invitation(world, ada["token"])).data
    assert (data["waits"], data["live_participants"]) == (True, 0)


async def change_preset(world: World, **permissions: object) -> None:
    presets = (await world.call("GET", "/v2/presets?per_page=100")).data
    preset_id = next(one["id"] for one in presets if one["name"] == "group_call_participant")
    changed = await world.call("PATCH", f"/v2/presets/{preset_id}", {"permissions": permissions})
    assert changed.status == 200


async def test_the_token_of_somebody_removed_is_void(world: World) -> None:
    meeting = await world.meeting()
    ada = await world.participant(meeting["id"])
    await world.call("DELETE", f"/v2/meetings/{meeting['id']}/participants/{ada['id']}")
    answer = await invitation(world, ada["token"])
    assert (answer.status, answer.error["name"]) == (401, "InvalidToken")
    assert "removed" in answer.error["message"]


async def test_an_inactive_meeting_is_refused_as_a_join_is(world: World) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"]))["token"]
    await world.call("PATCH", f"/v2/meetings/{meeting['id']}", {"status": "INACTIVE"})
    answer = await invitation(world, token)
    assert (answer.status, answer.error["name"]) == (403, "MeetingInactive")


async def test_a_preset_that_is_gone_is_named(world: World) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"]))["token"]
    async with world.database() as uow:
        record = await uow.presets.by_name(world.organization_id, "group_call_host")
        assert record is not None
        await uow.presets.remove(record)
        await uow.commit()
    answer = await invitation(world, token)
    assert (answer.status, answer.error["name"]) == (404, "NotFound")


async def test_what_is_no_token_of_ours_is_refused_without_a_browser_asking_for_a_password(
    world: World,
) -> None:
    meeting = await world.meeting()
    made = await world.participant(meeting["id"])
    async with world.database() as uow:
        ada = await uow.participants.get(world.organization_id, meeting["id"], made["id"])
    assert ada is not None
    forged = JwtTokens(KeyRing.of(SigningKey.generate(), SystemClock()), SystemClock()).issue(ada)
    elsewhere = world.tokens.issue(values.participant(values.meeting(values.organization("Other"))))
    for token in (None, "garbage", "a.b.c", "é", "x" * 8000, forged, elsewhere):
        answer = await invitation(world, token)
        assert (answer.status, answer.error["name"]) == (401, "InvalidToken"), token
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_has_expired_says_so(world: World) -> None:
    meeting = await world.meeting()
    made = await world.participant(meeting["id"])
    async with world.database() as uow:
        ada = await uow.participants.get(world.organization_id, meeting["id"], made["id"])
    assert ada is not None
    answer = await invitation(world, world.past_tokens.issue(ada))
    assert (answer.status, answer.error["name"]) == (401, "InvalidToken")
    assert "expired" in answer.error["message"]


async def test_an_organizations_key_opens_no_invitation(world: World) -> None:
    basic = aiohttp.encode_basic_auth(world.organization_id, world.api_key)
    for auth in (basic, f"Bearer {world.organization_id}:{world.api_key}"):
        answer = await world.call("GET", "/v2/invitation", auth=auth)
        assert (answer.status, answer.error["name"]) == (401, "InvalidToken")


async def test_a_token_opens_nothing_else(world: World) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"]))["token"]
    for path in ("/v2/invitation/", "/v2/invitations", f"/v2/meetings/{meeting['id']}"):
        answer = await world.call("GET", path, auth=f"Bearer {token}")
        assert answer.status == 401, path
