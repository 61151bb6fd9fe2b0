"""The keys of webhooks in the store: sealed there, the same for all servers on it, and rotated in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from signaling.auth.sealing import SecretBox
from signaling.auth.shared_keys import SharedKeys
from signaling.domain.webhook_key import ANNOUNCED_BEFORE, FIRST, StoredWebhookKeys, outlived
from signaling.errors import ConflictError
from signaling.ids import new_uuid
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.webhooks.key_ring import RingPair, WebhookKeyRing
from signaling.webhooks.signing import WebhookKeys

PURPOSE: Final = "webhook keys"


class WebhookKeyPairs(SharedKeys[StoredWebhookKeys]):
    """`start` before use; then `looking`."""

    NAME: ClassVar = PURPOSE

    def __init__(self, units: UnitOfWorkFactory, box: SecretBox, clock: Clock) -> None:
        super().__init__(units, clock)
        self._box = box
        self.ring = WebhookKeyRing(clock)

    async def start(self) -> None:
        """There is a pair from here on, made by the first server that asks for one. Raises
        `InvalidInputError` where those there are were sealed with another secret key."""
        pairs = await self.stored()
        if pairs:
            self._take(pairs)
            return
        now = self._clock.now()
        mine = self._sealed(WebhookKeys.generate(), now, now, pair_id=FIRST)

        async def work(uow: UnitOfWork) -> None:
            if not await uow.webhook_keys.all():
                await uow.webhook_keys.add(mine)

        await self._changed(work)

    async def rotate(self, *, at_once: bool = False) -> StoredWebhookKeys:
        """A new pair, which signs a day from now. `at_once`: now, and the others are not published any more.
        Raises `ConflictError` where the next one is announced already."""
        made = WebhookKeys.generate()

        async def work(uow: UnitOfWork) -> StoredWebhookKeys:
            now = self._clock.now()
            there = await uow.webhook_keys.all()
            if at_once:
                for one in there:
                    await uow.webhook_keys.remove(one.id)
            elif there and there[-1].active_from > now:
                when = f"{there[-1].active_from:%Y-%m-%d %H:%M}Z"
                raise ConflictError(f"The next keys are announced already: they sign from {when} on.")
            added = self._sealed(made, now, now if at_once else now + ANNOUNCED_BEFORE)
            await uow.webhook_keys.add(added)
            return added

        return await self._changed(work)

    # --- inside ----------------------------------------------------------------------------------------

    async def _all(self, uow: UnitOfWork) -> Sequence[StoredWebhookKeys]:
        return await uow.webhook_keys.all()

    def _due(self, keys: Sequence[StoredWebhookKeys]) -> bool:
        return bool(outlived(keys, self._clock.now()))

    async def _tidy(self, uow: UnitOfWork) -> None:
        for one in outlived(await uow.webhook_keys.all(), self._clock.now()):
            await uow.webhook_keys.remove(one.id)

    def _open(self, keys: Sequence[StoredWebhookKeys]) -> None:
        self.ring.take([RingPair(self._opened(one), one.active_from) for one in keys])

    def _opened(self, pair: StoredWebhookKeys) -> WebhookKeys:
        return WebhookKeys.from_secrets(
            {
                "ed25519": self._box.open(pair.ed25519, sealed_name(pair.id, "ed25519")),
                "rsa": self._box.open(pair.rsa, sealed_name(pair.id, "rsa")),
            }
        )

    def _sealed(
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


def sealed_name(pair_id: str, kind: str) -> str:
    """Under which it is sealed: no pair's key can be put in the place of another's."""
    return kind if pair_id == FIRST else f"{pair_id}/{kind}"
