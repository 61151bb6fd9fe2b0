"""How fast packets went into the path and came out of it, over the last half second."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from sfu.bandwidth.twcc import Burst

WINDOW: Final = 0.5
MIN_SPAN: Final = 0.15
"""Seconds that bursts must span before their rate means anything."""
MAX_STEP: Final = 60.0
KEEPS_UP: Final = 0.9
"""Share of what goes in that has to come out, for the path to be taken for wide enough."""


class Throughput:
    """Rates in bits per second, of the same packets: `delivered` by the receiver's clock, `offered` by ours.

    Both are None until enough was reported.
    """

    __slots__ = (
        "_bursts",
        "_latest",
        "_octets",
        "delivered",
        "offered",
    )

    def __init__(self) -> None:
        self.delivered: float | None = None
        self.offered: float | None = None
        self._bursts: deque[Burst] = deque()
        self._octets = 0
        self._latest = float("-inf")

    @property
    def carried(self) -> float:
        """What the path is known to have carried: packets that came faster than they were sent had only
        waited for somebody, and those that came slower filled a queue. 0 where unknown."""
        if self.delivered is None:
            return 0.0
        return self.delivered if self.offered is None else min(self.delivered, self.offered)

    @property
    def keeps_up(self) -> bool:
        """Whether packets come out about as fast as they go in."""
        if self.delivered is None or self.offered is None:
            return True
        return self.delivered > KEEPS_UP * self.offered

    def handle_gap(self) -> None:
        """Something arrived of which nothing is known. No rate is taken across it, which would be too low."""
        self._bursts.clear()
        self._octets = 0

    def handle(self, bursts: Iterable[Burst]) -> None:
        window = self._bursts
        latest, total = self._latest, self._octets
        for burst in bursts:
            arrival = burst[5]
            if not -MAX_STEP <= arrival - latest <= MAX_STEP:
                # The first one, or a receiver's clock that jumped.
                window.clear()
                total = 0
                latest = arrival
            elif arrival > latest:
                latest = arrival
            window.append(burst)
            total += burst[2]
        self._latest = latest
        begin = latest - WINDOW
        while window and window[0][5] < begin:
            total -= window.popleft()[2]
        self._octets = total
        if len(window) < 2:
            return
        first, last = window[0], window[-1]
        octets = total - first.octets
        arriving = latest - first.last_arrival
        if arriving < MIN_SPAN:
            return
        self.delivered = 8 * octets / arriving
        leaving = last.sent_at - first.sent_at
        self.offered = 8 * octets / leaving if leaving > 0 else None
