"""One receiver's share of everything: the estimate of its path, divided over its consumers, less what the
node gives up under pressure.

The policy beside the fan-out's mechanism. On a tick, and whenever a wish changed, it asks the allocator for a
layer or a pause for each consumer, and sets them as their *targets*; the consumers aim their legs at those.
Where nothing has changed that could change the outcome, the tick costs a comparison per consumer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sfu.bandwidth.allocator import (
    CERTAIN,
    CLIMB,
    RESUME,
    Allocation,
    Available,
    Demand,
    Grant,
    Memory,
    allocate,
    kept,
    least,
)
from sfu.bandwidth.attempts import Attempts
from sfu.consumer import Consumer
from sfu.control.messages import PauseReason
from sfu.pressure import NO_MEASURES, Measures, relieve

ENOUGH, ENOUGH_IN_DOUBT = 1.05 * max(CLIMB, RESUME), 1.05 * CERTAIN
"""How many times what is asked for an estimate must be, to have it granted for sure. A path is probed for no
more than it is asked for, so it must be asked for that."""
ANNOUNCE_AFTER = 1.0
"""Seconds for which a video has to lack bandwidth before its receiver is told: at the start of a path the
estimate is still growing."""
BEGINNING = 2.0
"""Seconds in which an estimate is but a guess, and the lowest layer of every video is sent all the same: it
is what shows how much the path carries."""
OVERFULL = 1.25
"""How many times the estimate what is on the wire must take, on a path where it already waits, for what is
given up to stop at once. With less than that too much, the picture had better go on until the next begins."""
AUDIO_GUESS = 40_000.0
"""Bits per second of an audio producer that was not measured yet."""


class Estimate(Protocol):
    """What is known of the way to the receiver (`sfu.bandwidth.controller` implements it)."""

    @property
    def estimate(self) -> float | None:
        """Bits per second, None before anything is known."""
        ...

    @property
    def crowded(self) -> bool:
        """Whether a queue stands on that way."""
        ...

    def is_outdated(self, now: float) -> bool:
        """Whether there is news of it that we had no time to read, and nothing bad before."""
        ...


class Downlink:
    """Owned by its subscribe transport. `on_paused` and `on_resumed` are told when a video is paused for
    bandwidth or overload (`consumer.lacks` says which), and when that is over."""

    def __init__(
        self,
        controller: Estimate,
        *,
        on_paused: Callable[[Consumer], None],
        on_resumed: Callable[[Consumer], None],
    ) -> None:
        self.controller = controller
        self.allocation: Allocation | None = None
        self.dominant: str | None = None
        """The producer id of the dominant speaker's microphone."""
        self._on_paused = on_paused
        self._on_resumed = on_resumed
        self._memory = Memory()
        self._attempts = Attempts()
        self.settled = False
        """Whether everything on the wire is as it should be, except for what its publisher muted."""
        self.dirty = True
        """Whether it is to be divided anew at the next poll."""
        self._supplies = 0
        self._chooses = False
        """Whether there is anything to choose: voices are sent whatever the path carries."""
        self._begun_at: float | None = None
        self._measures = NO_MEASURES

    @property
    def wanted(self) -> float:
        """Bits per second with which everybody would get what they ask for: what it takes and, while somebody
        lacks some of it, the margin with which more is granted."""
        allocation = self.allocation
        if allocation is None:
            return 0.0
        if not allocation.deficient:
            return allocation.wanted
        return allocation.wanted * (ENOUGH_IN_DOUBT if self._memory.doubted else ENOUGH)

    def touch(self) -> None:
        """Something about the consumers is otherwise: divide anew at the next poll."""
        self.dirty = True

    def set_dominant(self, producer_id: str | None) -> None:
        if producer_id != self.dominant:
            self.dominant = producer_id
            self.dirty = True

    def poll(self, now: float, consumers: Mapping[str, Consumer], measures: Measures = NO_MEASURES) -> None:
        """Called ten times a second, and soon after `touch`. `measures`: what the node gives up."""
        if measures is not self._measures:
            self._measures = measures
            self.dirty = True
        supplies = 0
        for consumer in consumers.values():
            supplies += consumer.producer.supply.look(now)
        estimate = self.controller.estimate
        limit = math.inf if estimate is None else estimate
        if self.dirty or supplies != self._supplies or self._may_differ(limit):
            self.dirty = False
            self._supplies = supplies
            self._divide(limit, now, consumers)
        self.settled = True
        for consumer in consumers.values():
            if consumer.unsettled:
                consumer.select(now)
                waits = consumer.producer.paused or consumer.waits_for_publisher
                self.settled = self.settled and waits
            if consumer.lacking_since is not None or consumer.told_paused:
                self._announce(consumer, now)

    def _may_differ(self, limit: float) -> bool:
        allocation = self.allocation
        if allocation is None:
            return True
        return self._chooses and (allocation.deficient or allocation.spent > limit)

    def _divide(self, limit: float, now: float, consumers: Mapping[str, Consumer]) -> None:
        speaking = self._speaking_transport(consumers)
        asking = [
            consumer for consumer in consumers.values() if consumer.active and not consumer.producer.paused
        ]
        demands = relieve([_demand(consumer, speaking) for consumer in asking], self._measures)
        self._chooses = any(demand.kind == "video" for demand in demands)
        if self._begun_at is None and demands:
            self._begun_at = now
        if self._begun_at is not None and now - self._begun_at < BEGINNING:
            limit = max(limit, least(demands))
        if self.controller.is_outdated(now):
            # A worker that is behind does not know what it gets through, and takes nothing away for that.
            limit = max(limit, kept(demands, self._memory))
        allocation = allocate(limit, demands, self._memory)
        if self._begun_at is not None and now - self._begun_at >= BEGINNING:
            self._attempts.note(self._memory, allocation, now)
        self.allocation = allocation
        self._memory = Memory(allocation.memory.layers, self._attempts.doubted(now))
        for consumer in asking:
            grant = allocation.grants.get(consumer.id)
            consumer.set_target(None if grant is None else grant.layer, now)
            _note(consumer, _lack(grant), now)
        if self.controller.crowded:
            _make_room(asking, OVERFULL * limit)

    def _speaking_transport(self, consumers: Mapping[str, Consumer]) -> str | None:
        """Whose videos are the speaker's: they come by the same transport as the microphone."""
        if self.dominant is None:
            return None
        for consumer in consumers.values():
            if consumer.producer.id == self.dominant:
                return consumer.producer.transport_id
        return None

    def _announce(self, consumer: Consumer, now: float) -> None:
        since = consumer.lacking_since
        patience = ANNOUNCE_AFTER if consumer.lacks == "bandwidth" else 0.0
        lacking = since is not None and now - since >= patience
        if lacking and consumer.told_paused != consumer.lacks:
            consumer.told_paused = consumer.lacks
            self._on_paused(consumer)
        elif since is None and consumer.told_paused:
            consumer.told_paused = None
            self._on_resumed(consumer)


