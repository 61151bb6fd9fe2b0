"""Which videos tried a better layer lately and had to give it up again.

Whoever failed has been shown that what spoke for the layer was wrong: the estimate, or the price. It is not
tried again on the same evidence. For a while, which doubles with each failure that follows, a climb of that
video asks for certainty (`allocator.CERTAIN`). A path that really got wider gives it at once, for it is
probed for that much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sfu.bandwidth.allocator import Allocation, Memory
from sfu.layers import Layer

LASTED: Final = 5.0
"""Seconds on a layer after which the climb to it was right, whatever comes later."""
DOUBT, LONGEST_DOUBT = 4.0, 32.0
"""Seconds in which a video is doubted after it failed once, and at most."""


@dataclass(slots=True)
class _Attempt:
    """The last climb of a video, None once it failed. `failures` of it and those before, in a row."""

    at: float | None
    failures: int = 0
    doubted_until: float = float("-inf")


class Attempts:
    """Of one receiver's videos, by consumer id."""

    def __init__(self) -> None:
        self._attempts: dict[str, _Attempt] = {}

    def doubted(self, now: float) -> frozenset[str]:
        """Those for whom a climb asks for certainty."""
        return frozenset(name for name, one in self._attempts.items() if now < one.doubted_until)

    def note(self, before: Memory, allocation: Allocation, now: float) -> None:
        """What was granted, and what had been before. A video that gives way to another did not fail."""
        after = allocation.memory.layers
        for gone in [name for name in self._attempts if name not in after]:
            del self._attempts[gone]
        moved = [
            (name, before.layers[name], layer)
            for name, layer in after.items()
            if name in before.layers and before.layers[name] != layer
        ]
        climbed = [name for name, old, layer in moved if _rose(old, layer)]
        for name in climbed:
            self._handle_climb(name, now)
        if not climbed:
            self._handle_falls([name for name, _, _ in moved if allocation.grants[name].short], now)

    def _handle_climb(self, name: str, now: float) -> None:
        known = self._attempts.get(name)
        if known is None:
            self._attempts[name] = _Attempt(now)
        else:
            known.at = now

    def _handle_falls(self, names: Iterable[str], now: float) -> None:
        for name in names:
            attempt = self._attempts.get(name)
            if attempt is None or attempt.at is None:
                continue
            if now - attempt.at > LASTED:
                del self._attempts[name]
                continue
            attempt.failures += 1
            attempt.doubted_until = now + min(DOUBT * 2 ** (attempt.failures - 1), LONGEST_DOUBT)
            attempt.at = None


def _rose(before: Layer | None, after: Layer | None) -> bool:
    return after is not None and (before is None or after > before)
