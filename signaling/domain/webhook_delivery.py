"""One event on its way to one subscriber.

    QUEUED ──▶ DELIVERING ──▶ DELIVERED      answered with 2xx in time
      │ ▲          │ └──────▶ FAILED         every attempt failed, at the failover URL too
      │ └──────────┘
      │   an attempt failed, or its process died
      └────────────┴────────▶ DISCARDED      its webhook is gone or disabled, or too many wait for it

Deliveries of one queue (a subscriber and a session) go one after the other: the next is begun when the one
before it is DELIVERED, FAILED or DISCARDED. Whoever delivers has a lease on it; when that is over and nothing
was heard, anybody may deliver it again. So each arrives at least once, and twice only after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from signaling.domain.errors import StateError
from signaling.domain.webhook import Shape, Target

MAX_QUEUED: Final = 10_000
"""Deliveries that wait for one subscriber. Above it the oldest are discarded."""
KEPT_FOR: Final = timedelta(days=30)
"""How long the log of a delivery is kept."""
LEASE_MARGIN: Final = 5.0
"""Seconds that a lease outlasts the attempt's timeout."""
MAX_RESPONSE: Final = 4096
"""Bytes of an answer that are kept."""


class DeliveryStatus(StrEnum):
    QUEUED = "QUEUED"
    DELIVERING = "DELIVERING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    DISCARDED = "DISCARDED"


_S = DeliveryStatus
TRANSITIONS: Final[Mapping[DeliveryStatus, frozenset[DeliveryStatus]]] = MappingProxyType(
    {
        _S.QUEUED: frozenset({_S.DELIVERING, _S.DISCARDED}),
        _S.DELIVERING: frozenset({_S.DELIVERED, _S.FAILED, _S.QUEUED, _S.DISCARDED}),
        _S.DELIVERED: frozenset(),
        _S.FAILED: frozenset(),
        _S.DISCARDED: frozenset(),
    }
)


def next_status(present: DeliveryStatus, wanted: DeliveryStatus) -> DeliveryStatus:
    """Raises `StateError` where the table has no such move."""
    if wanted not in TRANSITIONS[present]:
        raise StateError(f"a delivery that is {present} cannot become {wanted}")
    return wanted


@dataclass(frozen=True, slots=True)
class Delivery:
    """`subscriber` and `queue` are keys; `target` is set where it does not follow a webhook's. `due_at` is
    when the next attempt may begin; while DELIVERING, when the lease is over. `seq` orders all of them, and
    is given by the store."""

    id: str
    event_id: str
    event: str
    organization_id: str
    subscriber: str
    queue: str
    shape: Shape
    body: str
    created_at: datetime
    due_at: datetime
    webhook_id: str | None = None
    meeting_id: str | None = None
    session_id: str | None = None
    target: Target | None = None
    status: DeliveryStatus = DeliveryStatus.QUEUED
    attempts: int = 0
    finished_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None
    resent_from: str | None = None
    seq: int = 0

    @property
    def finished(self) -> bool:
        return not TRANSITIONS[self.status]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it: a `status`, or an `error` where there was no answer, or none that
    counts. `duration` in seconds; `response_body` is cut to `MAX_RESPONSE` bytes."""

    number: int
    url: str
    started_at: datetime
    duration: float
    request_headers: Mapping[str, str]
    status: int | None = None
    response_headers: Mapping[str, str] | None = None
    response_body: str | None = None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and when again. Pauses in seconds; each is chosen by chance between 0 and a bound that
    grows ("full jitter"), so that what failed together does not come back together."""

    at_url: int = 5
    at_failover: int = 2
    first: float = 4.0
    factor: float = 4.0

    def url_of(self, target: Target, attempts: int) -> str | None:
        """Where the next attempt goes after so many; None: nowhere, they are used up."""
        if attempts <= self.at_url:
            return target.url
        if target.failover_url is not None and attempts <= self.at_url + 1 + self.at_failover:
            return target.failover_url
        return None

    def pause(self, attempts: int, chance: float) -> float:
        """Before the next attempt, after `attempts` that failed; `chance` is from [0, 1). The first one at
        the failover URL does not wait."""
        again = attempts - 1 if attempts <= self.at_url else attempts - self.at_url - 2
        return 0.0 if again < 0 else chance * self.first * self.factor**again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt made of a delivery. `claim` is the lease it was made under."""

    seq: int
    claim: str
    attempt: Attempt
    status: DeliveryStatus
    due_at: datetime


def outcome(
    delivery: Delivery,
    target: Target,
    claim: str,
    attempt: Attempt,
    now: datetime,
    *,
    retries: Retries,
    chance: float,
) -> Outcome:
    if attempt.succeeded:
        wanted, pause = DeliveryStatus.DELIVERED, 0.0
    elif retries.url_of(target, attempt.number) is None:
        wanted, pause = DeliveryStatus.FAILED, 0.0
    else:
        wanted, pause = DeliveryStatus.QUEUED, retries.pause(attempt.number, chance)
    status = next_status(delivery.status, wanted)
    return Outcome(delivery.seq, claim, attempt, status, now + timedelta(seconds=pause))
