"""How many deliveries go on at the same time, and whose.

A subscriber has some lanes of its own, so one that hangs keeps nobody else waiting. One whose last attempt
failed has a single lane until it answers again, and all of those together have at most half of what there is:
however many hang, half of the lanes is for those that work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_AT_ONCE: Final = 128
MAX_PER_SUBSCRIBER: Final = 8
MAX_FAILING: Final = MAX_AT_ONCE // 2
MAX_REMEMBERED: Final = 10_000
"""Subscribers of which it is remembered that they failed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A delivery that is due, by its `seq`."""

    seq: int
    subscriber: str


class Lanes:
    """Of one process."""

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._failing: dict[str, None] = {}

    @property
    def busy(self) -> int:
        return self._busy.total()

    @property
    def free(self) -> int:
        return MAX_AT_ONCE - self.busy

    def full(self) -> list[str]:
        """Subscribers that may have no further lane now."""
        return [one for one, count in self._busy.items() if count >= self._limit(one)]

    def choose(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Of those in the order of their turn, those that may begin now."""
        busy = self._busy.copy()
        failing = sum(count for one, count in busy.items() if one in self._failing)
        chosen = []
        for one in candidates:
            fails = one.subscriber in self._failing
            if (
                busy.total() >= MAX_AT_ONCE
                or busy[one.subscriber] >= self._limit(one.subscriber)
                or (fails and failing >= MAX_FAILING)
            ):
                continue
            busy[one.subscriber] += 1
            failing += fails
            chosen.append(one)
        return chosen

    def begin(self, subscriber: str) -> None:
        self._busy[subscriber] += 1

    def end(self, subscriber: str, *, succeeded: bool) -> None:
        self._busy[subscriber] -= 1
        if not self._busy[subscriber]:
            del self._busy[subscriber]
        self._failing.pop(subscriber, None)
        if not succeeded:
            self._failing[subscriber] = None
            if len(self._failing) > MAX_REMEMBERED:
                del self._failing[next(iter(self._failing))]

    def _limit(self, subscriber: str) -> int:
        return 1 if subscriber in self._failing else MAX_PER_SUBSCRIBER
