"""Leases of servers, on both databases, by the database's own clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from signaling.domain.region import Region
from signaling.domain.server import RunningAt, SignalingServer
from signaling.domain.session import SessionRecord, SessionStatus
from signaling.errors import ConflictError
from signaling.store.database import Database
from signaling.store.tables import servers
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.values import NOON, at

A = SignalingServer("a", "first", "https://a.example.org", "http://10.0.0.1:8080")
B = SignalingServer("b", "first", "https://b.example.org", "http://10.0.0.2:8080", Region.EU_CENTRAL_1)
LEASE = 30.0


async def put(store: Database, *those: SignalingServer) -> None:
    async with store() as uow:
        for one in those:
            await uow.servers.put(one)
        await uow.commit()


async def silenced(store: Database, server: SignalingServer) -> None:
    """As if its lease had been over for long."""
    async with statements(store) as db:
        await db.execute(update(servers).where(servers.c.id == server.id).values(seen_at=NOON))


async def session_of(store: Database, server: SignalingServer | None) -> SessionRecord:
    organization = values.organization()
    meeting = values.meeting(organization)
    session = replace(values.session(meeting), server_id=server and server.id)
    async with store() as uow:
        await uow.organizations.add(organization)
        await uow.meetings.add(meeting)
        await uow.sessions.add(session)
        await uow.commit()
    return session


async def test_a_server_lives_while_it_renews_its_lease(either: Database) -> None:
    await put(either, A, B)
    await silenced(either, A)
    async with either() as uow:
        assert await uow.servers.living(LEASE) == [B]
        assert await uow.servers.silent(LEASE) == ["a"]
        assert await uow.servers.renew(A)
        assert await uow.servers.living(LEASE) == [A, B]
        assert await uow.servers.silent(LEASE) == []


async def test_a_lease_that_somebody_else_ended_or_took_is_not_renewed(either: Database) -> None:
    again = replace(A, incarnation="second")
    await put(either, A, B)
    async with either() as uow:
        await uow.servers.put(again)
        await uow.servers.remove("b")
        assert not await uow.servers.renew(A)
        assert not await uow.servers.renew(B)
        assert await uow.servers.renew(again)


async def test_a_server_that_ends_leaves_its_next_incarnation_alone(either: Database) -> None:
    await put(either, A, B)
    async with either() as uow:
        await uow.servers.remove("a", "before")
        await uow.servers.remove("b", B.incarnation)
        assert await uow.servers.living(LEASE) == [A]


async def test_it_is_known_who_has_a_session_and_whether_that_one_lives(either: Database) -> None:
    await put(either, A)
    session = await session_of(either, A)
    async with either(reading=True) as uow:
        assert await uow.servers.running(session.meeting_id, LEASE) == RunningAt(session, A, living=True)
        assert await uow.servers.running("another", LEASE) is None
    await silenced(either, A)
    async with either(reading=True) as uow:
        assert await uow.servers.running(session.meeting_id, LEASE) == RunningAt(session, A, living=False)


@pytest.mark.parametrize("server", [None, B])
async def test_a_session_of_a_server_that_is_not_there_is_nobodys(
    either: Database, server: SignalingServer | None
) -> None:
    session = await session_of(either, server)
    async with either(reading=True) as uow:
        assert await uow.servers.running(session.meeting_id, LEASE) == RunningAt(session, None, living=False)


async def test_a_session_that_ended_is_neither_changed_nor_joined_by_who_believes_to_have_it(
    either: Database,
) -> None:
    session = await session_of(either, A)
    ended = replace(session, status=SessionStatus.FINISHED, ended_at=at(9), end_reason="server_lost")
    peer = values.attendance(session)
    late = replace(peer, peer_id="peer_2")
    async with either() as uow:
        assert await uow.sessions.add_attendance(peer)
        assert await uow.sessions.save(ended)
        assert await uow.sessions.save_attendance(replace(peer, left_at=at(9), leave_reason="server_lost"))

        assert not await uow.sessions.save(replace(session, max_concurrent_participants=5))
        assert not await uow.sessions.save_attendance(replace(peer, left_at=at(20), leave_reason="left"))
        assert not await uow.sessions.add_attendance(late)

        assert await uow.sessions.get(session.id) == replace(ended, seconds_consumed=8.0)
        (row,) = await uow.sessions.attendances(session.id)
        assert (row.left_at, row.leave_reason) == (at(9), "server_lost")


async def test_a_peer_attends_once(either: Database) -> None:
    session = await session_of(either, A)
    peer = values.attendance(session)
    async with either() as uow:
        await uow.sessions.add_attendance(peer)
        with pytest.raises(ConflictError):
            await uow.sessions.add_attendance(peer)
