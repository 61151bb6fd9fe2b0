"""The keys of webhooks in the store: sealed there, and the same for all servers on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from signaling.auth.sealing import SecretBox
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed
from signaling.webhooks.signing import WebhookKeys

PURPOSE: Final = "webhook keys"


async def stored_webhook_keys(units: UnitOfWorkFactory, box: SecretBox, clock: Clock) -> WebhookKeys:
    """Made by the first server that asks for them. Raises `InvalidInputError` where they were sealed with
    another secret key."""
    async with units(reading=True) as uow:
        sealed = await uow.webhooks.keys()
    if not sealed:
        sealed = await _made(units, box, clock)
    return WebhookKeys.from_secrets({kind: box.open(secret, kind) for kind, secret in sealed.items()})


async def _made(units: UnitOfWorkFactory, box: SecretBox, clock: Clock) -> Mapping[str, str]:
    made, now = WebhookKeys.generate().to_secrets(), clock.now()
    mine = {kind: box.seal(secret, kind) for kind, secret in made.items()}

    async def work(uow: UnitOfWork) -> Mapping[str, str]:
        there = await uow.webhooks.keys()
        if not there:
            await uow.webhooks.add_keys(mine, now)
        return there or mine

    return await committed(units, work)
