"""Sessions and who was in them, in the manner of Telnyx."""

from __future__ import annotations

from typing import Any

from tests.signaling.rest.world import ON_BOTH, World

pytestmark = ON_BOTH

NOBODY = "00000000-0000-4000-8000-000000000000"


async def ids(world: World, path: str) -> list[str]:
    answer = await world.call("GET", path)
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.body["data"]]


async def body(world: World, path: str) -> Any:
    return (await world.call("GET", path)).body["data"]


async def test_a_room_shows_the_session_that_runs_and_those_that_ran(world: World) -> None:
    room_id = (await world.meeting())["id"]
    assert (await body(world, f"/v2/rooms/{room_id}"))["active_session_id"] is None
    over = await world.session(room_id, ended=True)
    running = await world.session(room_id, seconds=100)
    plain = await body(world, f"/v2/rooms/{room_id}")
    assert (plain["active_session_id"], plain["sessions"]) == (running.id, None)
    shown = await body(world, f"/v2/rooms/{room_id}?include_sessions=true")
    assert [(one["id"], one["active"]) for one in shown["sessions"]] == [(running.id, True), (over.id, False)]
    empty = (await world.meeting())["id"]
    rooms = await body(world, "/v2/rooms?include_sessions=true")
    found = {one["id"]: [each["id"] for each in one["sessions"]] for one in rooms}
    assert (found[room_id], found[empty]) == ([running.id, over.id], [])


async def test_sessions_are_listed_of_one_room_or_of_all_running_or_not(world: World) -> None:
    one, other = (await world.meeting())["id"], (await world.meeting())["id"]
    over, running = await world.session(one, ended=True), await world.session(one, seconds=100)
    elsewhere = await world.session(other, seconds=200)
    assert await ids(world, "/v2/room_sessions") == [elsewhere.id, running.id, over.id]
    assert await ids(world, f"/v2/rooms/{one}/sessions") == [running.id, over.id]
    assert await ids(world, f"/v2/room_sessions?filter[room_id]={one}&filter[active]=false") == [over.id]
    assert await ids(world, "/v2/room_sessions?filter[active]=true&page[size]=1&page[number]=2") == [
        running.id
    ]
    at = over.ended_at.isoformat().replace("+", "%2B") if over.ended_at else ""
    assert await ids(world, f"/v2/room_sessions?filter[date_ended_at][eq]={at}") == [over.id]
    assert (await world.call("GET", f"/v2/rooms/{NOBODY}/sessions")).status == 404
    assert (await world.call("GET", f"/v2/room_sessions/{NOBODY}")).status == 404


async def test_who_was_in_is_shown_with_the_session_where_that_is_asked(world: World) -> None:
    session = await world.session((await world.meeting())["id"])
    first, second = [await world.attendance(session, seconds=seconds) for seconds in (1, 2)]
    plain = await body(world, f"/v2/room_sessions/{session.id}")
    assert (plain["participants"], plain["room_id"]) == (None, session.meeting_id)
    shown = await body(world, f"/v2/room_sessions/{session.id}?include_participants=true")
    assert [one["id"] for one in shown["participants"]] == [second.peer_id, first.peer_id]
    (listed,) = await body(world, "/v2/room_sessions?include_participants=true")
    assert listed == shown


async def test_participants_are_found_by_session_context_and_time(world: World) -> None:
    session = await world.session((await world.meeting())["id"])
    other = await world.session((await world.meeting())["id"])
    seat = '{"seat": 4}'
    seated = await world.attendance(session, context=seat)
    standing = await world.attendance(session, seconds=86_400)
    await world.attendance(other, seconds=3)
    inside = f"/v2/room_sessions/{session.id}/participants"
    assert await ids(world, inside) == [standing.peer_id, seated.peer_id]
    assert await ids(world, f"{inside}?filter[context]=%7B%22seat%22:%204%7D") == [seated.peer_id]
    everywhere = f"/v2/room_participants?filter[session_id]={session.id}"
    assert await ids(world, everywhere) == [standing.peer_id, seated.peer_id]
    assert await ids(world, everywhere + "&filter[date_joined_at][eq]=2026-03-02") == [standing.peer_id]
    assert await ids(world, everywhere + "&filter[date_left_at][gte]=2026-01-01") == []
    assert len(await ids(world, "/v2/room_participants")) == 3
    one = await body(world, f"/v2/room_participants/{seated.peer_id}")
    assert (one["context"], one["session_id"], one["left_at"]) == (seat, session.id, None)
    assert one["record_type"] == "room_participant"
    for path in (f"/v2/room_sessions/{NOBODY}/participants", "/v2/room_participants/peer_nobody"):
        assert (await world.call("GET", path)).status == 404


async def test_an_unknown_session_in_a_filter_is_not_found(world: World) -> None:
    answer = await world.call("GET", f"/v2/room_participants?filter[session_id]={NOBODY}")
    assert (answer.status, answer.body["errors"][0]["code"]) == (404, "10005")
