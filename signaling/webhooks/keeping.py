"""Keeps the outbox and its log in bounds, and counts what waits."""

from __future__ import annotations

from typing import Final

import structlog

from signaling.domain.webhook_delivery import KEPT_FOR, MAX_QUEUED
from signaling.repeating import Repeating
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.ports.webhooks import QueueCounts
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

EVERY: Final = 15.0
"""Seconds."""
MAX_FORGOTTEN: Final = 500
"""Deliveries whose log is removed at a time: nobody else writes meanwhile."""


class OutboxKeeper:
    """`looking` from start to close. Several processes may do this beside each other."""

    def __init__(self, units: UnitOfWorkFactory, clock: Clock, *, max_queued: int = MAX_QUEUED) -> None:
        self._units = units
        self._clock = clock
        self._max_queued = max_queued
        self._discarded = 0
        self._counts = QueueCounts()
        self.looking = Repeating("outbox keeper", self.look, every=EVERY, at_once=True)

    @property
    def counts(self) -> QueueCounts:
        """As of the last look."""
        return self._counts

    @property
    def discarded(self) -> int:
        """Deliveries that this process discarded."""
        return self._discarded

    def oldest_age(self) -> float:
        """Seconds for which the oldest unfinished delivery has waited."""
        oldest = self._counts.oldest
        return 0.0 if oldest is None else max(0.0, (self._clock.now() - oldest).total_seconds())

    async def look(self) -> None:
        """Raises what the store raises."""
        now = self._clock.now()

        async def work(uow: UnitOfWork) -> tuple[int, QueueCounts]:
            await uow.deliveries.stand_aside()
            unwanted = await uow.deliveries.discard_unwanted(now)
            beyond = await uow.deliveries.discard_beyond(now, self._max_queued)
            await uow.deliveries.forget(before=now - KEPT_FOR, limit=MAX_FORGOTTEN)
            return unwanted + beyond, await uow.deliveries.counts()

        discarded, self._counts = await committed(self._units, work, alone=True)
        self._discarded += discarded
        if discarded:
            log.warning("webhooks.discarded", deliveries=discarded)
