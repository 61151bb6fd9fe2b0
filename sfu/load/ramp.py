"""Whether everybody receives what is sent, yet. Pure.

A path is not known to carry much when a receiver joins, so the server begins with little: videos paused, or
in lower layers. What is measured then is the beginning of a path, not a load. So before the window, samples
are taken of what was sent and received, until in one interval every receiver got all of every publication;
of one with several encodings, where the server chooses, the same one in two intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

FULL: Final = 0.9
"""Share of what was sent in an interval; the rest, a frame or two, is under way at its ends."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One publication at one receiver so far. `key` tells it from all others."""

    key: tuple[str, int]
    current: int | None
    """Stream id of the encoding that was received last."""
    packets: int


class Ramp:
    """Fed with counters that only rise."""

    def __init__(self) -> None:
        self.limited = 0
        """Receptions that were not full in the last interval."""
        self._sent: dict[int, int] = {}
        self._before: dict[tuple[str, int], Reception] = {}

    def handle(self, sent: Mapping[int, int], receptions: Iterable[Reception]) -> bool:
        """Packets sent by stream id, and what was received. Whether all are full."""
        after = {reception.key: reception for reception in receptions}
        self.limited = sum(not self._is_full(sent, reception) for reception in after.values())
        self._sent, self._before = dict(sent), after
        return not self.limited

    def _is_full(self, sent: Mapping[int, int], now: Reception) -> bool:
        before = self._before.get(now.key)
        if before is None or now.current is None or now.current != before.current:
            return False
        expected = sent[now.current] - self._sent.get(now.current, 0)
        return now.packets - before.packets >= FULL * expected
