"""Takes what is due out of the outbox and delivers it, for as long as the server runs.

    outbox ──claim──▶ lanes ──▶ attempts, each a task ──▶ outcomes ──settle──▶ outbox

One turn is one transaction: what came of attempts since the last one is written down, and what is due now is
claimed. While it is being committed further attempts end; they are written by the next. Nothing is claimed
while the database is away, and what was attempted meanwhile is written once it is back.

A claim begins with a word for the server, so that one which was killed takes back at its next start what it
had claimed: nobody else can be delivering that. What other servers had claimed waits until the lease is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from datetime import datetime
from typing import Final

import structlog

from signaling.domain.webhook_delivery import (
    LEASE_MARGIN,
    Attempt,
    DeliveryStatus,
    Outcome,
    Retries,
    outcome,
)
from signaling.domain.webhook_lanes import MAX_PER_SUBSCRIBER, Lanes
from signaling.ids import new_uuid
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.ports.webhooks import Claimed, WebhookSender
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 5.0
"""Seconds after which the outbox is looked into though nobody said that there is something: another process
may have written to it and died."""
GATHER: Final = 0.005
"""Seconds between hearing of something and the turn, for what comes with it: with eight lanes a delivery
takes 3.7 ms of a core instead of 4.9."""
AFTER_FAILURE: Final = 1.0
"""Seconds before the next turn when the store failed."""
END_WITHIN: Final = 3.0
"""Seconds that attempts have to end when the server stops."""


class Deliverer:
    """Runs from `start` to `close`."""

    def __init__(
        self,
        units: UnitOfWorkFactory,
        sender: WebhookSender,
        clock: Clock,
        *,
        server_id: Callable[[], str],
        retries: Retries | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`server_id` is asked at every turn, for a server may get another one; at the first it is that of
        whoever is to be taken for this server's former self."""
        self._units = units
        self._sender = sender
        self._clock = clock
        self._retries = retries or Retries()
        self._chance = chance
        self._lanes = Lanes()
        self._attempts: dict[asyncio.Task[None], tuple[int, str]] = {}
        """With the `seq` and the claim of what each delivers."""
        self._outcomes: list[Outcome] = []
        self._woken = asyncio.Event()
        self._server_id = server_id
        self._took_back = False
        self._task: asyncio.Task[None] | None = None
        self._counters: Counter[str] = Counter()

    @property
    def busy(self) -> int:
        """Attempts that go on."""
        return self._lanes.busy

    @property
    def attempting(self) -> list[asyncio.Task[None]]:
        return list(self._attempts)

    @property
    def idle(self) -> bool:
        """Whether nothing is being attempted and all that was is written down."""
        return not self._attempts and not self._outcomes

    @property
    def counters(self) -> Mapping[str, int]:
        """Attempts since the start, by what they made of their delivery: DELIVERED, QUEUED (to be tried
        again) or FAILED."""
        return self._counters

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="webhook deliverer", context=Context())

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._woken.set()

    async def close(self) -> None:
        """What is being attempted has `END_WITHIN` to end; of the rest the lease is given back."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._attempts:
            await asyncio.wait(self.attempting, timeout=END_WITHIN)
        given_up = list(self._attempts.items())
        for attempt, _ in given_up:
            attempt.cancel()
        await asyncio.gather(*(attempt for attempt, _ in given_up), return_exceptions=True)
        try:
            await self._settle([lease for _, lease in given_up])
        except Exception as error:  # the leases end by themselves, and then it is delivered again
            log.warning("webhooks.not_settled", outcomes=len(self._outcomes), error=repr(error))

    async def turn(self) -> datetime | None:
        """Settles, claims and begins what can be begun; gives when the next is due. Raises what the store
        raises: then nothing was done."""
        outcomes, holder = list(self._outcomes), _holder(self._server_id())
        claim = holder + new_uuid()

        async def work(uow: UnitOfWork) -> tuple[Sequence[Claimed], datetime | None]:
            await uow.deliveries.stand_aside()
            if not self._took_back:
                await uow.deliveries.take_back(holder, self._clock.now())
            await uow.deliveries.settle(outcomes)
            now = self._clock.now()
            claimed: Sequence[Claimed] = []
            if self._lanes.free:
                due = await uow.deliveries.candidates(now, full=self._lanes.full(), each=MAX_PER_SUBSCRIBER)
                chosen = self._lanes.choose(due)
                claimed = await uow.deliveries.claim(chosen, now, claim=claim, margin=LEASE_MARGIN)
            return claimed, await uow.deliveries.next_due(now)

        claimed, next_due = await committed(self._units, work)
        self._took_back = True
        del self._outcomes[: len(outcomes)]
        for one in claimed:
            self._begin(one, claim)
        return next_due

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                pause = self._until(await self.turn())
            except Exception as error:  # whatever the store's adapter raises: it is tried again
                log.warning("webhooks.no_turn", error=repr(error))
                await asyncio.sleep(AFTER_FAILURE)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
                    await asyncio.sleep(GATHER)

    def _until(self, due: datetime | None) -> float:
        if due is None:
            return LOOK_EVERY
        return min(LOOK_EVERY, max(0.0, (due - self._clock.now()).total_seconds()))

    def _begin(self, one: Claimed, claim: str) -> None:
        self._lanes.begin(one.delivery.subscriber)
        task = asyncio.create_task(
            self._deliver(one, claim), name=f"deliver {one.delivery.id}", context=Context()
        )
        self._attempts[task] = one.delivery.seq, claim
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._attempts[task]
        self.wake()

    async def _deliver(self, one: Claimed, claim: str) -> None:
        succeeded = False
        try:
            attempt = await self._attempt(one)
            succeeded = attempt.succeeded
            came_of_it = outcome(
                one.delivery,
                one.target,
                claim,
                attempt,
                self._clock.now(),
                retries=self._retries,
                chance=self._chance(),
            )
        finally:
            self._lanes.end(one.delivery.subscriber, succeeded=succeeded)
        self._outcomes.append(came_of_it)
        self._counters[came_of_it.status] += 1
        (log.warning if came_of_it.status is DeliveryStatus.FAILED else log.debug)(
            "webhook.attempted",
            delivery=one.delivery.id,
            subscriber=one.delivery.subscriber,
            attempt=attempt.number,
            answered=attempt.status,
            outcome=came_of_it.status,
        )

    async def _attempt(self, one: Claimed) -> Attempt:
        delivery, target = one.delivery, one.target
        # A failover URL that was taken away meanwhile leaves the URL for a last attempt.
        url = self._retries.url_of(target, delivery.attempts) or target.url
        try:
            return await self._sender.send(delivery, target, url, delivery.attempts + 1)
        except Exception:
            # A defect of ours: it counts as an attempt, so that it cannot go on for ever.
            log.exception("webhook.not_attempted", delivery=delivery.id)
            return Attempt(
                delivery.attempts + 1, url, self._clock.now(), 0.0, {}, error="the server failed to send it"
            )

    async def _settle(self, leases: Sequence[tuple[int, str]]) -> None:
        outcomes = list(self._outcomes)
        if not outcomes and not leases:
            return

        async def work(uow: UnitOfWork) -> None:
            await uow.deliveries.stand_aside()
            await uow.deliveries.settle(outcomes)
            await uow.deliveries.give_back(leases, self._clock.now())

        await committed(self._units, work)
        del self._outcomes[: len(outcomes)]


def _holder(server_id: str) -> str:
    """What the server's claims begin with: a column takes 64 characters, and an id may have as many."""
    return hashlib.sha256(server_id.encode()).hexdigest()[:24] + "/"
