"""Webhooks and their deliveries in the store, and what delivers them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from signaling.domain.webhook import Room, Target, Webhook
from signaling.domain.webhook_delivery import Attempt, Delivery, DeliveryStatus, Outcome
from signaling.domain.webhook_key import StoredWebhookKeys
from signaling.domain.webhook_lanes import Candidate


class WebhookRepository(Protocol):
    async def get(self, organization_id: str, webhook_id: str) -> Webhook | None: ...
    async def add(self, webhook: Webhook) -> None: ...
    async def save(self, webhook: Webhook) -> None: ...
    async def remove(self, webhook: Webhook) -> None:
        """Its deliveries stay in the log."""
        ...

    async def enabled(self, organization_id: str) -> Sequence[Webhook]:
        """All of the organization's that are, oldest first."""
        ...

    async def room(self, organization_id: str, meeting_id: str) -> Room:
        """What a meeting says of itself, also one that was deleted; nothing where there is none."""
        ...

    async def list(
        self, organization_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Webhook], int]:
        """A page, newest first, and the total count."""
        ...


class WebhookKeyRepository(Protocol):
    """The keys that sign webhooks: they are everybody's who uses the store."""

    async def all(self) -> Sequence[StoredWebhookKeys]:
        """By when they begin to sign."""
        ...

    async def add(self, keys: StoredWebhookKeys) -> None:
        """Raises `ConflictError` where there are some with that id."""
        ...

    async def remove(self, pair_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """None: any."""

    webhook_id: str | None = None
    meeting_id: str | None = None
    session_id: str | None = None
    event: str | None = None
    event_id: str | None = None
    status: DeliveryStatus | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to attempt until its `due_at`, and where it goes."""

    delivery: Delivery
    target: Target


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Of deliveries that are not finished. `oldest` is when the one was made that waits longest."""

    queued: int = 0
    oldest: datetime | None = None


class DeliveryRepository(Protocol):
    """The outbox and the log: a delivery is a row of the same table before and after."""

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """In this order. One whose id is there already is passed over."""
        ...

    async def get(self, organization_id: str, delivery_id: str) -> Delivery | None: ...
    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """In their order."""
        ...

    async def list(
        self, organization_id: str, wanted: DeliveryFilter, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Delivery], int]:
        """A page, newest first, and the total count."""
        ...

    async def stand_aside(self) -> None:
        """To be called first in a unit that delivers: it then makes nobody else's unit fail, and what it
        reads is not settled; what it changes, it changes row by row and on conditions."""
        ...

    async def candidates(self, now: datetime, *, full: Collection[str], each: int) -> Sequence[Candidate]:
        """What is due and first in its queue, in the order of being due; none of subscribers that are `full`,
        and at most `each` of any."""
        ...

    async def claim(
        self, chosen: Sequence[Candidate], now: datetime, *, claim: str, margin: float
    ) -> Sequence[Claimed]:
        """Those of them that are still to be had, with a lease of their timeout and `margin` seconds."""
        ...

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Writes the attempts down. What is not held by the outcome's claim any more is left as it is."""
        ...

    async def give_back(self, leases: Sequence[tuple[int, str]], now: datetime) -> None:
        """By `seq` and claim: what is not being attempted any more, though nobody knows what came of it."""
        ...

    async def take_back(self, holder: str, now: datetime) -> int:
        """All that is held by claims that begin like this, of which nobody is delivering anything any more;
        returns how many."""
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """When, after now, the next that is first in its queue is due."""
        ...

    async def discard_unwanted(self, now: datetime, webhook_id: str | None = None) -> int:
        """What waits for webhooks (or this one) that are gone or disabled."""
        ...

    async def discard_beyond(self, now: datetime, keep: int) -> int:
        """Of what waits for any subscriber all but the newest `keep`."""
        ...

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Removes deliveries made before that time; returns how many."""
        ...

    async def counts(self) -> QueueCounts: ...


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """Of one process; what waits, of all. `attempts` are totals by what they made of their delivery, `busy`
    those that go on, `oldest_age` seconds."""

    attempts: Mapping[str, int] = field(default_factory=dict)
    discarded: int = 0
    busy: int = 0
    queued: int = 0
    oldest_age: float = 0.0


class WebhookSender(Protocol):
    async def send(self, delivery: Delivery, target: Target, url: str, number: int) -> Attempt:
        """One attempt; what goes wrong with it is in the attempt."""
        ...


class Destinations(Protocol):
    def check(self, url: str, *, field: str) -> None:
        """Raises `ValidationFailedError` for a URL that nothing would be sent to; `field` is where it was."""
        ...
