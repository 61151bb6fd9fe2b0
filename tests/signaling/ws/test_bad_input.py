from __future__ import annotations

from typing import Any

import pytest

from signaling.ws.connection import WsSettings
from tests.support.live_world import Refused, live_world, until


@pytest.mark.parametrize(
    ("text", "request_id", "field"),
    [
        ("{", None, ""),
        ("[]", None, ""),
        ('{"id": 1}', 1, "type"),
        ('{"id": 2, "type": "dance"}', 2, "type"),
        ('{"id": 3, "type": "mute"}', 3, "publication_id"),
        ('{"id": 4, "type": "mute", "publication_id": 4}', 4, "publication_id"),
        ('{"id": 5, "type": "leave", "really": true}', 5, "really"),
        ('{"id": -1, "type": "leave"}', None, "id"),
        (
            '{"id": 6, "type": "publish", "offer": "o", "publications": '
            '[{"mid": "0", "source": "a b", "kind": "audio"}]}',
            6,
            "publications.0.source",
        ),
        ('{"id": 7, "type": "publish", "offer": "' + 65537 * "x" + '"}', 7, "offer"),
    ],
)
async def test_a_frame_that_is_no_request_is_answered_with_the_field(
    text: str, request_id: int | None, field: str
) -> None:
    async with live_world() as world:
        client = await world.join()
        await client.socket.send_str(text)
        await until(lambda: bool(client.failures), "the failure")

        failure: dict[str, Any] = client.failures[0]
        assert failure["id"] == request_id
        assert failure["error"]["name"] == "MalformedMessage"
        assert failure["error"]["field"] == field
        await client.request("ping")


@pytest.mark.asvs("17.3.2")
async def test_too_many_malformed_frames_close_the_socket_and_nobody_elses() -> None:
    async with live_world() as world:
        other, client = await world.join(), await world.join()
        for _ in range(20):
            await client.socket.send_str("nonsense")

        assert await client.closed() == 1008
        assert world.handler.counters()["malformed"] == 20
        await other.request("ping")


async def test_binary_frames_are_refused() -> None:
    async with live_world() as world:
        client = await world.join()
        await client.socket.send_bytes(b"\x00\x01")
        await until(lambda: bool(client.failures), "the failure")
        await client.request("ping")


@pytest.mark.asvs("17.3.2")
async def test_a_frame_above_the_limit_closes_the_socket() -> None:
    async with live_world() as world:
        client = await world.join()
        await client.socket.send_str('{"id": 1, "type": "ping", "x": "' + 256 * 1024 * "x" + '"}')
        assert await client.closed() == 1009


async def test_before_the_join_nothing_else_is_served() -> None:
    async with live_world() as world:
        client = await world.socket()
        for request, fields in (
            ("leave", {}),
            ("stage_join", {}),
            ("kick", {"peer_ids": ["peer_1"]}),
            ("publish", {"offer": "offer"}),
            ("subscribe", {"subscriptions": [{"publication_id": "pub_1"}]}),
        ):
            with pytest.raises(Refused) as refused:
                await client.request(request, **fields)
            assert (refused.value.code, refused.value.name) == (2005, "NotJoined")


async def test_a_second_join_on_one_socket_is_refused_and_harmless() -> None:
    async with live_world() as world:
        client = await world.join()
        token = world.tokens.issue(await world.participant("group_call_host"))
        with pytest.raises(Refused) as refused:
            await client.request("join", token=token)
        assert refused.value.name == "AlreadyJoined"
        await client.request("ping")


async def test_a_socket_that_does_not_join_in_time_is_closed() -> None:
    async with live_world(ws=WsSettings(join_within=0.05)) as world:
        client = await world.socket()
        assert await client.closed() == 4006


@pytest.mark.asvs("17.3.1")
async def test_requests_beyond_the_rate_are_refused_by_name_and_in_the_end_cut_off() -> None:
    async with live_world(ws=WsSettings(rate=0.001, burst=5, max_strikes=3)) as world:
        client = await world.join()
        for _ in range(4):
            await client.request("ping")
        for _ in range(3):
            with pytest.raises(Refused) as refused:
                await client.request("ping")
            assert (refused.value.code, refused.value.name) == (13, "RateLimited")
        assert await client.closed() == 1008


async def test_who_left_is_not_served_any_more() -> None:
    async with live_world() as world:
        client = await world.join()
        await client.request("leave")
        assert await client.closed() == 1000
        await until(lambda: world.handler.counters()["open"] == 0, "the server to be rid of the socket")
