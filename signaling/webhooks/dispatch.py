"""All that delivers webhooks in one process, as one thing to start and to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from signaling.auth.sealing import SecretBox
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, UnitOfWorkFactory, WebhookStatus
from signaling.services.webhooks import WebhookService
from signaling.webhooks.addresses import AddressPolicy
from signaling.webhooks.delivery import Deliverer
from signaling.webhooks.http import HttpSender
from signaling.webhooks.keeping import OutboxKeeper
from signaling.webhooks.key_pairs import WebhookKeyPairs
from signaling.webhooks.key_ring import WebhookKeyRing


class WebhookDispatch:
    """Make it inside the loop; it runs from `start` to `close`."""

    def __init__(
        self,
        units: UnitOfWorkFactory,
        policy: AddressPolicy,
        keys: WebhookKeyPairs,
        clock: Clock,
        *,
        version: str,
        server_id: Callable[[], str],
    ) -> None:
        """`server_id`: see `Deliverer`."""
        self._sender = HttpSender(policy, keys.ring, clock, version=version)
        self._deliverer = Deliverer(units, self._sender, clock, server_id=server_id)
        self._keeper = OutboxKeeper(units, clock)
        self._keys = keys

    def start(self) -> None:
        self._deliverer.start()
        self._keeper.looking.start()
        self._keys.looking.start()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._deliverer.wake()

    async def close(self) -> None:
        """What could not be delivered stays in the outbox."""
        await self._keys.looking.close()
        await self._keeper.looking.close()
        await self._deliverer.close()
        await self._sender.close()

    def status(self) -> WebhookStatus:
        return WebhookStatus(
            attempts=self._deliverer.counters,
            discarded=self._keeper.discarded,
            busy=self._deliverer.busy,
            queued=self._keeper.counts.queued,
            oldest_age=self._keeper.oldest_age(),
        )


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What a process has of them: who writes to the outbox, who is asked over REST, who delivers."""

    keys: WebhookKeyRing
    outbox: Outbox
    service: WebhookService
    dispatch: WebhookDispatch
    policy: AddressPolicy

    @classmethod
    async def open(
        cls,
        units: UnitOfWorkFactory,
        clock: Clock,
        *,
        box: SecretBox,
        policy: AddressPolicy,
        version: str,
        server_id: Callable[[], str],
    ) -> Self:
        """`box` opens the keys in the store; `server_id`: see `Deliverer`. Raises `InvalidInputError`
        where it does not."""
        keys = WebhookKeyPairs(units, box, clock)
        await keys.start()
        dispatch = WebhookDispatch(units, policy, keys, clock, version=version, server_id=server_id)
        outbox = Outbox(clock, dispatch.wake)
        service = WebhookService(units, outbox, policy, clock, wake=dispatch.wake)
        return cls(keys.ring, outbox, service, dispatch, policy)
