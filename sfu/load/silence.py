"""Whether nothing is on its way any more, by how much had arrived at each of many looks. Pure.

Looks are counted, and not the time between them: where this process stood still itself, what arrived then is
read after the look that follows, and that time says nothing of what the server does.
"""

from __future__ import annotations


class Silence:
    """`wanted`: how many packets are due. With fewer it takes `looks` in a row at which nothing had come."""

    def __init__(self, wanted: float, looks: int) -> None:
        self._wanted = wanted
        self._looks = looks
        self._before = -1
        self._alike = 0

    def handle(self, received: int) -> bool:
        """What has arrived in all. Whether that is all there will be."""
        self._alike = self._alike + 1 if received == self._before else 0
        self._before = received
        return self._alike >= (1 if received >= self._wanted else self._looks)
