"""What people who are in a session notice of their organization's being removed."""

from __future__ import annotations

import pytest

from signaling.domain.caller import EVERYTHING, Caller
from signaling.errors import NotFoundError
from signaling.protocol.closing import CloseCode
from signaling.services.analytics import UsageService
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.removal import RemovalService
from tests.signaling import values
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, live_world

PLATFORM = Caller("another", "key", EVERYTHING, None, True)
ABOVE = Caller(ORGANIZATION, "key")


async def with_a_webhook(world: LiveWorld) -> None:
    async with world.store() as uow:
        organization = await uow.organizations.get(ORGANIZATION)
        assert organization is not None
        await uow.webhooks.add(values.webhook(organization))
        await uow.commit()


async def removed(world: LiveWorld) -> None:
    outbox = world.live._around.outbox
    service = RemovalService(world.store, world.live, world.clock, outbox, RememberedCallers())
    await service.remove(PLATFORM, ORGANIZATION, force=True)


async def test_they_are_put_out_nobody_comes_back_and_no_name_is_left() -> None:
    async with live_world() as world:
        await with_a_webhook(world)
        person = await world.participant("group_call_host", name="Grace")
        client = await (await world.socket()).join(world.tokens.issue(person))
        session_id = client.joined["session_id"]
        await world.wait(60)
        await removed(world)
        assert await client.hears("session_left", reason="kicked")
        assert await client.closed() == CloseCode.KICKED
        assert await world.live.active(MEETING) is None
        with pytest.raises(Refused) as refused:
            await (await world.socket()).join(world.tokens.issue(person))
        assert refused.value.name == "InvalidToken"

        async with world.store(reading=True) as uow:
            session = await uow.sessions.get(session_id)
            (attendance,) = await uow.sessions.attendances(session_id)
            assert await uow.deliveries.list(ORGANIZATION, DeliveryFilter()) == ([], 0)
        assert session is not None and session.end_reason == "MEETING_DELETED"
        assert (session.meeting_title, attendance.name, attendance.address) == (None, "", None)
        assert attendance.left_at is not None
        used = await UsageService(world.store, world.clock).report(ABOVE)
        assert (used.total.participant_seconds, used.total.sessions) == (60, 1)
        with pytest.raises(NotFoundError):
            await removed(world)
