"""Which transports get a turn, and when.

Most transports of a node are quiet most of the time: their people listen, muted. So there are four paces:

    every 20 ms     those that have something to do which cannot wait: a handshake, lost packets to ask for
    every 100 ms    those that something passed through since their last turn, or that were stirred
    every second    those that are quiet, a tenth of them in each turn of 100 ms
    when it is due  those at rest, which know until when nothing can happen to them unless they are woken

So a transport at rest costs next to nothing. Who is at rest wakes itself (`sfu.transport`); that something
passed through one unnoticed is looked for once a second all the same.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

SLOW_INTERVAL = 0.1
EARLY = 0.005
"""Seconds by which a timer may come too early."""
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

    @property
    def rests_until(self) -> float:
        """Until when it needs no turn at all, unless it is woken; in the past where it is not at rest."""
        ...


T = TypeVar("T", bound=Turning)


class Turns(Generic[T]):
    """Asked whose turn it is: every 20 ms, or every 100 ms while it is `idle`."""

    def __init__(self) -> None:
        self._awake: dict[T, None] = {}
        self._resting: list[dict[T, float]] = [{} for _ in range(PHASES)]
        """Until when, by the turn of the second in which it is looked at."""
        self._slow_due = 0.0
        self._phase = 0
        self._woken: set[T] = set()
        self._due: list[T] = []
        """Those of the last slow turn, until it is known what it left them as."""
        self._restless: list[T] = []

    @property
    def idle(self) -> bool:
        """Whether nobody is awake, so that there are only slow turns."""
        return not self._awake

    def add(self, transport: T) -> None:
        self._awake[transport] = None

    def wake(self, transport: T) -> None:
        """Something happened to one that came to rest, be it known here yet or not: it has the next slow
        turn."""
        if self._resting[_phase_of(transport)].pop(transport, None) is not None:
            self._awake[transport] = None
        if transport in self._awake:
            self._woken.add(transport)

    def forget(self, transport: T) -> None:
        """It was closed."""
        self._awake.pop(transport, None)
        self._resting[_phase_of(transport)].pop(transport, None)
        self._woken.discard(transport)
        for waiting in (self._due, self._restless):
            if transport in waiting:
                waiting.remove(transport)

    def poll(self, now: float) -> tuple[list[T], bool]:
        """Those whose turn it is, and whether this is a slow turn."""
        if self._due:
            self._sort_out(now)
        if now < self._slow_due - EARLY:
            return [one for one in self._restless if one.busy], False
        self._slow_due = now + SLOW_INTERVAL
        self._phase = phase = (self._phase + 1) % PHASES
        self._rouse(self._resting[phase], now)
        woken = self._woken
        due = [one for one in self._awake if _phase_of(one) == phase or one in woken or not one.quiet]
        woken.clear()
        self._due, self._restless = due.copy(), []
        return due, True

    def _sort_out(self, now: float) -> None:
        """After a slow turn: who may be busy before the next one, and who came to rest."""
        self._restless = [one for one in self._due if one.restless]
        for one in self._due:
            until = one.rests_until
            if until > now and one in self._awake:
                del self._awake[one]
                self._resting[_phase_of(one)][one] = until
        self._due = []

    def _rouse(self, resting: dict[T, float], now: float) -> None:
        """Those whose rest is over, or through whom something passed."""
        for one in [one for one, until in resting.items() if now >= until or not one.quiet]:
            del resting[one]
            self._awake[one] = None
            self._woken.add(one)


def _phase_of(transport: Turning) -> int:
    return hash(transport.id) % PHASES
