from __future__ import annotations

from signaling.domain.participant import Participant
from signaling.domain.session_status import SessionStatus
from signaling.services.ports import LiveSessionView
from tests.signaling.rest.world import World
from tests.signaling.values import NOON, at


async def joined(world: World, meeting_id: str, custom_id: str) -> Participant:
    """As if it were in the session."""
    made = await world.participant(meeting_id, custom_participant_id=custom_id)
    async with world.database() as uow:
        found = await uow.participants.get(world.organization_id, meeting_id, made["id"])
    assert found is not None
    world.live.present.setdefault(meeting_id, []).append(found)
    return found


async def test_there_is_none_until_somebody_joins(world: World) -> None:
    meeting = await world.meeting()
    base = f"/v2/meetings/{meeting['id']}/active-session"
    for method, path, body in (
        ("GET", base, None),
        ("POST", base + "/kick-all", None),
        ("POST", base + "/kick", {"participant_ids": ["x"]}),
        ("POST", base + "/mute", {"participant_ids": ["x"]}),
    ):
        answer = await world.call(method, path, body)
        assert (answer.status, answer.error["name"]) == (404, "NoActiveSession")


async def test_it_is_shown_with_the_fields_of_a_session(world: World) -> None:
    meeting = await world.meeting(title="Weekly")
    world.live.views[meeting["id"]] = LiveSessionView(
        id="s1",
        meeting_id=meeting["id"],
        organization_id=world.organization_id,
        meeting_title="Weekly",
        live_participants=2,
        max_concurrent_participants=3,
        minutes_consumed=1.5,
        status=SessionStatus.LIVE,
        started_at=NOON,
        created_at=NOON,
        updated_at=at(60),
    )
    data = (await world.call("GET", f"/v2/meetings/{meeting['id']}/active-session")).data
    assert data == {
        "id": "s1",
        "associated_id": meeting["id"],
        "meeting_display_name": "Weekly",
        "type": "meeting",
        "status": "LIVE",
        "live_participants": 2,
        "max_concurrent_participants": 3,
        "lifecycle_status": "LIVE",
        "minutes_consumed": 1.5,
        "organization_id": world.organization_id,
        "started_at": "2026-03-01T12:00:00.123Z",
        "created_at": "2026-03-01T12:00:00.123Z",
        "updated_at": "2026-03-01T12:01:00.123Z",
        "ended_at": None,
        "end_reason": None,
        "archived_at": None,
        "meta": {},
        "breakout_rooms": [],
    }


async def test_participants_are_put_out_by_either_id(world: World) -> None:
    meeting = await world.meeting()
    ada = await joined(world, meeting["id"], "ada")
    await joined(world, meeting["id"], "bea")
    await joined(world, meeting["id"], "cid")
    path = f"/v2/meetings/{meeting['id']}/active-session/kick"
    body = {"participant_ids": [ada.id], "custom_participant_ids": ["bea"]}
    data = (await world.call("POST", path, body)).data
    assert data["action"] == "kick"
    assert [one["custom_participant_id"] for one in data["participants"]] == ["ada", "bea"]
    assert set(data["participants"][0]) >= {"id", "name", "email", "picture", "created_at", "updated_at"}
    again = await world.call("POST", path, body)
    assert (again.status, again.error["name"]) == (404, "NotFound")


async def test_who_waits_is_listed_admitted_and_denied(world: World) -> None:
    meeting = await world.meeting()
    base = f"/v2/meetings/{meeting['id']}/active-session/waiting-room"
    assert (await world.call("GET", base)).error["name"] == "NoActiveSession"
    people = [await joined(world, meeting["id"], one) for one in ("ada", "bea", "cid")]
    world.live.knocking[meeting["id"]], world.live.present[meeting["id"]] = people, []
    listed = (await world.call("GET", base)).data["participants"]
    assert [one["custom_participant_id"] for one in listed] == ["ada", "bea", "cid"]
    assert set(listed[0]) == {
        "peer_id",
        "id",
        "custom_participant_id",
        "name",
        "picture",
        "waiting_since",
    }
    admitted = (await world.call("POST", base + "/admit", {"custom_participant_ids": ["bea"]})).data
    assert (admitted["action"], [one["id"] for one in admitted["participants"]]) == ("admit", [people[1].id])
    assert world.live.present[meeting["id"]] == [people[1]]
    denied = (await world.call("POST", base + "/deny", {"participant_ids": "all"})).data
    assert [one["id"] for one in denied["participants"]] == [people[0].id, people[2].id]
    for action in ("/admit", "/deny"):
        again = await world.call("POST", base + action, {"participant_ids": [people[0].id]})
        assert (again.status, again.error["name"]) == (404, "NotFound")
    assert (await world.call("GET", base)).data["participants"] == []


async def test_somebody_must_be_named(world: World) -> None:
    meeting = await world.meeting()
    for action in ("kick", "mute"):
        answer = await world.call("POST", f"/v2/meetings/{meeting['id']}/active-session/{action}", {})
        assert (answer.status, answer.error["field"]) == (422, "participant_ids")


async def test_all_are_put_out_and_counted(world: World) -> None:
    meeting = await world.meeting()
    await joined(world, meeting["id"], "ada")
    await joined(world, meeting["id"], "bea")
    data = (await world.call("POST", f"/v2/meetings/{meeting['id']}/active-session/kick-all")).data
    assert data == {"action": "kick-all", "kicked_participants_count": 2}


async def test_muting_names_who_is_muted(world: World) -> None:
    meeting = await world.meeting()
    await joined(world, meeting["id"], "ada")
    path = f"/v2/meetings/{meeting['id']}/active-session/mute"
    data = (await world.call("POST", path, {"custom_participant_ids": ["ada", "nobody"]})).data
    assert [one["custom_participant_id"] for one in data["participants"]] == ["ada"]


async def test_all_but_some_are_meant_by_all_and_exclude(world: World) -> None:
    meeting = await world.meeting()
    one, two = await joined(world, meeting["id"], "u1"), await joined(world, meeting["id"], "u2")
    base = f"/v2/meetings/{meeting['id']}/active-session"
    for action in ("mute", "censor", "unmute", "kick"):
        body = {"participant_ids": "all", "exclude": [one.id]}
        answer = await world.call("POST", f"{base}/{action}", body)
        assert answer.data["action"] == action
        assert [found["id"] for found in answer.data["participants"]] == [two.id], action
    nobody_left = await world.call("POST", base + "/kick", {"participant_ids": "all", "exclude": ["u1"]})
    assert nobody_left.data["participants"] == []


async def test_mute_all_counts_and_says_whether_they_may_unmute(world: World) -> None:
    meeting = await world.meeting()
    await joined(world, meeting["id"], "u1")
    path = f"/v2/meetings/{meeting['id']}/active-session/mute-all"
    answer = await world.call("POST", path, {"allow_unmute": False})
    assert answer.data == {"action": "mute-all", "muted_participants_count": 1}
    await world.call("POST", path)
    assert world.live.calls == [("mute_all", "False"), ("mute_all", "True")]
