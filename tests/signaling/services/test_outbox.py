from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Executable

from signaling.domain.meeting import Meeting
from signaling.domain.organization import Organization
from signaling.domain.participant import Participant
from signaling.domain.session_status import SessionEndReason, SessionRecord, SessionStatus
from signaling.domain.webhook import EventName, Shape, Target
from signaling.domain.webhook_delivery import Delivery
from signaling.domain.webhook_sessions import ParticipantOccurrence, SessionOccurrence
from signaling.services.outbox import REMEMBERED, Outbox
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.store.database import Database
from signaling.store.sqlite_transactions import SqliteTransaction
from signaling.testing import FakeClock
from tests.signaling import values
from tests.signaling.values import at


@dataclass
class World:
    units: Database
    clock: FakeClock = field(default_factory=lambda: FakeClock(at(10)))
    acme: Organization = field(default_factory=values.organization)
    written: int = 0
    meeting: Meeting = field(init=False)
    session: SessionRecord = field(init=False)
    participant: Participant = field(init=False)
    outbox: Outbox = field(init=False)

    async def __aenter__(self) -> World:
        self.meeting = values.meeting(self.acme)
        self.session, self.participant = values.session(self.meeting), values.participant(self.meeting)
        self.outbox = Outbox(self.clock, self._count)
        async with self.units() as uow:
            await uow.organizations.add(self.acme)
            await uow.meetings.add(self.meeting)
            await uow.participants.add(self.participant)
            await uow.sessions.add(self.session)
            await uow.commit()
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def _count(self) -> None:
        self.written += 1

    async def starts(self, *, commit: bool = True) -> None:
        async with self.units() as uow:
            await self.outbox.tell(uow, SessionOccurrence(self.session))
            if commit:
                await uow.commit()

    async def joins(self, number: int = 1) -> None:
        somebody = values.attendance(self.session, f"peer_{number}", self.participant.id)
        async with self.units() as uow:
            await self.outbox.tell(uow, ParticipantOccurrence(self.session, somebody))
            await uow.commit()

    async def log(self) -> list[Delivery]:
        async with self.units(reading=True) as uow:
            found, _ = await uow.deliveries.list(self.acme.id, DeliveryFilter(), limit=100)
        return list(reversed(found))


async def test_who_wants_to_hear_of_an_event_is_written_to_and_nobody_else(database: Database) -> None:
    async with World(database) as world:
        wanting = values.webhook(world.acme, EventName.PARTICIPANT_JOINED)
        async with database() as uow:
            await uow.webhooks.add(wanting)
            await uow.webhooks.add(values.webhook(world.acme, EventName.MEETING_ENDED))
            await uow.webhooks.add(replace(values.webhook(world.acme), enabled=False))
            await uow.commit()
        await world.joins()
        (one,) = await world.log()
    assert (one.webhook_id, one.event) == (wanting.id, "meeting.participantJoined")
    assert '"customParticipantId":"ada-1"' in one.body
    assert '"title":"Weekly","status":"LIVE"' in one.body
    assert '"name":"Acme"' in one.body
    assert world.written == 1


async def test_what_is_rolled_back_was_never_to_be_told(database: Database) -> None:
    async with World(database) as world:
        async with database() as uow:
            await uow.webhooks.add(values.webhook(world.acme))
            await uow.commit()
        await world.starts(commit=False)
        assert (await world.log(), world.written) == ([], 0)


async def test_where_nobody_wants_to_hear_of_it_the_store_is_asked_once_in_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    execute = SqliteTransaction.execute

    async def noted(transaction: SqliteTransaction, statement: Executable, parameters: Any = None) -> Any:
        statements.append(str(statement))
        return await execute(transaction, statement, parameters)

    async with World(database) as world:
        monkeypatch.setattr(SqliteTransaction, "execute", noted)
        await world.joins(1)
        asked = len(statements)
        await world.joins(2)
        await world.starts()
        assert len(statements) == asked > 0
        world.clock.advance(REMEMBERED)
        await world.joins(3)
        assert len(statements) == 2 * asked
        assert not any(statement.startswith("INSERT") for statement in statements)
        assert await world.log() == []


async def test_a_webhook_that_was_added_elsewhere_is_told_after_a_moment_and_one_added_here_at_once(
    database: Database,
) -> None:
    async with World(database) as world:
        await world.starts()
        async with database() as uow:
            await uow.webhooks.add(values.webhook(world.acme))
            await uow.commit()
        await world.joins(1)
        assert await world.log() == []
        world.clock.advance(REMEMBERED)
        await world.joins(2)
        assert len(await world.log()) == 1
        async with database() as uow:
            await uow.webhooks.add(values.webhook(world.acme))
            await uow.commit()
        world.outbox.forget(world.acme.id)
        await world.joins(3)
        assert len(await world.log()) == 3


@pytest.mark.parametrize("either", ["postgresql"], indirect=True)
@pytest.mark.parametrize("of_meeting", [False, True])
async def test_what_a_transaction_that_began_before_the_change_sees_is_not_what_the_next_one_goes_by(
    either: Database, of_meeting: bool
) -> None:
    async with World(either) as world:
        async with either() as began_before:
            assert await began_before.sessions.get(world.session.id)
            async with either() as uow:
                if of_meeting:
                    await uow.meetings.save(replace(world.meeting, webhook_event_url="https://room.example/"))
                else:
                    await uow.webhooks.add(values.webhook(world.acme))
                await uow.commit()
            (world.outbox.forget_meeting if of_meeting else world.outbox.forget)(
                world.meeting.id if of_meeting else world.acme.id
            )
            somebody = values.attendance(world.session, "peer_1", world.participant.id)
            await world.outbox.tell(began_before, ParticipantOccurrence(world.session, somebody))
            await began_before.commit()
        assert await world.log() == []
        await world.joins(2)
        assert len(await world.log()) == 1


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_meeting_is_told_at_the_url_that_it_names_also_once_it_is_deleted(
    database: Database, deleted: bool
) -> None:
    async with World(database) as world:
        named = replace(
            world.meeting,
            webhook_event_url="https://room.example/",
            webhook_event_failover_url="https://backup.example/",
            webhook_timeout_secs=9,
            deleted_at=at(1) if deleted else None,
        )
        async with database() as uow:
            await uow.meetings.save(named)
            await uow.commit()
        await world.starts()
        ended = replace(
            world.session,
            ended_at=at(60),
            end_reason=SessionEndReason.HOST_ENDED_MEETING,
            status=SessionStatus.FINISHED,
        )
        async with database() as uow:
            await world.outbox.tell(uow, SessionOccurrence(ended))
            await uow.commit()
        told = await world.log()
    assert [one.event for one in told] == ["video.room.session.started", "video.room.session.ended"]
    assert {one.shape for one in told} == {Shape.ROOM}
    assert {one.target for one in told} == {Target("https://room.example/", "https://backup.example/", 9)}


async def test_the_same_told_twice_is_delivered_once(database: Database) -> None:
    async with World(database) as world:
        async with database() as uow:
            await uow.webhooks.add(values.webhook(world.acme))
            await uow.commit()
        await world.starts()
        await world.starts()
        assert len(await world.log()) == 1
