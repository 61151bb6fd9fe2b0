"""When what a session left behind is all there, and it becomes ARCHIVED; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import update

from signaling.domain.meeting import Meeting
from signaling.domain.server import SignalingServer
from signaling.domain.session import SessionRecord
from signaling.domain.session_end import ended
from signaling.domain.session_status import SessionEndReason, SessionStatus
from signaling.domain.webhook_delivery import DeliveryStatus
from signaling.services.live.archive import BATCH, SETTLES_IN, SessionArchive
from signaling.services.live.ownership import Ownership
from signaling.services.live.surroundings import SAMPLE_EVERY
from signaling.services.outbox import Outbox
from signaling.store.database import Database
from signaling.store.tables import servers
from signaling.testing import FakeClock
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.store.test_outbox import claimed, settled
from tests.signaling.values import NOON, at
from tests.support.live_world import LEASE, MEETING, alone, live_world

OURS, OTHERS = (
    SignalingServer(one, f"{one}-1", f"https://{one}.example.org", f"http://{one}:8080")
    for one in ("ours", "others")
)


@dataclass
class Waiting:
    unwritten: Set[str] = field(default_factory=set)


@dataclass
class Shelf:
    """An archive, and what is put before it."""

    store: Database
    clock: FakeClock
    reports: Waiting
    servers: Ownership
    archive: SessionArchive
    meeting: Meeting

    async def over(
        self,
        reason: str = SessionEndReason.ALL_PARTICIPANTS_LEFT,
        *,
        began: bool = True,
        present: bool = False,
        server_id: str | None = OURS.id,
    ) -> SessionRecord:
        """A session that ends now, and somebody who was in it, or is still as far as anybody wrote."""
        session = replace(
            values.session(self.meeting), server_id=server_id, started_at=NOON if began else None
        )
        async with self.store() as uow:
            await uow.sessions.add(session)
            if began:
                one = values.attendance(session, f"peer-{session.id}")
                await uow.sessions.add_attendance(one)
                if not present:
                    await uow.sessions.save_attendance(one.left("left", at(30)))
            await uow.sessions.save(ended(session, reason, self.clock.now()))
            await uow.commit()
        return session

    async def get(self, session: SessionRecord) -> SessionRecord:
        async with self.store(reading=True) as uow:
            found = await uow.sessions.get(session.id)
        assert found is not None
        return found

    async def status(self, session: SessionRecord) -> SessionStatus:
        return (await self.get(session)).status

    def settle(self) -> None:
        self.clock.advance(SETTLES_IN.total_seconds() + 1)


@pytest.fixture
async def shelf(either: Database) -> Shelf:
    acme, clock, reports = values.organization(), FakeClock(at(60)), Waiting()
    meeting = values.meeting(acme)
    servers = Ownership(either, clock, OURS, Outbox(clock), lease=LEASE)
    await servers.begin()
    async with either() as uow:
        await uow.organizations.add(acme)
        await uow.meetings.add(meeting)
        await uow.commit()
    archive = SessionArchive(either, clock, servers, reports)
    return Shelf(either, clock, reports, servers, archive, meeting)


async def test_a_session_is_archived_a_while_after_its_end_once(shelf: Shelf) -> None:
    left, too_long = await shelf.over(), await shelf.over(SessionEndReason.MAX_DURATION_REACHED)
    assert await shelf.archive.look() == 0, "some may be on their way out"
    shelf.settle()
    assert await shelf.archive.look() == 2
    for session, reason in (
        (left, SessionEndReason.ALL_PARTICIPANTS_LEFT),
        (too_long, SessionEndReason.MAX_DURATION_REACHED),
    ):
        kept = await shelf.get(session)
        assert (kept.status, kept.end_reason) == (SessionStatus.ARCHIVED, reason)
        assert kept.archived_at == kept.updated_at == shelf.clock.now()
        assert kept.seconds_consumed == 29.0
    shelf.clock.advance(5)
    assert await shelf.archive.look() == 0


async def test_what_nobody_was_in_left_nothing_and_what_runs_is_not_over(shelf: Shelf) -> None:
    empty, running = (
        await shelf.over(SessionEndReason.NOBODY_CAME, began=False),
        values.session(shelf.meeting),
    )
    async with shelf.store() as uow:
        await uow.sessions.add(replace(running, started_at=NOON))
        await uow.commit()
    shelf.settle()
    assert await shelf.archive.look() == 0
    assert await shelf.status(empty) == SessionStatus.EXPIRED
    assert await shelf.status(running) == SessionStatus.LIVE


async def test_it_waits_for_everybody_to_have_left(shelf: Shelf) -> None:
    session = await shelf.over(present=True)
    shelf.settle()
    assert await shelf.archive.look() == 0
    async with shelf.store() as uow:
        (one,) = await uow.sessions.attendances(session.id)
        await uow.sessions.save_attendance(one.left("left", at(60)))
        await uow.commit()
    assert await shelf.archive.look() == 1


@pytest.mark.parametrize("outcome", [DeliveryStatus.DELIVERED, DeliveryStatus.FAILED])
async def test_it_waits_for_webhooks_to_be_delivered_or_given_up(
    shelf: Shelf, outcome: DeliveryStatus
) -> None:
    session, other = await shelf.over(), await shelf.over()
    async with shelf.store() as uow:
        organization = await uow.organizations.get(session.organization_id)
        assert organization is not None
        webhook = values.webhook(organization)
        await uow.webhooks.add(webhook)
        await uow.deliveries.add(values.deliveries(session, webhook)[:2])
        await uow.commit()
    shelf.settle()
    assert await shelf.archive.look() == 1
    assert await shelf.status(other) == SessionStatus.ARCHIVED, "no webhook waits for that one's sake"
    now = shelf.clock.now()
    for left in (1, 0):
        assert await shelf.archive.look() == 0
        (one,) = await claimed(shelf.store, now=now)
        await settled(shelf.store, one, outcome, due_at=now)
        assert left == 0 or await shelf.status(session) == SessionStatus.FINISHED
    assert await shelf.archive.look() == 1


async def test_it_waits_for_reports_that_are_not_written_and_keeps_no_other_waiting(shelf: Shelf) -> None:
    session, other = await shelf.over(), await shelf.over()
    shelf.reports.unwritten = {session.id}
    shelf.settle()
    assert await shelf.archive.look() == 1
    assert await shelf.status(other) == SessionStatus.ARCHIVED
    assert await shelf.status(session) == SessionStatus.FINISHED
    shelf.reports.unwritten = set()
    assert await shelf.archive.look() == 1


async def test_another_server_archives_what_it_had_itself_until_it_is_gone(shelf: Shelf) -> None:
    async with shelf.store() as uow:
        await uow.servers.put(OTHERS)
        await uow.commit()
    theirs, nobodys = await shelf.over(server_id=OTHERS.id), await shelf.over(server_id=None)
    shelf.settle()
    assert await shelf.archive.look() == 1
    assert await shelf.status(nobodys) == SessionStatus.ARCHIVED
    assert await shelf.status(theirs) == SessionStatus.FINISHED
    async with statements(shelf.store) as db:
        await db.execute(update(servers).where(servers.c.id == OTHERS.id).values(seen_at=NOON))
    assert await shelf.archive.look() == 1


async def test_many_are_archived_batch_by_batch_and_two_that_look_at_once_count_each_once(
    shelf: Shelf,
) -> None:
    for _ in range(2 * BATCH + 1):
        await shelf.over()
    shelf.settle()
    same = SessionArchive(shelf.store, shelf.clock, shelf.servers, Waiting())
    assert sum(await asyncio.gather(shelf.archive.look(), same.look())) == 2 * BATCH + 1


async def test_a_session_that_ran_is_archived_when_its_reports_are_written_and_the_meeting_goes_on(
    either: Database,
) -> None:
    async with live_world(store=either) as world:
        archive = SessionArchive(either, world.clock, alone(either, world.clock), world.live.reports)
        host, other = await world.join(), await world.join("group_call_participant")
        await other.subscribe(await host.publish("camera", "video"))
        world.clock.advance(SAMPLE_EVERY)
        await world.live.reports.poll()
        await world.live.kick_all(MEETING)
        assert world.live.reports.unwritten == {host.joined["session_id"]}
        again = await world.join()
        world.clock.advance(SETTLES_IN.total_seconds() + 1)
        assert await archive.look() == 0
        await world.live.reports.save()
        assert await archive.look() == 1
        async with either(reading=True) as uow:
            former = await uow.sessions.get(host.joined["session_id"])
            running = await uow.sessions.get(again.joined["session_id"])
        assert former is not None
        assert running is not None
        assert (former.status, running.status) == (SessionStatus.ARCHIVED, SessionStatus.LIVE)
