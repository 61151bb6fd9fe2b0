"""How fast packets went into the path and came out of it, over the last half second."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from sfu.bandwidth.twcc import Burst

WINDOW: Final = 0.5
MIN_SPAN: Final = 0.15
"""Seconds that bursts must span before their rate means anything."""


class Throughput:
    """Rates in bits per second, of the same packets: `delivered` by the receiver's clock, `offered` by ours.

    Both are None until enough was reported.
    """

    def __init__(self) -> None:
        self.delivered: float | None = None
        self.offered: float | None = None
        self._bursts: deque[Burst] = deque()
        self._octets = 0
        self._latest = float("-inf")

    def handle(self, bursts: Iterable[Burst]) -> None:
        window = self._bursts
        for burst in bursts:
            if abs(burst.last_arrival - self._latest) > 60.0:
                # The first one, or a receiver's clock that jumped.
                window.clear()
                self._octets = 0
                self._latest = burst.last_arrival
            window.append(burst)
            self._octets += burst.octets
            self._latest = max(self._latest, burst.last_arrival)
        while window and window[0].last_arrival < self._latest - WINDOW:
            self._octets -= window.popleft().octets
        if len(window) < 2:
            return
        first, last = window[0], window[-1]
        octets = self._octets - first.octets
        arriving = self._latest - first.last_arrival
        if arriving < MIN_SPAN:
            return
        self.delivered = 8 * octets / arriving
        leaving = last.sent_at - first.sent_at
        self.offered = 8 * octets / leaving if leaving > 0 else None
