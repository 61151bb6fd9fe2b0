"""The keys of webhooks in the store: sealed there, the same for all servers on it, and rotated in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from signaling.auth.sealing import SecretBox
from signaling.domain.webhook_key import ANNOUNCED_BEFORE, FIRST, StoredWebhookKeys, outlived
from signaling.errors import ConflictError, SignalingError
from signaling.ids import new_uuid
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed
from signaling.webhooks.key_ring import RingPair, WebhookKeyRing
from signaling.webhooks.signing import WebhookKeys

log = structlog.get_logger(__name__)

PURPOSE: Final = "webhook keys"
LOOK_EVERY: Final = 10.0
"""Seconds."""


class StoredKeys:
    """`start` before use; then `look_forever`."""

    def __init__(self, units: UnitOfWorkFactory, box: SecretBox, clock: Clock) -> None:
        self._units = units
        self._box = box
        self._clock = clock
        self._known: tuple[str, ...] = ()
        self.ring = WebhookKeyRing(clock)

    async def start(self) -> None:
        """There is a pair from here on, made by the first server that asks for one. Raises
        `InvalidInputError` where those there are were sealed with another secret key."""
        async with self._units(reading=True) as uow:
            pairs = await uow.webhook_keys.all()
        self._take(pairs or await self._made())

    async def look(self) -> None:
        """Takes what others changed, and takes away what has had its day."""
        async with self._units(reading=True) as uow:
            pairs = await uow.webhook_keys.all()
        if outlived(pairs, self._clock.now()):
            pairs = await committed(self._units, self._tidied)
        if self._take(pairs):
            log.info("webhook_keys.changed", pairs=self._known)

    async def look_forever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except SignalingError as error:
                log.warning("webhook_keys.not_read", error=error.message)
            except Exception:
                log.exception("webhook_keys.not_read")

    async def rotate(self, *, at_once: bool = False) -> StoredWebhookKeys:
        """A new pair, which signs a day from now. `at_once`: now, and the others are not published any more.
        Raises `ConflictError` where the next one is announced already."""
        made = WebhookKeys.generate()

        async def work(uow: UnitOfWork) -> tuple[StoredWebhookKeys, Sequence[StoredWebhookKeys]]:
            now = self._clock.now()
            there = await uow.webhook_keys.all()
            if at_once:
                for one in there:
                    await uow.webhook_keys.remove(one.id)
            elif there and there[-1].active_from > now:
                when = f"{there[-1].active_from:%Y-%m-%d %H:%M}Z"
                raise ConflictError(f"The next keys are announced already: they sign from {when} on.")
            added = self._stored(made, now, now if at_once else now + ANNOUNCED_BEFORE)
            await uow.webhook_keys.add(added)
            return added, await uow.webhook_keys.all()

        added, pairs = await committed(self._units, work)
        self._take(pairs)
        return added

    # --- inside ----------------------------------------------------------------------------------------

    async def _made(self) -> Sequence[StoredWebhookKeys]:
        now = self._clock.now()
        mine = self._stored(WebhookKeys.generate(), now, now, pair_id=FIRST)

        async def work(uow: UnitOfWork) -> Sequence[StoredWebhookKeys]:
            there = await uow.webhook_keys.all()
            if not there:
                await uow.webhook_keys.add(mine)
            return there or [mine]

        return await committed(self._units, work)

    async def _tidied(self, uow: UnitOfWork) -> Sequence[StoredWebhookKeys]:
        for one in outlived(await uow.webhook_keys.all(), self._clock.now()):
            await uow.webhook_keys.remove(one.id)
        return await uow.webhook_keys.all()

    def _stored(
        self, keys: WebhookKeys, now: datetime, active_from: datetime, *, pair_id: str | None = None
    ) -> StoredWebhookKeys:
        pair_id = pair_id or new_uuid()
        secrets = keys.to_secrets()
        return StoredWebhookKeys(
            id=pair_id,
            ed25519=self._box.seal(secrets["ed25519"], sealed_name(pair_id, "ed25519")),
            rsa=self._box.seal(secrets["rsa"], sealed_name(pair_id, "rsa")),
            created_at=now,
            active_from=active_from,
        )

    def _take(self, pairs: Sequence[StoredWebhookKeys]) -> bool:
        """Whether they are others than before."""
        known = tuple(one.id for one in pairs)
        if known == self._known:
            return False
        self.ring.take([RingPair(self._opened(one), one.active_from) for one in pairs])
        self._known = known
        return True

    def _opened(self, pair: StoredWebhookKeys) -> WebhookKeys:
        return WebhookKeys.from_secrets(
            {
                "ed25519": self._box.open(pair.ed25519, sealed_name(pair.id, "ed25519")),
                "rsa": self._box.open(pair.rsa, sealed_name(pair.id, "rsa")),
            }
        )


def sealed_name(pair_id: str, kind: str) -> str:
    """Under which it is sealed: no pair's key can be put in the place of another's."""
    return kind if pair_id == FIRST else f"{pair_id}/{kind}"