def _make_room(consumers: Sequence[Consumer], limit: float) -> None:
    """Stop what is given up, dearest first, until the rest is within `limit`.

    Otherwise it goes on until a lesser layer's key frame is there, and on a full path that key frame would
    have to get through together with it.
    """
    on_wire = sum(consumer.on_wire for consumer in consumers)
    for consumer in sorted(consumers, key=lambda consumer: consumer.on_wire, reverse=True):
        if on_wire <= limit:
            return
        if consumer.stepping_down:
            on_wire -= consumer.on_wire
            consumer.give_way()


def _lack(grant: Grant | None) -> PauseReason | None:
    """Why nothing is sent of what is wanted: without a grant, because the node gives it up."""
    if grant is None:
        return "overload"
    return "bandwidth" if grant.outcome == "bandwidth" else None


def _note(consumer: Consumer, lack: PauseReason | None, now: float) -> None:
    if lack is None:
        consumer.lacking_since = None
    elif consumer.lacking_since is None or consumer.lacks != lack:
        consumer.lacks = lack
        consumer.lacking_since = now


def _demand(consumer: Consumer, speaking: str | None) -> Demand:
    producer = consumer.producer
    available = producer.supply.available
    if producer.kind == "audio" and available and not available[0].bitrate:
        available = (Available(available[0].layer, AUDIO_GUESS),)
    return Demand(
        consumer_id=consumer.id,
        kind=producer.kind,
        source=producer.source,
        available=available,
        tile=consumer.tile,
        preferred=consumer.most,
        speaking=producer.transport_id == speaking,
    )
