"""Several servers on one store: each session on one of them, and nobody in two minds about which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from signaling.domain.region import Region
from signaling.domain.server import SignalingServer, host_in
from signaling.domain.session import SessionRecord
from signaling.store.database import Database
from signaling.store.tables import servers
from signaling.testing.store import statements
from tests.signaling.rest.test_http_media import PUBLISH, VIEW
from tests.signaling.values import NOON
from tests.support.live_world import LEASE, MEETING, ORGANIZATION, LiveWorld, Refused, WsClient, live_world

A, B = (
    SignalingServer(one, f"{one}-1", f"https://{one}.example.org", f"http://{one}:8080") for one in ("a", "b")
)


@asynccontextmanager
async def two_servers(store: Database) -> AsyncIterator[tuple[LiveWorld, LiveWorld]]:
    async with live_world(store=store, server=A) as a, live_world(beside=a, server=B) as b:
        yield a, b


async def silenced(store: Database, server_id: str) -> None:
    """As if the server had not been heard of for long, while the other one looked on."""
    async with statements(store) as db:
        await db.execute(update(servers).where(servers.c.id == server_id).values(seen_at=NOON))


async def lease_over(store: Database, of: LiveWorld, looking_on: LiveWorld) -> None:
    for _ in range(3):
        looking_on.clock.advance(LEASE * 0.4)
        await looking_on.live.keep_lease()
    await silenced(store, of.live._around.servers.id)


async def session(store: Database, client: WsClient) -> SessionRecord:
    async with store(reading=True) as uow:
        found = await uow.sessions.get(client.joined["session_id"])
        assert found is not None
        return found


async def refused(joining: object) -> Refused:
    with pytest.raises(Refused) as answer:
        await joining  # type: ignore[misc]
    return answer.value


async def test_who_joins_at_another_server_is_told_which_one_has_the_meeting(either: Database) -> None:
    async with two_servers(either) as (a, b):
        await a.join()
        answer = await refused(b.join())
        assert (answer.code, answer.name, answer.url) == (9421, "Misdirected", A.url)
        assert not b.nodes.latest.routers


async def test_who_publishes_or_watches_over_http_is_redirected_there(either: Database) -> None:
    async with two_servers(either) as (a, b):
        await a.join()
        token = b.tokens.issue(await b.participant("group_call_host"))
        for path, offer in ((f"/v2/whip/{MEETING}?source=screen", PUBLISH), (f"/v2/whep/{MEETING}", VIEW)):
            async with b.http.post(
                b.server.make_url(path),
                data=offer,
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"},
                allow_redirects=False,
            ) as answer:
                assert answer.status == 307
                assert answer.headers["Location"] == A.url + path
                assert (await answer.json())["error"]["url"] == A.url


async def test_first_joins_at_two_servers_at_once_make_one_session(either: Database) -> None:
    async with two_servers(either) as (a, b):
        worlds = {A.url: a, B.url: b}

        async def join(first: LiveWorld) -> str:
            token = a.tokens.issue(await a.participant("group_call_participant"))
            try:
                client = await (await first.socket()).join(token)
            except Refused as answer:
                assert answer.url is not None, answer
                client = await (await worlds[answer.url].socket()).join(token)
            return str(client.joined["session_id"])

        sessions = await asyncio.gather(*(join(a if number % 2 else b) for number in range(12)))
        assert len(set(sessions)) == 1
        async with either(reading=True) as uow:
            assert [one.id for one in await uow.sessions.unfinished()] == [sessions[0]]
        assert {len(world.nodes.latest.routers) for world in (a, b)} == {0, 1}


async def test_what_a_server_had_is_ended_once_its_lease_is_over_and_its_people_come_again(
    either: Database,
) -> None:
    async with two_servers(either) as (a, b):
        lost = await a.join()
        await lease_over(either, a, b)
        await b.live.keep_lease()
        ended = await session(either, lost)
        assert ended.end_reason == "server_lost"
        async with either(reading=True) as uow:
            (attendance,) = await uow.sessions.attendances(ended.id)
        assert attendance.leave_reason == "server_lost"

        new = await b.join()
        await a.live.keep_lease()
        assert (await lost.hears("session_left"))["reason"] == "shutdown"
        assert await lost.closed() == 1012
        assert not a.nodes.latest.routers
        assert (await session(either, lost)) == ended
        assert (await session(either, new)).ended_at is None

        assert a.live._around.servers.id != A.id
        assert (await refused(a.join())).url == B.url


async def test_a_join_ends_what_a_lost_server_had_without_waiting_for_anybody(either: Database) -> None:
    async with two_servers(either) as (a, b):
        lost = await a.join()
        await lease_over(either, a, b)
        await b.join()
        assert (await session(either, lost)).end_reason == "server_lost"


async def test_a_server_that_hung_puts_its_people_out_with_the_first_that_it_cannot_write(
    either: Database,
) -> None:
    async with two_servers(either) as (a, b):
        lost = await a.join()
        await lease_over(either, a, b)
        new = await b.join()
        assert (await refused(a.join())).url == B.url
        assert (await lost.hears("session_left"))["reason"] == "shutdown"
        assert (await session(either, lost)).end_reason == "server_lost"
        async with either(reading=True) as uow:
            rows = await uow.sessions.attendances(new.joined["session_id"])
        assert [row.peer_id for row in rows] == [new.peer_id]


async def test_nobody_judges_before_the_others_could_say_that_they_are_there(either: Database) -> None:
    """As after a while without the database, when those that live have not been heard of either."""
    async with two_servers(either) as (a, b):
        here = await a.join()
        await lease_over(either, a, b)
        b.live._around.servers._in_sight_since = b.clock.monotonic()
        assert (await refused(b.join())).name == "ServerUnreachable"
        await b.live.keep_lease()
        await a.live.keep_lease()
        b.clock.advance(LEASE)
        await b.live.keep_lease()
        assert (await session(either, here)).ended_at is None
        assert (await refused(b.join())).url == A.url


async def test_missed_renewals_put_off_judging_others(either: Database) -> None:
    async with two_servers(either) as (_, b):
        b.clock.advance(LEASE * 0.9)
        await b.live.keep_lease()
        await silenced(either, A.id)
        b.clock.advance(LEASE * 0.9)
        await b.live.keep_lease()
        async with either(reading=True) as uow:
            assert await uow.servers.silent(LEASE) == [A.id]
        for _ in range(3):
            b.clock.advance(LEASE * 0.4)
            await b.live.keep_lease()
        async with either(reading=True) as uow:
            assert await uow.servers.silent(LEASE) == []


async def test_a_restart_ends_what_its_former_self_had_and_nobody_elses(either: Database) -> None:
    async with two_servers(either) as (a, b):
        others = await b.join()
        async with either() as uow:
            meeting = await uow.meetings.get(ORGANIZATION, MEETING)
            assert meeting is not None
            await uow.meetings.add(replace(meeting, id="meeting-2"))
            await uow.commit()
        token = a.tokens.issue(await a.participant("group_call_host", meeting_id="meeting-2"))
        own = await (await a.socket()).join(token)
        await a.die()
        async with live_world(beside=b, server=SignalingServer("a", "a-2", A.url, A.internal_url)):
            assert (await session(either, own)).end_reason == "server_restarted"
            assert (await session(either, others)).ended_at is None


async def test_servers_that_clients_cannot_tell_apart_are_told_of_in_the_log(either: Database) -> None:
    same = replace(B, url=A.url)
    async with live_world(store=either, server=A) as a, live_world(beside=a, server=same) as b:
        with capture_logs() as logs:
            for _ in range(2):
                await b.live.keep_lease()
        assert [one["url"] for one in logs if one["event"] == "servers.share_a_url"] == [A.url]


async def test_a_removed_participant_joins_at_no_server(either: Database) -> None:
    async with two_servers(either) as (a, b):
        person = await a.participant("group_call_participant")
        async with either() as uow:
            await uow.participants.remove(person)
            await uow.commit()
        for world in (a, b):
            client = await world.socket()
            assert (await refused(client.join(world.tokens.issue(person)))).name == "InvalidToken"


async def test_a_server_that_ends_is_nobody_to_wait_for(either: Database) -> None:
    async with live_world(store=either, server=B) as b, live_world(beside=b, server=A) as a:
        await a.join()
        await a.live.close()
        await a.live._around.servers.end()
        await b.join()
        async with either(reading=True) as uow:
            assert [one.id for one in await uow.servers.living(LEASE)] == [B.id]


@asynccontextmanager
async def on_two_continents(store: Database) -> AsyncIterator[tuple[LiveWorld, LiveWorld]]:
    """`a` is in no region, `b` is in the middle of Europe; both know it."""
    there = replace(B, region=Region.EU_CENTRAL_1)
    async with live_world(store=store, server=A) as a, live_world(beside=a, server=there) as b:
        for world in (a, b):
            await world.live.keep_lease()
        yield a, b


async def prefer(store: Database, meeting: Region | None, organization: Region | None = None) -> None:
    async with store() as uow:
        one, owner = await uow.meetings.get(ORGANIZATION, MEETING), await uow.organizations.get(ORGANIZATION)
        assert one is not None
        assert owner is not None
        await uow.meetings.save(replace(one, preferred_region=meeting))
        await uow.organizations.save(replace(owner, preferred_region=organization))
        await uow.commit()


@pytest.mark.parametrize(
    ("meeting", "organization"),
    [(Region.EU_CENTRAL_1, None), (None, Region.EU_CENTRAL_1), (Region.EU_CENTRAL_1, Region.US_EAST_1)],
)
async def test_a_meeting_is_begun_in_the_region_that_it_prefers_or_its_organization_does(
    either: Database, meeting: Region | None, organization: Region | None
) -> None:
    async with on_two_continents(either) as (a, b):
        await prefer(either, meeting, organization)
        answer = await refused(a.join())
        assert (answer.name, answer.url) == ("Misdirected", B.url)
        await b.join()
        assert (await refused(a.join())).url == B.url, "as of any session of another server"


@pytest.mark.parametrize(
    ("meeting", "organization"),
    [(None, None), (Region.US_EAST_1, None), (Region.US_EAST_1, Region.EU_CENTRAL_1)],
)
async def test_a_meeting_that_no_other_server_is_nearer_to_is_begun_where_the_first_comes(
    either: Database, meeting: Region | None, organization: Region | None
) -> None:
    async with on_two_continents(either) as (a, b):
        await prefer(either, meeting, organization)
        await a.join()
        assert (await refused(b.join())).url == A.url


async def test_a_session_that_runs_stays_where_it_is_and_a_region_whose_servers_are_gone_keeps_nobody_out(
    either: Database,
) -> None:
    async with on_two_continents(either) as (a, b):
        host = await a.join()
        await prefer(either, Region.EU_CENTRAL_1)
        await a.join("group_call_participant")
        await host.request("kick_all")
        await b.live._around.servers.end()
        await a.live.keep_lease()
        await a.join()


async def test_of_several_in_a_region_each_server_names_the_same_for_a_meeting() -> None:
    there = [replace(B, id=name, region=Region.EU_CENTRAL_1) for name in "bcde"]
    meetings = [f"meeting-{number}" for number in range(100)]
    chosen = [host_in(Region.EU_CENTRAL_1, there, one) for one in meetings]
    assert chosen == [host_in(Region.EU_CENTRAL_1, reversed([A, *there]), one) for one in meetings]
    assert all(10 <= chosen.count(one) <= 40 for one in there)
    assert host_in(Region.US_EAST_1, there, "meeting") is None
