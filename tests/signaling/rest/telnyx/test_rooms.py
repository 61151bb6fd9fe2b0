"""Rooms are meetings in another envelope."""

from __future__ import annotations

from typing import Any

import pytest

from tests.signaling.rest.world import PUBLIC_URL, World

NOBODY = "00000000-0000-4000-8000-000000000000"


async def room(world: World, **body: Any) -> dict[str, Any]:
    answer = await world.call("POST", "/v2/rooms", body)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body["data"]
    return made


async def test_a_room_is_a_meeting(world: World) -> None:
    made = await room(world, unique_name="weekly", enable_recording=True)
    meeting = (await world.call("GET", f"/v2/meetings/{made['id']}")).data
    assert (meeting["unique_name"], meeting["record_on_start"]) == ("weekly", True)
    assert (made["unique_name"], made["enable_recording"], made["record_type"]) == ("weekly", True, "room")
    held = await world.meeting(unique_name="daily", max_participants=3)
    shown = (await world.call("GET", f"/v2/rooms/{held['id']}")).body["data"]
    assert (shown["unique_name"], shown["max_participants"]) == ("daily", 3)


async def test_a_room_takes_ten_unless_it_says_otherwise(world: World) -> None:
    made = await room(world)
    assert made["max_participants"] == 10
    changed = await world.call("PATCH", f"/v2/rooms/{made['id']}", {"max_participants": 20})
    assert changed.body["data"]["max_participants"] == 20
    again = await world.call("PATCH", f"/v2/rooms/{made['id']}", {"unique_name": "other"})
    assert (again.body["data"]["max_participants"], again.body["data"]["unique_name"]) == (20, "other")


async def test_the_last_page_says_that_it_is_the_last(world: World) -> None:
    begun = (await world.call("GET", "/v2/rooms")).body["meta"]["total_results"]
    made = [(await room(world))["id"] for _ in range(3)]
    first = (await world.call("GET", "/v2/rooms?page[size]=2")).body
    assert [one["id"] for one in first["data"]] == [made[2], made[1]]
    pages = -(-(begun + 3) // 2)
    last = (await world.call("GET", f"/v2/rooms?page[number]={pages}&page[size]=2")).body
    assert last["meta"] == {
        **{"page_number": pages, "page_size": 2, "total_pages": pages, "total_results": begun + 3},
    }
    beyond = (await world.call("GET", f"/v2/rooms?page[number]={pages + 1}&page[size]=2")).body
    assert beyond["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "source"),
    [
        ("GET", f"/v2/rooms/{NOBODY}", None, 404, "10005", None),
        ("POST", "/v2/rooms", {"max_participants": 0}, 422, "10015", {"pointer": "/max_participants"}),
        ("POST", "/v2/rooms", {"title": "x"}, 422, "10015", {"pointer": "/title"}),
        ("GET", "/v2/rooms?page[size]=0", None, 422, "10015", {"parameter": "page[size]"}),
        (
            *("GET", "/v2/rooms?filter[date_created_at][gte]=soon", None, 422, "10015"),
            {"parameter": "filter[date_created_at][gte]"},
        ),
        ("DELETE", "/v2/rooms", None, 405, "10015", None),
        ("GET", "/v2/rooms/nothing/here", None, 404, "10005", None),
    ],
)
async def test_errors_look_as_clients_of_this_api_expect(
    world: World, method: str, path: str, body: Any, status: int, code: str, source: dict[str, str] | None
) -> None:
    answer = await world.call(method, path, body)
    assert answer.status == status
    (error,) = answer.body["errors"]
    assert (error["code"], error.get("source")) == (code, source)
    assert error["title"] and error["detail"] and error["meta"]["url"] == f"{PUBLIC_URL}/reference/"


async def test_who_shows_no_key_is_told_so_in_the_same_envelope(world: World) -> None:
    answer = await world.call("GET", "/v2/rooms", auth=None)
    assert (answer.status, answer.body["errors"][0]["code"]) == (401, "10009")
    assert "WWW-Authenticate" in answer.headers


async def test_the_key_alone_says_whose_rooms(world: World) -> None:
    made = await room(world)
    answer = await world.call("GET", f"/v2/rooms/{made['id']}", auth=f"Bearer {world.api_key}")
    assert answer.body["data"] == made
