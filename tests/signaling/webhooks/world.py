"""A world of deliveries: a database, endpoints that answer as they are told, a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from signaling.domain.organization import Organization
from signaling.domain.webhook import Target, Webhook
from signaling.domain.webhook_delivery import Attempt, Delivery
from signaling.ids import new_uuid
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.store.database import Database
from signaling.testing import FakeClock
from signaling.webhooks.delivery import Deliverer
from tests.signaling import values


@dataclass
class FakeEndpoints:
    """Implements `WebhookSender`. `answers` are by URL: a status, None for no answer, or an event to wait for
    before 200; without one it is 200."""

    clock: FakeClock
    answers: dict[str, int | asyncio.Event | None] = field(default_factory=dict)
    sent: list[tuple[str, Delivery]] = field(default_factory=list)

    async def send(self, delivery: Delivery, target: Target, url: str, number: int) -> Attempt:
        self.sent.append((url, delivery))
        answer = self.answers.get(url, 200)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = 200
        status_error = None if answer is not None and answer < 300 else f"answered with {answer}"
        return Attempt(number, url, self.clock.now(), 0.01, {}, answer, error=status_error)

    def events(self, url: str | None = None) -> list[str]:
        return [delivery.event for sent_to, delivery in self.sent if url in (None, sent_to)]


@dataclass
class World:
    units: Database
    clock: FakeClock = field(default_factory=lambda: FakeClock(values.at(100)))
    acme: Organization = field(default_factory=values.organization)
    chance: Callable[[], float] = lambda: 1.0
    endpoints: FakeEndpoints = field(init=False)
    deliverer: Deliverer = field(init=False)

    def __post_init__(self) -> None:
        self.endpoints = FakeEndpoints(self.clock)
        self.deliverer = self.another()

    def another(self, server_id: str | None = None) -> Deliverer:
        """As in another process: of another server, if it is not said."""
        known_as = server_id or new_uuid()
        return Deliverer(
            self.units, self.endpoints, self.clock, server_id=lambda: known_as, chance=self.chance
        )

    async def webhook(self, url: str, *, failover_url: str | None = None) -> Webhook:
        made = replace(values.webhook(self.acme, url=url), failover_url=failover_url)
        async with self.units() as uow:
            if await uow.organizations.get(self.acme.id) is None:
                await uow.organizations.add(self.acme)
            await uow.webhooks.add(made)
            await uow.commit()
        return made

    async def session(self, *webhooks: Webhook, peers: int = 1) -> str:
        """One that was told of from its start to its end; its id."""
        session = replace(values.session(values.meeting(self.acme)), id=new_uuid())
        async with self.units() as uow:
            for one in webhooks:
                await uow.deliveries.add(values.deliveries(session, one, peers=peers))
            await uow.commit()
        return session.id

    async def deliver(self, deliverer: Deliverer | None = None) -> None:
        """All that can be delivered without time going by."""
        one = deliverer or self.deliverer
        while True:
            await one.turn()
            if one.idle:
                return
            if one.attempting:
                await asyncio.wait(one.attempting, return_when=asyncio.FIRST_COMPLETED)

    async def log(self, **wanted: str) -> list[Delivery]:
        """Oldest first."""
        async with self.units(reading=True) as uow:
            found, _ = await uow.deliveries.list(self.acme.id, DeliveryFilter(**wanted), limit=1000)
        return list(reversed(found))
