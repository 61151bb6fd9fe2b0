"""When a worker looks for what those who left have left behind.

Transports, producers and consumers know each other, so what is closed is a knot that only the cycle collector
unties: about 100 KB for each person, with its DTLS connection. Left to its thresholds the collector comes too
late, because the packet path, which allocates most, leaves nothing to collect; and how long it takes depends
on what lives, not on what is to be freed. So it is called when as much was closed as is open: its cost per
leaving stays the same however large the node, and the garbage is never more than what is in use.
"""

from __future__ import annotations

INTERVAL = 1.0
"""Seconds between two looks."""
LEAST = 64
"""Closed objects that are worth a collection. An empty node collects whatever there is, as nobody waits."""


class Sweep:
    """Asked once every `INTERVAL`."""

    def __init__(self) -> None:
        self._swept = 0

    def poll(self, closed: int, live: int) -> bool:
        """Whether to collect now, with so many objects closed since the start, and so many open."""
        garbage = closed - self._swept
        if garbage == 0 or (live and garbage < max(LEAST, live)):
            return False
        self._swept = closed
        return True
