"""Webhooks of an organization, and the log of what was delivered to them and to its meetings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from signaling.domain.plan import Feature
from signaling.domain.version import check_version
from signaling.domain.webhook import MAX_WEBHOOKS, TEST_EVENT, EventName, Shape, Webhook, subscriber_of
from signaling.domain.webhook_delivery import Attempt, Delivery, DeliveryStatus
from signaling.domain.webhook_events import test_body
from signaling.errors import ConflictError, NotFoundError, StateError
from signaling.ids import new_uuid
from signaling.services.idempotency import Once, create_once
from signaling.services.organizations import check_feature
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.ports.webhooks import DeliveryFilter, Destinations
from signaling.services.transaction import committed


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a webhook is made of, and what a PUT makes of it. The same event twice counts once."""

    name: str
    url: str
    events: Sequence[EventName]
    enabled: bool = True
    failover_url: str | None = None
    timeout_secs: int | None = None


class WebhookService:
    def __init__(
        self,
        units: UnitOfWorkFactory,
        outbox: Outbox,
        destinations: Destinations,
        clock: Clock,
        *,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """`wake` is called when there is something to deliver at once."""
        self._units = units
        self._outbox = outbox
        self._destinations = destinations
        self._clock = clock
        self._wake = wake

    async def create(
        self, organization_id: str, new: NewWebhook, *, once: Once[Webhook] | None = None
    ) -> Webhook:
        """Raises `ValidationFailedError` for a URL that nothing would be sent to, `FeatureDisabledError`, and
        `ConflictError` where there are `MAX_WEBHOOKS` already."""
        self._check(new.url, new.failover_url)
        now = self._clock.now()
        webhook = Webhook(
            id=new_uuid(),
            organization_id=organization_id,
            name=new.name,
            url=new.url,
            events=_each_once(new.events),
            created_at=now,
            updated_at=now,
            enabled=new.enabled,
            failover_url=new.failover_url,
            timeout_secs=new.timeout_secs,
        )

        async def work(uow: UnitOfWork) -> Webhook:
            await check_feature(uow, organization_id, Feature.WEBHOOKS)
            _, total = await uow.webhooks.list(organization_id, limit=1)
            if total >= MAX_WEBHOOKS:
                raise ConflictError(f"There are {MAX_WEBHOOKS} webhooks already. Remove one first.")
            await uow.webhooks.add(webhook)
            return webhook

        made = await create_once(self._units, self._clock, organization_id, once, work)
        self._outbox.forget(organization_id)
        return made

    async def get(self, organization_id: str, webhook_id: str) -> Webhook:
        """Raises `NotFoundError`."""
        async with self._units(reading=True) as uow:
            return await _load(uow, organization_id, webhook_id)

    async def list(
        self, organization_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Webhook], int]:
        """A page, newest first, and the total."""
        async with self._units(reading=True) as uow:
            return await uow.webhooks.list(organization_id, offset=offset, limit=limit)

    async def change(
        self,
        organization_id: str,
        webhook_id: str,
        patch: Mapping[str, Any],
        *,
        if_version: Set[int] | None = None,
    ) -> Webhook:
        """`patch` has values by the names of `NewWebhook`; what is not in it stays.

        What waits for it goes where it is now; if it is disabled now, what waits is discarded. Raises
        `NotFoundError`, `PreconditionFailedError`, and what `create` raises for URLs.
        """

        async def work(uow: UnitOfWork) -> Webhook:
            before = await _load(uow, organization_id, webhook_id)
            check_version("webhook", before.version, if_version)
            now = self._clock.now()
            after = replace(before, **patch, version=before.version + 1, updated_at=now)
            after = replace(after, events=_each_once(after.events))
            self._check(after.url, after.failover_url)
            await uow.webhooks.save(after)
            if not after.enabled:
                await uow.deliveries.discard_unwanted(now, webhook_id)
            return after

        after = await committed(self._units, work)
        self._outbox.forget(organization_id)
        self._wake()
        return after

    async def remove(
        self, organization_id: str, webhook_id: str, *, if_version: Set[int] | None = None
    ) -> Webhook:
        """What waits for it is discarded. Raises `NotFoundError` and `PreconditionFailedError`."""

        async def work(uow: UnitOfWork) -> Webhook:
            webhook = await _load(uow, organization_id, webhook_id)
            check_version("webhook", webhook.version, if_version)
            await uow.webhooks.remove(webhook)
            await uow.deliveries.discard_unwanted(self._clock.now(), webhook_id)
            return webhook

        webhook = await committed(self._units, work)
        self._outbox.forget(organization_id)
        return webhook

    # --- deliveries --------------------------------------------------------------------------------------

    async def deliveries(
        self, organization_id: str, wanted: DeliveryFilter, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Delivery], int]:
        """A page, newest first, and the total."""
        async with self._units(reading=True) as uow:
            return await uow.deliveries.list(organization_id, wanted, offset=offset, limit=limit)

    async def deliveries_to(
        self,
        organization_id: str,
        webhook_id: str,
        wanted: DeliveryFilter,
        *,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Delivery], int]:
        """The same of one webhook. Raises `NotFoundError` where that is not there (any more)."""
        async with self._units(reading=True) as uow:
            await _load(uow, organization_id, webhook_id)
            only = replace(wanted, webhook_id=webhook_id)
            return await uow.deliveries.list(organization_id, only, offset=offset, limit=limit)

    async def delivery(
        self, organization_id: str, delivery_id: str, *, webhook_id: str | None = None
    ) -> tuple[Delivery, Sequence[Attempt]]:
        """With the attempts at it, in order; `webhook_id`: only if it is to that one. Raises
        `NotFoundError`."""
        async with self._units(reading=True) as uow:
            found = await _load_delivery(uow, organization_id, delivery_id, webhook_id)
            return found, await uow.deliveries.attempts(delivery_id)

    async def resend(
        self, organization_id: str, delivery_id: str, *, webhook_id: str | None = None
    ) -> Delivery:
        """Sends the same event again, as a delivery of its own that waits for no other.

        Raises `NotFoundError`, `StateError` for one that is still to be delivered, and `ConflictError` where
        its webhook is gone or disabled.
        """

        async def work(uow: UnitOfWork) -> Delivery:
            before = await _load_delivery(uow, organization_id, delivery_id, webhook_id)
            if not before.finished:
                raise StateError("This is still to be delivered. Only what is finished can be sent again.")
            if before.shape is Shape.ORGANIZATION:
                webhook = await uow.webhooks.get(organization_id, before.webhook_id or "")
                if webhook is None or not webhook.enabled:
                    raise ConflictError("Its webhook is gone or disabled: nothing can be sent to it.")
            again = self._alone(
                replace(
                    before,
                    status=DeliveryStatus.QUEUED,
                    attempts=0,
                    finished_at=None,
                    last_status=None,
                    last_error=None,
                    resent_from=before.id,
                )
            )
            await uow.deliveries.add([again])
            return again

        again = await committed(self._units, work)
        self._wake()
        return again

    async def test(self, organization_id: str, webhook_id: str) -> Delivery:
        """Sends `webhook.test` to it. Raises `NotFoundError`, and `ConflictError` where it is disabled."""

        async def work(uow: UnitOfWork) -> Delivery:
            webhook = await _load(uow, organization_id, webhook_id)
            if not webhook.enabled:
                raise ConflictError("The webhook is disabled: nothing can be sent to it. Enable it first.")
            now = self._clock.now()
            subscriber = subscriber_of(webhook)
            made = self._alone(
                Delivery(
                    id="",
                    event_id=new_uuid(),
                    event=TEST_EVENT,
                    organization_id=organization_id,
                    subscriber=subscriber.key,
                    queue="",
                    shape=subscriber.shape,
                    body=test_body(webhook, now),
                    created_at=now,
                    due_at=now,
                    webhook_id=webhook_id,
                )
            )
            await uow.deliveries.add([made])
            return made

        made = await committed(self._units, work)
        self._wake()
        return made

    # --- inside ------------------------------------------------------------------------------------------

    def _check(self, url: str, failover_url: str | None) -> None:
        self._destinations.check(url, field="url")
        if failover_url is not None:
            self._destinations.check(failover_url, field="failover_url")

    def _alone(self, delivery: Delivery) -> Delivery:
        """In a queue of its own, from now on."""
        now, new_id = self._clock.now(), new_uuid()
        queue = f"{delivery.subscriber} {new_id}"
        return replace(delivery, id=new_id, queue=queue, created_at=now, due_at=now)


def _each_once(events: Sequence[EventName]) -> tuple[EventName, ...]:
    return tuple(dict.fromkeys(events))


async def _load(uow: UnitOfWork, organization_id: str, webhook_id: str) -> Webhook:
    found = await uow.webhooks.get(organization_id, webhook_id)
    if found is None:
        raise NotFoundError.of("webhook", webhook_id)
    return found


async def _load_delivery(
    uow: UnitOfWork, organization_id: str, delivery_id: str, webhook_id: str | None
) -> Delivery:
    found = await uow.deliveries.get(organization_id, delivery_id)
    if found is None or webhook_id not in (None, found.webhook_id):
        raise NotFoundError.of("delivery", delivery_id)
    return found
