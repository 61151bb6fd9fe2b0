"""How fast what a receiver lost is sent again.

What overflowed at a bottleneck is asked for all at once, and sent all at once it would overflow there again,
together with the media that comes meanwhile. So repairs get a share of the estimate: a few go at once, since
most losses are few; the rest waits its turn on the tick, in the order in which it was asked for. What waited
too long is forgotten: a receiver that still wants it asks again.

Media itself is not held back here. It leaves as it comes, spread by its publishers' own pacers (what
spreading it further would gain, which is nothing, is in docs/performance.md), and audio waits for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SHARE: Final = 0.5
"""Of the estimate, for repairs."""
PACKET: Final = 1_200
"""Bytes that each counts for."""
AT_ONCE: Final = 12
"""Packets that may go together after a time without any."""
MAX_WAIT: Final = 0.4
"""Seconds after which a request is forgotten; receivers repeat theirs sooner."""

Request = tuple[int, int]
"""Stream (SSRC) and 16-bit sequence number, as the receiver knows them."""


class RepairPacer:
    """A queue of requests without doubles, and a bucket of packets filled by a share of the estimate."""

    def __init__(self) -> None:
        self.dropped = 0
        """Requests that were forgotten."""
        self._asked: dict[Request, float] = {}
        self._credit = float(AT_ONCE)
        self._filled_at = float("-inf")

    @property
    def waiting(self) -> bool:
        """`take` wants to be called every 20 milliseconds."""
        return bool(self._asked)

    def ask(self, ssrc: int, sequences: Iterable[int], now: float) -> None:
        """The receiver lost these. Asking again for what waits changes nothing."""
        for sequence in sequences:
            self._asked.setdefault((ssrc, sequence), now)

    def forget(self, ssrc: int) -> None:
        """What was lost of this stream is of no use any more."""
        self._asked = {request: at for request, at in self._asked.items() if request[0] != ssrc}

    def take(self, now: float, estimate: float) -> dict[int, list[int]]:
        """What to send again now, by stream; `estimate` in bits per second."""
        elapsed = max(0.0, now - self._filled_at)
        self._filled_at = now
        self._credit = min(self._credit + elapsed * SHARE * estimate / (8 * PACKET), AT_ONCE)
        due: dict[int, list[int]] = {}
        while self._asked and self._credit >= 1.0:
            request = next(iter(self._asked))
            if now - self._asked.pop(request) > MAX_WAIT:
                self.dropped += 1
                continue
            self._credit -= 1.0
            ssrc, sequence = request
            due.setdefault(ssrc, []).append(sequence)
        return due
