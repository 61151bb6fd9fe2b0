"""The delay-based rate: up by steps while the path holds, down to what came through when a queue grows.

    INCREASE --- a queue grows ---> HOLD (cut to a share of what was delivered)
        ^                             |
        +------ it has drained -------+      goes on just below the rate that was delivered

draft-ietf-rmcat-gcc-02 section 5.5 gives the outline. Near a capacity that was measured the rate creeps; far
from it, it grows by a constant factor. It never grows beyond one and a half times what is really delivered: a
path is not known to carry what nobody sent over it. What probes proved is taken over by `handle_probe`.
"""

from __future__ import annotations

from enum import Enum
from math import exp
from typing import Final

from sfu.bandwidth.throughput import Throughput
from sfu.bandwidth.trend import Usage

MIN_RATE, MAX_RATE = 30_000.0, 1e9
BACKOFF: Final = 0.85
DEEPEST_BACKOFF: Final = 0.6
GROWTH: Final = 0.08
"""Per second, far from a known capacity."""
CREEP: Final = 0.015
"""Per second, near one."""
NEAR, BEYOND = 0.85, 1.1
"""Between these shares of a known capacity the rate creeps; beyond, the capacity is not believed any more."""
RESUME_AT: Final = 0.95
"""Share of the capacity to go on with when the queue has drained."""
DRAINED: Final = 0.02
CROWDED: Final = 0.08
"""Seconds of queue with which the rate does not grow."""
MAX_HOLD: Final = 1.5
"""Seconds after which a queue that does not drain is somebody else's."""
HEADROOM: Final = 1.5
SLACK: Final = 10_000
MARGIN: Final = 1.05
"""What is supposed beyond what was delivered, on a path whose limit was never met."""
LIMITED_BELOW: Final = 0.75
"""With less than this share of the rate sent, the application is the limit, not the path."""


class _State(Enum):
    INCREASE = "increase"
    HOLD = "hold"


class RateControl:
    """`rate` is in bits per second."""

    __slots__ = (
        "_changed_at",
        "_cut_at",
        "_state",
        "capacity",
        "rate",
    )

    def __init__(self, start: float) -> None:
        self.rate = start
        self.capacity: float | None = None
        """What was delivered when a queue grew, the mean of several times."""
        self._state = _State.INCREASE
        self._changed_at: float | None = None
        self._cut_at = float("-inf")

    @property
    def holding(self) -> bool:
        return self._state is _State.HOLD

    def handle(self, usage: Usage, path: Throughput, queue: float, rtt: float, now: float) -> bool:
        """React to one message. `queue` and `rtt` in seconds. Whether the rate was cut."""
        elapsed = 0.0 if self._changed_at is None else min(now - self._changed_at, 1.0)
        self._changed_at = now
        if usage is Usage.OVER:
            self._state = _State.HOLD
            if now - self._cut_at >= min(max(rtt, 0.1), 0.3) + 0.1:
                self._cut(path, queue)
                self._cut_at = now
                return True
        elif usage is Usage.NORMAL:
            if self._state is _State.HOLD:
                self._resume(queue, now)
            elif queue < CROWDED:
                self._grow(path, elapsed)
        return False

    def handle_probe(self, rate: float) -> None:
        """The path is known to carry this much: never a reason to go down."""
        if rate <= self.rate:
            return
        self.rate = min(rate, MAX_RATE)
        if self.capacity is not None and rate > BEYOND * self.capacity:
            self.capacity = None

    def handle_silence(self) -> None:
        """Packets go out and no feedback comes back."""
        self.rate = max(self.rate * 0.8, min(self.rate, 150_000.0))

    def _cut(self, path: Throughput, queue: float) -> None:
        delivered = path.delivered
        if delivered is None:
            self.rate = max(MIN_RATE, BACKOFF * self.rate)
            return
        share = max(BACKOFF - queue / 2, DEEPEST_BACKOFF)
        target = share * delivered
        if path.keeps_up and queue < CROWDED and delivered < LIMITED_BELOW * self.rate:
            # What was sent came through at once, and it was little: of the capacity it says nothing.
            target = max(target, BACKOFF * self.rate)
        else:
            self._note_capacity(delivered)
        self.rate = max(MIN_RATE, min(self.rate, target))

    def _note_capacity(self, delivered: float) -> None:
        known = self.capacity
        if known is None or not 0.8 < delivered / known < 1.25:
            self.capacity = delivered
        else:
            self.capacity = 0.7 * known + 0.3 * delivered

    def _resume(self, queue: float, now: float) -> None:
        if queue > DRAINED and now - self._cut_at < MAX_HOLD:
            return
        self._state = _State.INCREASE
        if self.capacity is not None and queue <= DRAINED:
            self.rate = max(self.rate, RESUME_AT * self.capacity)

    def _grow(self, path: Throughput, elapsed: float) -> None:
        capacity = self.capacity
        if capacity is not None and self.rate > BEYOND * capacity:
            capacity = self.capacity = None
        if path.delivered is not None and self.rate >= HEADROOM * path.carried + SLACK:
            # As for most of the time on a path that carries all that is wanted.
            return
        near = capacity is not None and self.rate > NEAR * capacity
        grown = self.rate * exp((CREEP if near else GROWTH) * elapsed)
        if path.delivered is not None:
            # What came through at once is carried, whatever was thought before.
            carried = path.carried
            proved = carried * (MARGIN if capacity is None and path.keeps_up else 1.0)
            grown = max(proved, min(grown, HEADROOM * carried + SLACK))
        self.rate = min(max(self.rate, grown), MAX_RATE)
