from __future__ import annotations

import aiohttp
import pytest

from tests.signaling.rest.world import World


async def test_without_the_key_nothing_below_v2_answers(world: World) -> None:
    for path in ("/v2/meetings", "/v2/presets", "/v2/nothing"):
        for auth in (
            None,
            aiohttp.encode_basic_auth(world.organization_id, "wrong"),
            aiohttp.encode_basic_auth("x", world.api_key),
        ):
            answer = await world.call("GET", path, auth=auth)
            assert answer.status == 401
            assert answer.error["name"] == "Unauthorized"
            assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.asvs("9.2.2")
async def test_a_participants_token_administers_nothing(world: World) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"]))["token"]
    answer = await world.call("GET", "/v2/meetings", auth=None, headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401


async def test_the_key_may_come_as_bearer(world: World) -> None:
    pair = f"Bearer {world.organization_id}:{world.api_key}"
    answer = await world.call("GET", "/v2/meetings", auth=None, headers={"Authorization": pair})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [("GET", "/v2/nothing", 404, "NotFound"), ("PUT", "/v2/meetings", 405, "MethodNotAllowed")],
)
async def test_unknown_paths_and_methods_are_refused_in_the_envelope(
    world: World, method: str, path: str, status: int, name: str
) -> None:
    answer = await world.call(method, path)
    assert (answer.status, answer.error["name"]) == (status, name)


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    answer = await world.call("POST", "/v2/meetings", data=b'{"title": "' + b"x" * (1024 * 1024) + b'"}')
    assert (answer.status, answer.error["name"]) == (413, "LimitExceeded")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b'"text"', b"[" * 100_000, b"NaN"])
async def test_a_body_that_is_no_json_object_is_refused(world: World, body: bytes) -> None:
    answer = await world.call("POST", "/v2/meetings", data=body)
    assert (answer.status, answer.error["name"]) == (400, "InvalidInput")


async def test_every_answer_carries_a_request_id_and_security_headers(world: World) -> None:
    answer = await world.call("GET", "/v2/meetings", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["X-Request-Id"] == "mine-1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    other = await world.call("GET", "/v2/nothing", headers={"X-Request-Id": "a b<c>"})
    assert other.headers["X-Request-Id"].startswith("req_")
