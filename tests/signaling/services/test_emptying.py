"""What a removed organization left goes some rows at a time, whoever begins and whoever ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import RowMapping, Table, delete, func, select, text, update

from signaling.domain.organization import Organization
from signaling.domain.peer_report import PeerReport, StoredReport
from signaling.domain.session_status import SessionStatus
from signaling.domain.webhook import Shape, Target
from signaling.services.emptying import SETTLED, Emptying
from signaling.services.ports.organizations import FRONT
from signaling.store.database import Database
from signaling.store.dissolution import REMOVED
from signaling.store.tables import (
    attendances,
    meetings,
    metadata,
    organizations,
    participants,
    peer_reports,
    sessions,
    webhook_deliveries,
    webhooks,
)
from signaling.testing import FakeClock
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.store.test_outbox import claimed
from tests.signaling.values import at
from tests.support.wait import wait_until_async

KEPT = (organizations, meetings, sessions, attendances)
SESSIONS = 5
ROWS = 2
GONE_AT = at(50)
SETTLED_AT = GONE_AT + SETTLED


async def furnished(store: Database, name: str = "Acme") -> Organization:
    """With five meetings, in each of which two people were, with a report, and an event that waits."""
    acme = values.organization(name)
    webhook = values.webhook(acme)
    async with store() as uow:
        await uow.organizations.add(acme)
        await uow.webhooks.add(webhook)
        for number in range(SESSIONS):
            meeting = replace(values.meeting(acme, f"{name} {number}"), short=f"{name}{number}")
            session = values.session(meeting)
            await uow.meetings.add(meeting)
            await uow.participants.add(values.participant(meeting))
            await uow.sessions.add(session)
            peers = [values.attendance(session, f"{name}-{number}-{one}") for one in range(2)]
            for peer in peers:
                await uow.sessions.add_attendance(replace(peer, address="192.0.2.1", context="seat 4"))
            reports = [StoredReport(peer.peer_id, at(9), PeerReport()) for peer in peers]
            await uow.peer_reports.save(acme.id, reports)
            await uow.sessions.save(replace(session, status=SessionStatus.FINISHED, ended_at=at(40)))
            to_room = replace(
                values.deliveries(session, webhook)[0],
                id=f"{name}-{number}",
                subscriber=f"meeting:{meeting.id}",
                queue=f"meeting:{meeting.id}",
                shape=Shape.ROOM,
                webhook_id=None,
                target=Target("https://room.example/", None, 3),
            )
            await uow.deliveries.add([*values.deliveries(session, webhook), to_room])
        await uow.commit()
    return acme


async def removed(store: Database, organization: Organization) -> None:
    async with store() as uow:
        await uow.organizations.dissolve(organization.id, GONE_AT)
        await uow.commit()


async def rows(store: Database, organization: Organization) -> dict[Table, list[RowMapping]]:
    found = {}
    async with statements(store) as db:
        for table in metadata.sorted_tables:
            owner = table.c.id if table is organizations else table.c.get("organization_id")
            if owner is not None:
                mine = select(table).where(owner == organization.id)
                found[table] = list((await db.execute(mine)).mappings().all())
    return {table: there for table, there in found.items() if there}


def names(kept: dict[Table, list[RowMapping]]) -> Iterator[Any]:
    for one in kept[attendances]:
        yield from (one["name"], one["custom_participant_id"], one["address"], one["context"])
    for one in kept[sessions]:
        yield one["meeting_title"]
    for one in kept[meetings]:
        yield from (one["title"], one["short"])


async def unemptied(store: Database) -> list[str]:
    async with store(reading=True) as uow:
        return list(await uow.organizations.unemptied(SETTLED_AT))


async def check_gone(store: Database, organization: Organization) -> None:
    kept = await rows(store, organization)
    assert set(kept) == set(KEPT)
    assert [len(kept[table]) for table in KEPT] == [1, SESSIONS, SESSIONS, 2 * SESSIONS]
    assert not any(names(kept))
    assert {one["deleted_at"] for one in kept[meetings]} == {GONE_AT}
    assert await unemptied(store) == []


async def test_it_goes_in_steps_and_whoever_comes_after_a_restart_goes_on(either: Database) -> None:
    gone, stays = await furnished(either), await furnished(either, "Beta")
    before = await rows(either, stays)
    await removed(either, gone)
    assert await unemptied(either) == [gone.id]
    left = await rows(either, gone)
    place, steps = FRONT, 0
    while {webhook_deliveries, participants} & left.keys() or len(left[peer_reports]) == 2 * SESSIONS:
        async with either() as uow:
            following = await uow.organizations.empty(gone.id, place, at(60), settled=at(0), limit=ROWS)
            await uow.commit()
        assert following is not None
        after = await rows(either, gone)
        changed = sum(1 for table in left for one in left[table] if one not in after.get(table, []))
        assert changed <= 2 * ROWS, "of attendances, and of what goes with each"
        place, steps, left = following, steps + 1, after
    assert steps > SESSIONS
    assert any(names(left)), "it is not done yet"

    await Emptying(either, FakeClock(SETTLED_AT), rows=ROWS).look()
    await check_gone(either, gone)
    assert await rows(either, stays) == before


@pytest.mark.parametrize("either", ["postgresql"], indirect=True)
async def test_whoever_begins_at_the_front_again_writes_nothing_to_what_is_empty(either: Database) -> None:
    gone = await furnished(either)
    await removed(either, gone)
    written = text("SELECT xmin::text FROM attendances UNION ALL SELECT xmin::text FROM sessions")
    emptying = Emptying(either, FakeClock(SETTLED_AT), rows=ROWS)
    await emptying.look()
    async with statements(either) as db:
        before = list(await db.scalars(written))
        await db.execute(update(organizations).values(emptied_at=None))
    await emptying.look()
    async with statements(either) as db:
        assert list(await db.scalars(written)) == before
    await check_gone(either, gone)


async def test_several_servers_may_do_it_at_once(either: Database) -> None:
    gone = await furnished(either)
    await removed(either, gone)
    clock = FakeClock(SETTLED_AT)
    await asyncio.gather(*(Emptying(either, clock, rows=ROWS).look() for _ in range(3)))
    await check_gone(either, gone)


@pytest.mark.parametrize("either", ["postgresql"], indirect=True)
async def test_rows_that_somebody_else_removes_at_the_same_time_are_not_taken_for_the_last(
    either: Database,
) -> None:
    gone = await furnished(either)
    await removed(either, gone)
    emptying = Emptying(either, FakeClock(SETTLED_AT), rows=ROWS)
    seq = webhook_deliveries.c.seq
    async with statements(either) as db:  # as the log is kept short
        first = await db.scalar(select(func.min(seq)))
        await db.execute(delete(webhook_deliveries).where(seq < first + ROWS))
        looking = asyncio.create_task(emptying.look())

        async def waits() -> bool:
            return bool(await db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

        await wait_until_async(waits, lambda: "the other did not come to these rows")
    await looking
    await check_gone(either, gone)


async def test_until_it_is_done_nobody_finds_anything_and_nothing_is_delivered(either: Database) -> None:
    gone, stays = await furnished(either), await furnished(either, "Beta")
    async with either(reading=True) as uow:
        there = {one.id: await uow.meetings.by_short(f"{one.name}0") for one in (gone, stays)}
    await removed(either, gone)
    async with either() as uow:
        for one in (gone, stays):
            meeting = there[one.id]
            assert meeting is not None
            found = await uow.meetings.by_short(f"{one.name}0")
            assert (found is None) == (one is gone)
            assert (await uow.meetings.get(one.id, meeting.id) is None) == (one is gone)
            (participant,), _ = await uow.participants.list(one.id, meeting.id)
            admitted = await uow.participants.with_its_own(one.id, meeting.id, participant.id)
            assert (admitted is None) == (one is gone)
    taken = await claimed(either)
    assert {one.delivery.organization_id for one in taken} == {stays.id}
    async with either() as uow:
        assert await uow.deliveries.discard_unwanted(at(60)) == 5 * SESSIONS
        await uow.commit()


async def test_nothing_is_emptied_while_sessions_run_that_write_names_as_they_end(either: Database) -> None:
    gone = await furnished(either)
    meeting = values.meeting(gone, "Last")
    session = values.session(meeting)
    peer = values.attendance(session, "last")
    async with either() as uow:
        await uow.meetings.add(meeting)
        await uow.sessions.add(session)
        await uow.sessions.add_attendance(peer)
        await uow.commit()
    await removed(either, gone)
    emptying = Emptying(either, FakeClock(SETTLED_AT))
    await emptying.look()
    async with either() as uow:
        assert await uow.sessions.save_attendance(peer.left("kicked", at(60)))
        await uow.sessions.save(replace(session, status=SessionStatus.FINISHED, ended_at=at(60)))
        await uow.commit()
    await emptying.look()
    assert not any(names(await rows(either, gone)))


async def test_what_a_request_writes_that_was_let_in_before_goes_when_all_has_settled(
    either: Database,
) -> None:
    gone, stays = await furnished(either), await furnished(either, "Beta")
    before = await rows(either, stays)
    await removed(either, gone)
    clock = FakeClock(GONE_AT)
    emptying = Emptying(either, clock)
    await emptying.empty(gone.id)

    late = values.meeting(gone, "Late")
    async with either() as uow:
        await uow.meetings.add(late)
        await uow.participants.add(values.participant(late))
        await uow.webhooks.add(values.webhook(gone))
        await uow.commit()
    clock.advance(SETTLED.total_seconds() - 1)
    await emptying.look()
    assert {participants, webhooks} <= (await rows(either, gone)).keys(), "others may still be at it"
    clock.advance(1)
    await emptying.look()
    kept = await rows(either, gone)
    assert set(kept) == set(KEPT)
    assert not any(names(kept))
    assert await unemptied(either) == []
    assert await rows(either, stays) == before


async def test_what_is_written_late_of_a_peer_is_not_kept(either: Database) -> None:
    gone = await furnished(either)
    await removed(either, gone)
    await Emptying(either, FakeClock(SETTLED_AT)).look()
    async with either() as uow:
        await uow.peer_reports.save(gone.id, [StoredReport("Acme-0-0", at(70), PeerReport())])
        await uow.commit()
    await check_gone(either, gone)


@pytest.mark.parametrize("table", REMOVED, ids=lambda one: one.name)
def test_what_is_removed_in_steps_is_found_by_an_index(table: Table) -> None:
    found = [list(one.columns) for one in (*table.indexes, table.primary_key)]
    assert any(columns[0].name == "organization_id" for columns in found)
