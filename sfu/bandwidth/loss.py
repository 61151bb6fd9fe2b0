"""The bound that losses set.

A path that loses too much when it is asked for too much gets less (draft-ietf-rmcat-gcc-02 section 6). A path
that loses the same whatever it is asked for, as radio does, would be starved by that rule alone: so the least
loss of the last seconds counts as the path's own, and only what exceeds it is held against the rate.

A second of video is some dozens of packets, of which chance alone loses more one time and fewer the next. So
a share is taken for as uncertain as it is, and two that might be the same are.
"""

from __future__ import annotations

from collections import deque
from math import exp, sqrt
from typing import Final

from sfu.bandwidth.rate import MIN_RATE

PERIOD: Final = 1.0
"""Seconds of reports that make one judgement."""
MIN_PACKETS: Final = 10
REMEMBERED: Final = 4
"""Judgements among which the least loss is taken as the path's own."""
TOLERATED, TOO_MUCH = 0.02, 0.1
GROWTH: Final = 0.25
"""Per second."""
REPORTED_PACKETS: Final = 100
"""What a share is taken to be of that comes without a number of packets."""


class LossBound:
    """`bound` is in bits per second, infinite while losses give no reason for one."""

    __slots__ = (
        "_began",
        "_lost",
        "_most",
        "_received",
        "bound",
        "excess",
        "ratio",
    )

    def __init__(self) -> None:
        self.bound = float("inf")
        self.ratio = 0.0
        """Share of packets lost in the last period."""
        self.excess = 0.0
        """What of it is for sure not the path's own."""
        self._lost = 0
        self._received = 0
        self._began: float | None = None
        self._most: deque[float] = deque([0.0], maxlen=REMEMBERED)
        """The highest that the path's own loss may have been in each of the last periods."""

    def handle(self, lost: int, received: int, estimate: float, now: float) -> None:
        """Count packets of one report; `estimate` is what a bound would begin at."""
        if self._began is None:
            self._began = now
        self._lost += lost
        self._received += received
        elapsed = now - self._began
        packets = self._lost + self._received
        if elapsed < PERIOD or packets < MIN_PACKETS:
            return
        ratio = self._lost / packets
        self._lost = self._received = 0
        self._began = now
        self.handle_ratio(ratio, estimate, elapsed, packets)

    def handle_probe(self, rate: float) -> None:
        """So much came through."""
        self.bound = max(self.bound, rate)

    def relax(self) -> None:
        """Nothing was sent for a while: what was lost before says nothing of now."""
        self.excess = 0.0

    def handle_ratio(
        self, ratio: float, estimate: float, elapsed: float, packets: int = REPORTED_PACKETS
    ) -> None:
        """Judge the share of so many packets that was lost over the last `elapsed` seconds."""
        self.ratio = ratio
        deviation = sqrt(ratio * (1.0 - ratio) / packets)
        self.excess = excess = max(0.0, ratio - deviation - min(self._most))
        self._most.append(ratio + deviation)
        if excess > TOO_MUCH:
            self.bound = max(MIN_RATE, min(self.bound, estimate) * (1.0 - 0.5 * excess))
        elif excess < TOLERATED:
            self.bound *= exp(GROWTH * min(elapsed, 2.0))
            if self.bound > 4 * estimate:
                self.bound = float("inf")
