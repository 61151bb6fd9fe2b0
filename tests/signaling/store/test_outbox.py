"""Webhooks and the outbox, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from signaling.domain.organization import Organization
from signaling.domain.session import SessionRecord
from signaling.domain.webhook import EventName, Shape, Subscriber, Target, Webhook
from signaling.domain.webhook_delivery import Attempt, Delivery, DeliveryStatus, Outcome
from signaling.domain.webhook_events import Setting, delivery
from signaling.domain.webhook_lanes import MAX_PER_SUBSCRIBER
from signaling.ids import new_uuid
from signaling.services.ports.webhooks import Claimed, DeliveryFilter
from signaling.store.database import Database
from tests.signaling import values
from tests.signaling.values import at

NOW = at(100)


async def furnished(units: Database) -> tuple[Organization, SessionRecord, Webhook]:
    acme = values.organization()
    meeting = values.meeting(acme)
    session, webhook = values.session(meeting), values.webhook(acme)
    async with units() as uow:
        await uow.organizations.add(acme)
        await uow.meetings.add(meeting)
        await uow.sessions.add(session)
        await uow.webhooks.add(webhook)
        await uow.commit()
    return acme, session, webhook


async def put(units: Database, new: Sequence[Delivery]) -> None:
    async with units() as uow:
        await uow.deliveries.add(new)
        await uow.commit()


async def claimed(units: Database, claim: str = "me", now: datetime = NOW) -> Sequence[Claimed]:
    """All that may be had."""
    async with units() as uow:
        await uow.deliveries.stand_aside()
        due = await uow.deliveries.candidates(now, full=[], each=MAX_PER_SUBSCRIBER)
        taken = await uow.deliveries.claim(due, now, claim=claim, margin=5.0)
        await uow.commit()
    return taken


def attempt(number: int = 1, status: int | None = 200, error: str | None = None) -> Attempt:
    return Attempt(
        number, "https://acme.example/hook", NOW, 0.25, {"a": "b"}, status, {"c": "d"}, "ok", error
    )


async def settled(
    units: Database,
    one: Claimed,
    status: DeliveryStatus = DeliveryStatus.DELIVERED,
    *,
    claim: str = "me",
    due_at: datetime = NOW,
    made: Attempt | None = None,
) -> None:
    async with units() as uow:
        made = made or attempt(one.delivery.attempts + 1)
        await uow.deliveries.settle([Outcome(one.delivery.seq, claim, made, status, due_at)])
        await uow.commit()


async def get(units: Database, one: Delivery) -> Delivery:
    async with units(reading=True) as uow:
        found = await uow.deliveries.get(one.organization_id, one.id)
    assert found is not None
    return found


async def test_webhooks_are_found_as_they_were_and_by_their_organization_only(either: Database) -> None:
    acme, _session, webhook = await furnished(either)
    changed = replace(
        webhook,
        url="https://acme.example/other",
        events=(EventName.MEETING_ENDED,),
        enabled=False,
        failover_url="https://backup.example/",
        timeout_secs=7,
        version=2,
    )
    async with either() as uow:
        assert await uow.webhooks.get(acme.id, webhook.id) == webhook
        assert await uow.webhooks.enabled(acme.id) == [webhook]
        await uow.webhooks.save(changed)
        assert await uow.webhooks.list(acme.id) == ([changed], 1)
        assert await uow.webhooks.enabled(acme.id) == []
        assert await uow.webhooks.get("another", webhook.id) is None
        assert await uow.webhooks.list("another") == ([], 0)
        await uow.webhooks.remove(replace(changed, organization_id="another"))
        assert await uow.webhooks.get(acme.id, webhook.id) == changed
        await uow.webhooks.remove(changed)
        assert await uow.webhooks.get(acme.id, webhook.id) is None


async def test_what_happened_once_is_to_be_delivered_once_however_often_it_is_written(
    either: Database,
) -> None:
    acme, session, webhook = await furnished(either)
    told = values.deliveries(session, webhook)
    await put(either, told[:2])
    await put(either, told)
    async with either(reading=True) as uow:
        listed, total = await uow.deliveries.list(acme.id, DeliveryFilter(), limit=100)
    assert total == 4
    assert [replace(one, seq=0) for one in reversed(listed)] == told
    assert [one.event for one in told] == [
        "meeting.started",
        "meeting.participantJoined",
        "meeting.participantLeft",
        "meeting.ended",
    ]


async def test_of_a_session_one_delivery_goes_after_the_other_and_of_two_sessions_both(
    either: Database,
) -> None:
    acme, session, webhook = await furnished(either)
    other = values.session(values.meeting(acme))
    await put(either, values.deliveries(session, webhook))
    await put(either, values.deliveries(other, webhook))
    first = await claimed(either)
    assert {(one.delivery.session_id, one.delivery.event) for one in first} == {
        (session.id, "meeting.started"),
        (other.id, "meeting.started"),
    }
    assert await claimed(either) == []
    (mine,) = (one for one in first if one.delivery.session_id == session.id)
    await settled(either, mine, DeliveryStatus.QUEUED, due_at=at(105), made=attempt(status=500))
    assert await claimed(either) == [], "the one that failed goes before those behind it"
    (again,) = await claimed(either, now=at(106))
    assert (again.delivery.id, again.delivery.attempts) == (mine.delivery.id, 1)
    await settled(either, again, DeliveryStatus.FAILED)
    (behind,) = await claimed(either)
    assert behind.delivery.event == "meeting.participantJoined"


async def test_two_processes_never_have_the_same_delivery(either: Database) -> None:
    acme, _session, webhook = await furnished(either)
    for number in range(12):
        await put(either, values.deliveries(values.session(values.meeting(acme, seconds=number)), webhook))
    taken = await asyncio.gather(*(claimed(either, f"process {number}") for number in range(4)))
    ids = [one.delivery.id for each in taken for one in each]
    assert len(ids) == len(set(ids)) >= MAX_PER_SUBSCRIBER


async def test_a_delivery_whose_process_died_is_had_again_after_its_lease_and_only_by_one(
    either: Database,
) -> None:
    _acme, session, webhook = await furnished(either)
    await put(either, values.deliveries(session, webhook))
    (lost,) = await claimed(either, "dead")
    assert await claimed(either, now=at(107.9)) == []
    async with either(reading=True) as uow:
        assert await uow.deliveries.next_due(NOW) == at(108)
    (again,) = await claimed(either, "alive", now=at(108))
    assert again.delivery.id == lost.delivery.id
    await settled(either, lost, claim="dead")
    assert (await get(either, lost.delivery)).status is DeliveryStatus.DELIVERING
    await settled(either, again, claim="alive")
    found = await get(either, lost.delivery)
    assert (found.status, found.attempts, found.last_status) == (DeliveryStatus.DELIVERED, 1, 200)


async def test_the_log_has_every_attempt(either: Database) -> None:
    acme, session, webhook = await furnished(either)
    await put(either, values.deliveries(session, webhook)[:1])
    (one,) = await claimed(either)
    failed = attempt(status=None, error="no answer within 3 s")
    await settled(either, one, DeliveryStatus.QUEUED, made=failed)
    (one,) = await claimed(either)
    await settled(either, one)
    async with either(reading=True) as uow:
        assert list(await uow.deliveries.attempts(one.delivery.id)) == [failed, attempt(2)]
        for wanted, found in (
            (DeliveryFilter(webhook_id=webhook.id, session_id=session.id, meeting_id=session.meeting_id), 1),
            (DeliveryFilter(status=DeliveryStatus.DELIVERED, event="meeting.started", until=NOW), 1),
            (DeliveryFilter(status=DeliveryStatus.FAILED), 0),
            (DeliveryFilter(since=at(1)), 0),
        ):
            assert (await uow.deliveries.list(acme.id, wanted))[1] == found
        assert await uow.deliveries.get("another", one.delivery.id) is None
        assert (await uow.deliveries.list("another", DeliveryFilter()))[1] == 0


async def test_a_delivery_goes_where_its_webhook_is_now_and_a_rooms_where_it_was_to_go(
    either: Database,
) -> None:
    _acme, session, webhook = await furnished(either)
    target = Target("https://room.example/", "https://backup.example/", 9)
    room = Subscriber(f"meeting:{session.meeting_id}", Shape.ROOM, target=target)
    told = delivery(values.occurrences(session)[0], room, Setting("Acme", None), NOW)
    assert told is not None
    await put(either, [*values.deliveries(session, webhook)[:1], told])
    moved = replace(webhook, url="https://acme.example/moved", timeout_secs=4)
    async with either() as uow:
        await uow.webhooks.save(moved)
        await uow.commit()
    taken = await claimed(either)
    assert {one.delivery.shape: one.target for one in taken} == {
        Shape.ORGANIZATION: Target("https://acme.example/moved", None, 4),
        Shape.ROOM: target,
    }


@pytest.mark.parametrize("gone", [True, False])
async def test_what_waits_for_a_webhook_that_is_gone_or_disabled_is_not_delivered(
    either: Database, gone: bool
) -> None:
    _acme, session, webhook = await furnished(either)
    first, *rest = values.deliveries(session, webhook)
    await put(either, [first, *rest])
    await claimed(either, "dead")
    async with either() as uow:
        await (uow.webhooks.remove(webhook) if gone else uow.webhooks.save(replace(webhook, enabled=False)))
        await uow.commit()
    later = at(1000)
    assert await claimed(either, now=later) == []
    async with either() as uow:
        assert await uow.deliveries.discard_unwanted(NOW, "another") == 0
        assert await uow.deliveries.discard_unwanted(NOW) == 3, "the one whose lease holds is being delivered"
        assert await uow.deliveries.discard_unwanted(later, webhook.id) == 1
        assert (await uow.deliveries.counts()).queued == 0
        await uow.commit()
    assert {(await get(either, one)).status for one in [first, *rest]} == {DeliveryStatus.DISCARDED}


async def test_of_more_than_may_wait_the_oldest_are_discarded(either: Database) -> None:
    acme, session, webhook = await furnished(either)
    told = values.deliveries(session, webhook, peers=4)
    await put(either, told)
    async with either() as uow:
        counts = await uow.deliveries.counts()
        assert (counts.queued, counts.oldest) == (10, values.NOON)
        assert await uow.deliveries.discard_beyond(NOW, 7) == 3
        assert await uow.deliveries.discard_beyond(NOW, 7) == 0
        await uow.commit()
    (next_one,) = await claimed(either)
    assert next_one.delivery.id == told[3].id
    async with either(reading=True) as uow:
        log, _ = await uow.deliveries.list(acme.id, DeliveryFilter(status=DeliveryStatus.DISCARDED))
    assert {one.id for one in log} == {one.id for one in told[:3]}
    assert {one.last_error for one in log} == {"more than 7 waited for this endpoint"}


async def test_the_log_is_forgotten_in_time(either: Database) -> None:
    acme, session, webhook = await furnished(either)
    told = [replace(one, created_at=at(n)) for n, one in enumerate(values.deliveries(session, webhook))]
    await put(either, told)
    await settled(either, (await claimed(either))[0])
    async with either() as uow:
        assert await uow.deliveries.forget(before=at(3), limit=2) == 2
        assert await uow.deliveries.forget(before=at(3), limit=2) == 1
        assert list(await uow.deliveries.attempts(told[0].id)) == []
        listed, _ = await uow.deliveries.list(acme.id, DeliveryFilter())
        await uow.commit()
    assert [one.id for one in listed] == [told[3].id]


async def test_no_subscriber_takes_the_turns_of_others(either: Database) -> None:
    acme, session, webhook = await furnished(either)
    busy = values.webhook(acme)
    async with either() as uow:
        await uow.webhooks.add(busy)
        await uow.commit()
    for _ in range(MAX_PER_SUBSCRIBER + 4):
        await put(either, values.deliveries(replace(session, id=new_uuid()), busy)[:1])
    await put(either, values.deliveries(session, webhook)[:1])
    async with either(reading=True) as uow:
        due = await uow.deliveries.candidates(NOW, full=[], each=MAX_PER_SUBSCRIBER)
        others = await uow.deliveries.candidates(NOW, full=[f"webhook:{busy.id}"], each=MAX_PER_SUBSCRIBER)
    assert len(due) == MAX_PER_SUBSCRIBER + 1
    assert [one.subscriber for one in others] == [f"webhook:{webhook.id}"]
