"""What webhooks are told of running sessions, in the transactions in which it happens."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from signaling.domain.webhook import EventName, Webhook
from signaling.domain.webhook_delivery import Delivery
from signaling.ids import new_uuid
from signaling.services.ports import UnitOfWorkFactory
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.store.database import Database
from tests.signaling.values import at
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, live_world
from tests.support.store_faults import store_away

STARTED, ENDED = "meeting.started", "meeting.ended"
JOINED, LEFT = "meeting.participantJoined", "meeting.participantLeft"


async def subscribe(units: UnitOfWorkFactory) -> None:
    hook = Webhook(new_uuid(), ORGANIZATION, "ours", "https://hooks.example/", tuple(EventName), at(0), at(0))
    async with units() as uow:
        await uow.webhooks.add(hook)
        await uow.commit()


async def told(world: LiveWorld) -> list[Delivery]:
    async with world.store(reading=True) as uow:
        found, _ = await uow.deliveries.list(ORGANIZATION, DeliveryFilter(), limit=100)
    return list(reversed(found))


async def told_of(world: LiveWorld) -> list[str]:
    return [one.event for one in await told(world)]


async def test_a_session_is_told_of_from_its_start_to_its_end(either: Database) -> None:
    async with live_world(store=either) as world:
        await subscribe(either)
        host = await world.join()
        assert await told_of(world) == [STARTED, JOINED], "before the join was answered"
        other = await world.join("group_call_participant")
        await host.request("kick", peer_ids=[other.peer_id])
        assert await told_of(world) == [STARTED, JOINED, JOINED, LEFT]
        await world.live.kick_all(MEETING)
        log = await told(world)
    assert [one.event for one in log] == [STARTED, JOINED, JOINED, LEFT, LEFT, ENDED]
    assert {one.session_id for one in log} == {host.joined["session_id"]}
    bodies = [json.loads(one.body) for one in log]
    assert bodies[2]["participant"]["peerId"] == bodies[3]["participant"]["peerId"] == other.peer_id
    assert bodies[2]["participant"]["customParticipantId"] == "custom-2"
    assert {one["meeting"]["status"] for one in bodies[:-1]} == {"LIVE"}
    assert bodies[-1]["meeting"]["status"] == "ENDED"
    assert bodies[-1]["reason"] == "HOST_ENDED_MEETING"


async def test_a_session_that_empties_tells_so() -> None:
    async with live_world() as world:
        await subscribe(world.store)
        host = await world.join()
        await host.request("leave")
        await world.wait(3600)
        log = await told(world)
    assert [one.event for one in log] == [STARTED, JOINED, LEFT, ENDED]
    assert json.loads(log[-1].body)["reason"] == "ALL_PARTICIPANTS_LEFT"


async def test_a_join_that_was_not_written_is_not_told_of() -> None:
    async with live_world() as world:
        await subscribe(world.store)
        await world.join()
        token = world.tokens.issue(await world.participant("group_call_host"))
        with store_away(), pytest.raises(Refused):
            await (await world.socket()).join(token)
        assert await told_of(world) == [STARTED, JOINED]


async def test_who_left_while_the_store_was_away_is_told_of_before_whoever_joins_then() -> None:
    async with live_world() as world:
        await subscribe(world.store)
        host, other = await world.join(), await world.join("group_call_participant")
        with store_away():
            await host.request("kick", peer_ids=[other.peer_id])
        third = await world.join("group_call_participant")
        log = await told(world)
    assert [one.event for one in log] == [STARTED, JOINED, JOINED, LEFT, JOINED]
    assert json.loads(log[3].body)["participant"]["peerId"] == other.peer_id
    assert json.loads(log[4].body)["participant"]["peerId"] == third.peer_id


async def test_what_a_process_that_died_left_behind_is_told_of_as_over() -> None:
    async with live_world() as world:
        await subscribe(world.store)
        await world.join()
        async with world.store(reading=True) as uow:
            store = world.store
            (running,) = await uow.sessions.unfinished()
        await world.die()
        for node in world.nodes.started:
            node.closed = True
        async with live_world(after=replace(world, store=store)) as after:
            log = await told(after)
    assert [one.event for one in log] == [STARTED, JOINED, LEFT, ENDED]
    assert {one.session_id for one in log} == {running.id}
    assert json.loads(log[-1].body)["reason"] == "SERVER_RESTARTED"
    assert json.loads(log[2].body)["meeting"]["status"] == "LIVE"
