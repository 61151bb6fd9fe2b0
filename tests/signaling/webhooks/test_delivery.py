from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from signaling.domain.webhook_delivery import DeliveryStatus
from signaling.domain.webhook_lanes import MAX_PER_SUBSCRIBER
from signaling.errors import StoreUnavailableError
from signaling.store.database import Database
from signaling.store.unit_of_work import SqlUnitOfWork
from signaling.webhooks.keeping import OutboxKeeper
from tests.signaling.webhooks.world import World
from tests.support.wait import wait_until

SESSION = ["meeting.started", "meeting.participantJoined", "meeting.participantLeft", "meeting.ended"]
ONE, TWO, BACKUP = "https://one.example/", "https://two.example/", "https://backup.example/"


async def test_a_session_is_told_in_order_to_everybody_who_wants_it(database: Database) -> None:
    world = World(database)
    await world.session(await world.webhook(ONE), await world.webhook(TWO))
    await world.deliver()
    assert world.endpoints.events(ONE) == world.endpoints.events(TWO) == SESSION
    assert {one.status for one in await world.log()} == {DeliveryStatus.DELIVERED}
    assert dict(world.deliverer.counters) == {"DELIVERED": 8}


async def test_what_fails_is_tried_again_before_anything_that_came_after_it(database: Database) -> None:
    world = World(database)
    hook = await world.webhook(ONE)
    await world.session(hook)
    world.endpoints.answers[ONE] = 503
    for pause in (0, 4, 16, 64):
        world.clock.advance(pause)
        await world.deliver()
    assert world.endpoints.events() == ["meeting.started"] * 4
    (first, *_), ids = await world.log(), {one.id for _, one in world.endpoints.sent}
    assert (first.status, first.attempts, first.last_status) == (DeliveryStatus.QUEUED, 4, 503)
    assert ids == {first.id}, "every attempt is of the same delivery"
    world.endpoints.answers[ONE] = 200
    world.clock.advance(256)
    await world.deliver()
    assert world.endpoints.events()[4:] == SESSION


async def test_when_all_attempts_failed_the_failover_url_is_tried_and_then_the_next_delivery(
    database: Database,
) -> None:
    world = World(database)
    await world.session(await world.webhook(ONE, failover_url=BACKUP))
    world.endpoints.answers[ONE] = world.endpoints.answers[BACKUP] = None
    for pause in (0, 4, 16, 64, 256, 1024, 0, 4, 16):
        world.clock.advance(pause)
        await world.deliver()
    first_nine = [url for url, one in world.endpoints.sent if one.event == "meeting.started"]
    assert first_nine == [ONE] * 6 + [BACKUP] * 3
    first, second, *_ = await world.log()
    assert (first.status, first.attempts) == (DeliveryStatus.FAILED, 9)
    assert (second.status, second.attempts) == (DeliveryStatus.QUEUED, 1)
    async with database(reading=True) as uow:
        log = await uow.deliveries.attempts(first.id)
    assert [one.url for one in log] == first_nine
    assert [one.number for one in log] == list(range(1, 10))


async def test_a_failover_url_that_answers_is_enough(database: Database) -> None:
    world = World(database)
    await world.session(await world.webhook(ONE, failover_url=BACKUP))
    world.endpoints.answers[ONE] = 500
    for pause in (0, 4, 16, 64, 256, 1024):
        world.clock.advance(pause)
        await world.deliver()
    assert world.endpoints.events(BACKUP)[0] == "meeting.started"
    assert (await world.log())[0].status is DeliveryStatus.DELIVERED


async def test_an_endpoint_that_hangs_keeps_nobody_else_waiting_and_has_few_attempts_at_a_time(
    database: Database,
) -> None:
    world = World(database)
    hanging, sound = await world.webhook(ONE), await world.webhook(TWO)
    held = world.endpoints.answers[ONE] = asyncio.Event()
    for _ in range(MAX_PER_SUBSCRIBER + 5):
        await world.session(hanging)
    await world.session(sound)
    for _ in SESSION:
        await world.deliverer.turn()
        await wait_until(lambda: world.deliverer.busy == MAX_PER_SUBSCRIBER, "the sound one to be told")
    assert world.endpoints.events(TWO) == SESSION
    assert len(world.endpoints.events(ONE)) == MAX_PER_SUBSCRIBER
    held.set()
    await world.deliver()
    assert Counter(world.endpoints.events(ONE)) == dict.fromkeys(SESSION, MAX_PER_SUBSCRIBER + 5)


async def test_what_was_delivered_while_the_database_was_away_is_written_down_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    await world.session(await world.webhook(ONE))
    held = world.endpoints.answers[ONE] = asyncio.Event()
    await world.deliverer.turn()
    with monkeypatch.context() as patch:

        async def away(_uow: SqlUnitOfWork) -> None:
            raise OSError

        patch.setattr(SqlUnitOfWork, "commit", away)
        held.set()
        await asyncio.wait(world.deliverer.attempting)
        with pytest.raises(StoreUnavailableError):
            await world.deliverer.turn()
    assert (await world.log())[0].status is DeliveryStatus.DELIVERING
    await world.deliver()
    assert world.endpoints.events() == SESSION, "the first one once"


