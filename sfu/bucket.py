"""How much somebody may do: a token bucket. Pure; the time is told."""

from __future__ import annotations


class TokenBucket:
    """`burst` at once, `rate` per second in the long run."""

    __slots__ = ("_burst", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at = now

    def take(self, now: float, tokens: float = 1.0) -> bool:
        """Whether there were that many to take; if not, none are taken."""
        there = self._tokens + (now - self._filled_at) * self._rate
        if there > self._burst:
            there = self._burst
        self._filled_at = now
        if there < tokens:
            self._tokens = there
            return False
        self._tokens = there - tokens
        return True

    def draw(self, now: float, most: float) -> float:
        """Take as many as there are, up to `most`; returns how many."""
        if self.take(now, most):
            return most
        drawn, self._tokens = self._tokens, 0.0
        return drawn
