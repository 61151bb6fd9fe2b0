"""Client tokens over REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.signaling.rest.world import World

NOBODY = "00000000-0000-4000-8000-000000000000"


def path(room_id: str, action: str) -> str:
    return f"/v2/rooms/{room_id}/actions/{action}"


async def made(world: World, room_id: str) -> dict[str, Any]:
    answer = await world.call("POST", path(room_id, "generate_join_client_token"))
    assert answer.status == 201, answer.body
    data: dict[str, Any] = answer.body["data"]
    return data


async def test_the_refresh_token_alone_gives_another_token(world: World) -> None:
    room_id = (await world.meeting())["id"]
    pair = await made(world, room_id)
    assert set(pair) == {"token", "token_expires_at", "refresh_token", "refresh_token_expires_at"}
    body = {"refresh_token": pair["refresh_token"], "token_ttl_secs": 30}
    for auth in (None, "Bearer wrong", await world.other_organization()):
        answer = await world.call("POST", path(room_id, "refresh_client_token"), body, auth=auth)
        assert answer.status == 201, answer.body
        assert set(answer.body["data"]) == {"token", "token_expires_at"}


async def test_a_refresh_token_is_for_its_room_and_for_nothing_else(world: World) -> None:
    room_id, other = (await world.meeting())["id"], (await world.meeting())["id"]
    pair = await made(world, room_id)
    refresh = path(room_id, "refresh_client_token")
    for token in (pair["token"], "nonsense", pair["refresh_token"] + "x"):
        answer = await world.call("POST", refresh, {"refresh_token": token}, auth=None)
        assert (answer.status, answer.body["errors"][0]["code"]) == (401, "10009")
    elsewhere = await world.call(
        "POST", path(other, "refresh_client_token"), {"refresh_token": pair["refresh_token"]}, auth=None
    )
    assert (elsewhere.status, elsewhere.body["errors"][0]["code"]) == (403, "10010")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_ttl_secs", 9),
        ("token_ttl_secs", 3601),
        ("refresh_token_ttl_secs", 59),
        ("refresh_token_ttl_secs", 86_401),
        ("subject", "ada"),
    ],
)
async def test_what_a_token_may_be_has_limits(world: World, name: str, value: Any) -> None:
    room_id = (await world.meeting())["id"]
    answer = await world.call("POST", path(room_id, "generate_join_client_token"), {name: value})
    assert (answer.status, answer.body["errors"][0]["source"]) == (422, {"pointer": f"/{name}"})


async def test_there_is_none_for_a_room_that_there_is_not(world: World) -> None:
    answer = await world.call("POST", path(NOBODY, "generate_join_client_token"))
    assert answer.status == 404
