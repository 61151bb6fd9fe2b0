"""How often somebody may ask: a token bucket. Pure; the time is told."""

from __future__ import annotations


class TokenBucket:
    """`burst` at once, `rate` per second in the long run."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at = now

    def take(self, now: float) -> bool:
        """Whether there was one to take."""
        grown = (now - self._filled_at) * self._rate
        self._tokens = min(float(self._burst), self._tokens + grown)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