async def test_after_a_crash_it_is_delivered_again_with_the_same_id(database: Database) -> None:
    world = World(database)
    await world.session(await world.webhook(ONE))
    held = world.endpoints.answers[ONE] = asyncio.Event()
    crashed = world.another()
    await crashed.turn()
    (lost,) = crashed.attempting
    await wait_until(lambda: len(world.endpoints.sent) == 1, "the first attempt")
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    held.set()
    await world.deliver()
    assert world.endpoints.events() == ["meeting.started"], "the lease is not over yet"
    world.clock.advance(8)
    await world.deliver()
    assert world.endpoints.events() == ["meeting.started", *SESSION]
    (_, first), (_, again), *_ = world.endpoints.sent
    assert (first.id, first.event_id, first.body) == (again.id, again.event_id, again.body)


async def test_a_server_that_was_killed_takes_back_what_it_was_delivering_and_nothing_of_others(
    either: Database,
) -> None:
    world = World(either)
    mine, theirs = await world.webhook(ONE), await world.webhook(TWO)
    world.endpoints.answers |= {ONE: asyncio.Event(), TWO: asyncio.Event()}
    killed, living = world.another("x" * 64), world.another("x" * 63)
    await world.session(mine)
    await killed.turn()
    await world.session(theirs)
    await living.turn()
    await wait_until(lambda: len(world.endpoints.sent) == 2, "both attempts")
    lost = [*killed.attempting, *living.attempting]
    for one in lost:
        one.cancel()
    await asyncio.gather(*lost, return_exceptions=True)

    world.endpoints.answers.clear()
    again = world.another("x" * 64)
    await world.deliver(again)
    assert world.endpoints.events(ONE) == ["meeting.started", *SESSION]
    assert world.endpoints.events(TWO) == ["meeting.started"], "whose lease is not over yet"
    world.endpoints.answers[ONE] = held = asyncio.Event()
    await world.session(mine)
    await again.turn()
    await again.turn()
    assert len(again.attempting) == 1, "it takes back what its former self had, and that once"
    held.set()
    await asyncio.gather(*again.attempting)


async def test_two_processes_tell_everything_once_and_in_order(either: Database) -> None:
    world = World(either)
    hook = await world.webhook(ONE)
    sessions = [await world.session(hook, peers=3) for _ in range(6)]
    await asyncio.gather(*(world.deliver(one) for one in (world.another(), world.another())))
    await world.deliver()
    for session_id in sessions:
        told = [one.event for _, one in world.endpoints.sent if one.session_id == session_id]
        assert told == [SESSION[0], *[SESSION[1]] * 3, *[SESSION[2]] * 3, SESSION[3]]


async def test_it_runs_by_itself_and_gives_back_what_it_could_not_finish(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    hook = await world.webhook(ONE)
    world.deliverer.start()
    first = await world.session(hook)
    world.deliverer.wake()
    await wait_until(lambda: world.endpoints.events() == SESSION, lambda: str(world.endpoints.events()))

    monkeypatch.setattr("signaling.webhooks.delivery.END_WITHIN", 0.0)
    world.endpoints.answers[ONE] = asyncio.Event()
    second = await world.session(hook)
    world.deliverer.wake()
    await wait_until(lambda: world.deliverer.busy == 1, "an attempt that hangs")
    await world.deliverer.close()
    assert {one.status for one in await world.log(session_id=first)} == {DeliveryStatus.DELIVERED}
    assert {one.status for one in await world.log(session_id=second)} == {DeliveryStatus.QUEUED}
    assert world.deliverer.busy == 0


async def test_a_sender_that_fails_itself_counts_as_an_attempt(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    await world.session(await world.webhook(ONE))

    async def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(world.endpoints, "send", broken)
    await world.deliver()
    (first, *_) = await world.log()
    assert (first.attempts, first.last_error) == (1, "the server failed to send it")
    assert world.deliverer.busy == 0


async def test_the_keeper_discards_what_nobody_wants_and_what_is_too_much_and_counts_the_rest(
    database: Database,
) -> None:
    world = World(database)
    gone, slow = await world.webhook(ONE), await world.webhook(TWO)
    await world.session(gone)
    await world.session(slow, peers=2)
    async with database() as uow:
        await uow.webhooks.remove(gone)
        await uow.commit()
    keeper = OutboxKeeper(database, world.clock, max_queued=5)
    await keeper.look()
    assert keeper.discarded == 4 + 1
    assert (keeper.counts.queued, keeper.oldest_age()) == (5, 100.0)
    await world.deliver()
    assert world.endpoints.events(ONE) == []
    assert world.endpoints.events(TWO) == [SESSION[1], SESSION[1], SESSION[2], SESSION[2], SESSION[3]]
    world.clock.advance(31 * 86400)
    await keeper.look()
    assert await world.log() == []
