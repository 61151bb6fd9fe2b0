"""In which order the outbox has what happened where many write to it at once: of each session that in which
it was done. On SQLite many of them are one commit, and what fails of it takes nothing of the others along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from signaling.domain.meeting import Meeting
from signaling.domain.organization import Organization
from signaling.domain.webhook_delivery import Delivery
from signaling.errors import ConflictError, ContendedError
from signaling.services.ports import UnitOfWork
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.services.transaction import committed
from signaling.store import sqlite_writer
from signaling.store.database import Database
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.store.test_sqlite_writer import Failed, full_disk, together
from tests.signaling.webhooks.world import World

SESSIONS = 6
PEERS = 5
"""Who come and go in each."""
UNDO_ALL = """
create trigger takes_all_with_it before insert on organizations when new.name = 'undo all'
begin select raise(rollback, 'all of it is undone'); end
"""
"""As a full disk may do it: what others have in the same transaction is undone as well."""


@pytest.fixture
def one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, it is not open for too long."""
    monkeypatch.setattr(sqlite_writer, "MAX_SECONDS", 3600.0)


class Telling:
    """An organization with an endpoint that hears of everything, and what there is to be told of each of its
    sessions, in order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.world = World(database)
        self.of_session: dict[str, list[Delivery]] = {}

    @property
    def acme(self) -> Organization:
        return self.world.acme

    async def begin(self) -> Telling:
        webhook = await self.world.webhook("https://acme.example/hook")
        for _ in range(SESSIONS):
            session = values.session(values.meeting(self.acme))
            self.of_session[session.id] = values.deliveries(session, webhook, peers=PEERS)
        return self

    async def note(
        self, *told: Delivery, then: Callable[[UnitOfWork], Awaitable[None]] | None = None
    ) -> None:
        """A unit that says so, and then does something else, which may fail."""

        async def work(uow: UnitOfWork) -> None:
            await uow.deliveries.add(told)
            if then is not None:
                await then(uow)

        await committed(self.database, work)

    async def undo_all(self, told: Delivery) -> None:
        """A unit that says so, and with which SQLite undoes everything that is in the same transaction."""
        with pytest.raises((Failed, ConflictError, ContendedError)):
            async with self.database() as uow:
                await uow.deliveries.add([told])
                await uow.organizations.add(values.organization("undo all"))
                raise Failed

    async def outbox(self) -> list[str]:
        """Ids."""
        async with self.database(reading=True) as uow:
            found, _ = await uow.deliveries.list(self.acme.id, DeliveryFilter(), limit=1000)
        return [one.id for one in reversed(found)]

    async def heard(self) -> dict[str, list[str]]:
        """Ids, of each session, in the order in which the endpoint gets them."""
        await self.world.deliver()
        heard: dict[str, list[str]] = {session_id: [] for session_id in self.of_session}
        for _, one in self.world.endpoints.sent:
            heard[one.session_id or ""].append(one.id)
        return heard


def ids(told: list[Delivery]) -> list[str]:
    return [one.id for one in told]


@pytest.mark.parametrize(
    "failing", [(), (0,), (7,), (23,), (0, 1, 9, 10, 22, 23)], ids=lambda those: f"failing {those}"
)
async def test_what_is_committed_together_is_told_in_the_order_of_the_turns(
    database: Database, one_transaction: None, trips: list[str], failing: tuple[int, ...]
) -> None:
    """Of the sessions in turn two things each; who fails has told both before."""
    telling = await Telling(database).begin()
    waiting = [list(told) for told in telling.of_session.values()]
    units: list[Coroutine[Any, Any, None]] = []
    expected: list[str] = []
    for number in range(24):
        of_session = waiting[number % SESSIONS]
        told = of_session[:2]
        if number in failing:
            units.append(telling.note(*told, then=fail))
        else:
            del of_session[:2]
            expected += ids(told)
            units.append(telling.note(*told))
    trips.clear()
    done = await together(database, *units)
    assert [number for number, one in enumerate(done) if isinstance(one, Failed)] == list(failing)
    assert trips == ["_commit_or_undo"]
    assert await telling.outbox() == expected
    for session_id, heard in (await telling.heard()).items():
        assert heard == [one for one in expected if one in ids(telling.of_session[session_id])]


async def test_what_a_full_disk_undid_is_told_later_before_what_follows(
    database: Database, one_transaction: None, tmp_path: Path
) -> None:
    telling = await Telling(database).begin()
    firsts = [told[0] for told in telling.of_session.values()]
    with full_disk(tmp_path):
        done = await together(database, *(telling.note(one) for one in firsts))
    assert not any(one is None for one in done)
    assert await telling.outbox() == []
    again = [telling.note(*told[: 1 + number % 3]) for number, told in enumerate(telling.of_session.values())]
    assert await together(database, *again) == [None] * SESSIONS
    for number, (session_id, heard) in enumerate((await telling.heard()).items()):
        assert heard == ids(telling.of_session[session_id][: 1 + number % 3])


async def test_each_session_is_told_of_in_its_order_whatever_becomes_of_others_at_the_same_time(
    either: Database,
) -> None:
    """Each does one thing after the other, all sessions at once. Two at a time change the same row, for which
    PostgreSQL has one of them do it again; now and then one fails after it was told, and is not done; twice
    SQLite undoes what was to be committed together, and all but the one that failed do it again."""
    if either.source.dialect.name == "sqlite":
        async with statements(either) as db:
            await db.execute(text(UNDO_ALL))
    telling = await Telling(either).begin()
    shared = [values.meeting(telling.acme) for _ in range(SESSIONS // 2)]
    async with either() as uow:
        for one in shared:
            await uow.meetings.add(one)
        await uow.commit()

    async def go_on(number: int, told: list[Delivery]) -> None:
        for step, one in enumerate(told):
            if (number, step) in ((0, 3), (0, 7)):
                await telling.undo_all(one)
            elif (number + step) % 3 == 0:
                with pytest.raises(Failed):
                    await telling.note(one, then=fail)
            await telling.note(one, then=change(shared[number // 2]))

    await asyncio.gather(*(go_on(number, told) for number, told in enumerate(telling.of_session.values())))
    everything = {session_id: ids(told) for session_id, told in telling.of_session.items()}
    outbox = await telling.outbox()
    for told in everything.values():
        assert [one for one in outbox if one in told] == told
    assert await telling.heard() == everything


async def fail(_: UnitOfWork) -> None:
    raise Failed


def change(meeting: Meeting) -> Callable[[UnitOfWork], Awaitable[None]]:
    async def changed(uow: UnitOfWork) -> None:
        found = await uow.meetings.get(meeting.organization_id, meeting.id)
        assert found is not None
        await uow.meetings.save(found)

    return changed
