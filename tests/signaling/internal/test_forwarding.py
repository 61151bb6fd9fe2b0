"""What is asked about a session at one server is done at the one that has it, and comes back from there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.tokens import JwtTokens
from signaling.domain.configuration import NOTHING_SAID
from signaling.domain.preset import merged
from signaling.domain.region import Region
from signaling.domain.server import SignalingServer
from signaling.errors import NoActiveSessionError, ServerUnreachableError
from signaling.internal.client import InternalClient
from signaling.internal.endpoint import InternalEndpoint
from signaling.internal.messages import PATH, pass_for
from signaling.rest.middlewares import errors_middleware
from signaling.rest.operation import OperationTable
from signaling.services.live import everywhere
from signaling.services.live.everywhere import Everywhere
from signaling.services.ports import LiveSessions
from signaling.testing import MemoryStore
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, live_world, until


@dataclass
class Servers:
    """`a` has sessions, `b` is asked."""

    a: LiveWorld
    b: LiveWorld
    url: str
    """Of a's internal endpoint."""
    ring: KeyRing
    asked: LiveSessions
    endpoint: TestServer

    async def listen(self) -> None:
        await self.endpoint.start_server()

    async def change_preset(self, name: str, **patch: object) -> None:
        async with self.b.store() as uow:
            record = await uow.presets.by_name(ORGANIZATION, name)
            assert record is not None
            await uow.presets.save(replace(record, preset=merged(record.preset, patch)))
            await uow.commit()


@pytest.fixture
async def silent() -> AsyncIterator[Servers]:
    """Server a does not listen yet."""
    async with _servers() as servers:
        yield servers


@pytest.fixture
async def servers(silent: Servers) -> Servers:
    await silent.listen()
    return silent


@asynccontextmanager
async def _servers() -> AsyncIterator[Servers]:
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    own = SignalingServer("a", "a-1", "https://a.example.org", url)
    other = replace(own, id="b", incarnation="b-1", url="https://b.example.org")
    async with live_world(store=MemoryStore(), server=own) as a, live_world(beside=a, server=other) as b:
        ring = KeyRing.of(SigningKey.generate(), a.clock)
        application = web.Application(
            middlewares=[errors_middleware(OperationTable(), {}, "http://localhost")]
        )
        application.add_routes(InternalEndpoint(a.live, ring, lambda: "a").routes())
        endpoint = TestServer(application, port=port)
        client = InternalClient(ring, b.clock)
        all_sessions = Everywhere(b.live, b.live._around.servers, client)
        try:
            yield Servers(a, b, url, ring, all_sessions.as_live_sessions(), endpoint)
        finally:
            await all_sessions.close()
            await client.close()
            await endpoint.close()


async def test_a_removed_participant_is_put_out_on_the_server_that_has_them(servers: Servers) -> None:
    person = await servers.a.participant("group_call_participant")
    client = await (await servers.a.socket()).join(servers.a.tokens.issue(person))
    await servers.asked.participant_removed(person)
    assert await client.closed() == 4001


async def test_a_session_is_seen_and_ended_from_another_server(servers: Servers) -> None:
    host = await servers.a.join()
    view = await servers.asked.active(MEETING)
    assert view == await servers.a.live.active(MEETING)
    assert await servers.asked.kick_all(MEETING) == 1
    assert await host.closed() == 4002
    assert await servers.asked.active(MEETING) is None


async def test_what_the_other_server_refuses_is_refused_in_the_same_words(servers: Servers) -> None:
    await servers.a.join()
    assert await servers.asked.kick_all(MEETING) == 1
    with pytest.raises(NoActiveSessionError):
        await servers.asked.kick_all(MEETING)


async def test_a_changed_preset_applies_on_every_server(servers: Servers) -> None:
    there = await servers.a.join("group_call_participant")
    await servers.change_preset("group_call_participant", permissions={"kick_participant": True})
    await servers.asked.preset_changed(ORGANIZATION, "group_call_participant")
    await there.hears("permissions_updated")


async def test_who_asks_while_the_other_server_is_silent_is_told_so(silent: Servers) -> None:
    host = await silent.a.join()
    with pytest.raises(ServerUnreachableError):
        await silent.asked.kick_all(MEETING)
    assert not host.heard("session_left")


async def test_news_is_repeated_until_a_server_that_was_silent_hears_it(
    silent: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everywhere, "AGAIN_AFTER", 0.02)
    person = await silent.a.participant("group_call_participant")
    client = await (await silent.a.socket()).join(silent.a.tokens.issue(person))
    with pytest.raises(ServerUnreachableError, match="stored"):
        await silent.asked.participant_removed(person)
    await silent.listen()
    assert await client.closed() == 4001


async def test_news_is_not_repeated_to_a_server_that_is_gone(
    silent: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everywhere, "AGAIN_AFTER", 0.02)
    person = await silent.a.participant("group_call_participant")
    await (await silent.a.socket()).join(silent.a.tokens.issue(person))
    with pytest.raises(ServerUnreachableError):
        await silent.asked.participant_removed(person)
    async with silent.a.store() as uow:
        await uow.servers.remove("a")
        await uow.commit()
    repeating = getattr(silent.asked, "_repeating")  # noqa: B009 - not of the protocol
    await until(lambda: not repeating, "nothing to be repeated")


@pytest.mark.parametrize("who", ["nobody", "participant", "another server", "another body", "long ago"])
async def test_nobody_else_speaks_to_a_server(servers: Servers, who: str) -> None:
    host = await servers.a.join()
    body = json.dumps({"call": "kick_all", "arguments": {"meeting_id": MEETING}}).encode()
    clock = servers.a.clock
    token = pass_for(servers.ring, clock, "a", body)
    if who == "participant":
        participant = await servers.a.participant("group_call_host")
        token = JwtTokens(servers.ring, clock).issue(participant)
    elif who == "another server":
        token = pass_for(servers.ring, clock, "c", body)
    elif who == "another body":
        body += b" "
    elif who == "long ago":
        clock.advance(61.0)
    headers = {} if who == "nobody" else {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(servers.url + PATH, data=body, headers=headers) as answer,
    ):
        assert answer.status == 401
    assert not host.heard("session_left")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"call":"close","arguments":{}}', b'{"call":"kick_all","arguments":{}}']
)
async def test_what_is_no_call_is_refused(servers: Servers, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {pass_for(servers.ring, servers.a.clock, 'a', body)}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(servers.url + PATH, data=body, headers=headers) as answer,
    ):
        assert answer.status == 400


async def test_what_begins_a_session_is_carried_into_the_region_of_its_meeting(servers: Servers) -> None:
    near = replace(servers.a.live._around.servers._own, region=Region.AP_SOUTH_1)
    async with servers.b.store() as uow:
        meeting = await uow.meetings.get(ORGANIZATION, MEETING)
        assert meeting is not None
        meeting = replace(meeting, preferred_region=Region.AP_SOUTH_1)
        await uow.meetings.save(meeting)
        await uow.servers.put(near)
        await uow.commit()
    await servers.b.live.keep_lease()
    view = await servers.asked.open(meeting, NOTHING_SAID)
    assert view == await servers.a.live.active(MEETING)
    assert servers.a.live.runs(MEETING)
    assert not servers.b.live.runs(MEETING)
