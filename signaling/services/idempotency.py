"""Creating POSTs that may be sent again (`Idempotency-Key`).

The key is kept in the transaction that makes what was asked for, together with the answer: either both are
there or neither is, whatever the connection to the caller or the process did. Whoever sends the same again
within `KEPT_FOR` gets that answer. Two that come at the same time make one thing: the second waits for the
first, or is run again and finds its answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from signaling.domain.idempotency import KEPT_FOR, MAX_KEPT, MadeBefore
from signaling.errors import ConflictError, ContendedError, ValidationFailedError
from signaling.repeating import Repeating
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

SWEEP_INTERVAL: Final = 600.0
"""Seconds."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Once(Generic[T]):
    """`key` as the caller sent it, a digest of the `request`, and what to answer as JSON."""

    key: str
    request: str
    to_answer: Callable[[T], str]


class AnsweredBefore(Exception):  # noqa: N818 - no error: the answer is known
    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer


async def create_once(
    units: UnitOfWorkFactory,
    clock: Clock,
    organization_id: str,
    once: Once[T] | None,
    work: Callable[[UnitOfWork], Awaitable[T]],
) -> T:
    """What `work` makes, committed; with `once`, only if it was not made before.

    Raises `AnsweredBefore` if it was, and `ValidationFailedError` if the key was sent with something else.
    """

    async def remembered(uow: UnitOfWork) -> T:
        if once is None:
            return await work(uow)
        before = await uow.idempotency.get(organization_id, once.key)
        now = clock.now()
        if before is not None and before.holds(now):
            if before.request != once.request:
                raise ValidationFailedError(
                    "This Idempotency-Key came with another request before. Send that one again, or use a "
                    "new key for each thing that is to be made."
                )
            raise AnsweredBefore(before.answer)
        if before is not None:
            await uow.idempotency.remove(organization_id, once.key)
        made = await work(uow)
        record = MadeBefore(organization_id, once.key, once.request, once.to_answer(made), now)
        try:
            await uow.idempotency.add(record)
        except ConflictError:
            raise ContendedError from None  # the same, at the same time: its answer is there the next time
        return made

    return await committed(units, remembered)


async def forget_old(units: UnitOfWorkFactory, clock: Clock) -> None:
    """What can no longer be asked for, and what is more than an organization may have."""
    before = clock.now() - KEPT_FOR
    await committed(units, lambda uow: uow.idempotency.forget(before=before, keep=MAX_KEPT), alone=True)


def forgetting(units: UnitOfWorkFactory, clock: Clock) -> Repeating:
    work = partial(forget_old, units, clock)
    return Repeating("idempotency sweeper", work, every=SWEEP_INTERVAL, at_once=True)
