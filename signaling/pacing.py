"""Work in steps that leaves the rest of the time to others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Pace:
    """Of work that begins with it. What the steps take is `share` of the time at most: above 0, up to 1."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        share: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`monotonic`: seconds, as a clock has them."""
        assert 0 < share <= 1
        self._monotonic = monotonic
        self._sleep = sleep
        self._rest_per_second = (1 - share) / share
        self._since = monotonic()

    async def rest(self) -> None:
        """After a step, for as long as it took makes due."""
        await self._sleep((self._monotonic() - self._since) * self._rest_per_second)
        self._since = self._monotonic()
