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
