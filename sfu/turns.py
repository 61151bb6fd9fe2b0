"""Which transports get a turn, and when.

Most transports of a node are quiet most of the time: their people listen, muted. So there are three paces:

    every 20 ms     those that have something to do which cannot wait: a handshake, lost packets to ask for
    every 100 ms    those that something passed through since their last turn, or that were stirred
    every second    everybody, a tenth in each turn of 100 ms; little of one who is at rest (`sfu.transport`)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, Protocol, TypeVar

SLOW_INTERVAL = 0.1
PHASES = 10


class Turning(Protocol):
    """A transport, as far as turns are concerned."""

    id: str

    @property
    def busy(self) -> bool:
        """Whether it has something to do before the next slow turn."""
        ...

    @property
    def restless(self) -> bool:
        """Whether it may become busy before the next slow turn."""
        ...

    @property
    def quiet(self) -> bool:
        """Whether it can wait for its turn of the second."""
        ...


T = TypeVar("T", bound=Turning)


class Turns(Generic[T]):
    """Asked every 20 ms whose turn it is."""

    def __init__(self) -> None:
        self._slow_due = 0.0
        self._phase = 0
        self._due: list[T] = []
        """Those of the last slow turn, until it is known which of them it left restless."""
        self._restless: list[T] = []

    def poll(self, transports: Collection[T], now: float) -> tuple[list[T], bool]:
        """Those whose turn it is, and whether this is a slow turn."""
        if now < self._slow_due:
            if self._due:
                self._restless = [one for one in self._due if one.restless]
                self._due = []
            return [one for one in self._restless if one.busy], False
        self._slow_due = now + SLOW_INTERVAL
        self._phase = phase = (self._phase + 1) % PHASES
        due = [one for one in transports if not one.quiet or hash(one.id) % PHASES == phase]
        self._due, self._restless = due.copy(), []
        return due, True

    def forget(self, transport: T) -> None:
        """It was closed."""
        for waiting in (self._due, self._restless):
            if transport in waiting:
                waiting.remove(transport)
