"""Whose a worker is: the life of its link to signaling, and how long it goes on without one. Pure.

                      link taken by the next signaling process
                   +---------------------------------------------+
                   v                                             |
    STARTING --> LINKED --(link ended, and sessions are here)--> ALONE
       |            |                                              |
       |            | told to end; link ended, and nothing is here | grace over, told to end
       v            v                                              v
       +----------> ENDING <---------------------------------------+

A worker outlives its signaling process only for what it carries, and only for so long: media flows on while
another process starts and takes it over. Whoever ends it in order says so first, and then it does not wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from sfu.errors import IllegalMoveError


class CustodyState(Enum):
    STARTING = "starting"
    LINKED = "linked"
    ALONE = "alone"
    ENDING = "ending"


_S = CustodyState
TRANSITIONS: Final[Mapping[CustodyState, frozenset[CustodyState]]] = MappingProxyType(
    {
        _S.STARTING: frozenset({_S.LINKED, _S.ENDING}),
        _S.LINKED: frozenset({_S.LINKED, _S.ALONE, _S.ENDING}),
        _S.ALONE: frozenset({_S.LINKED, _S.ENDING}),
        _S.ENDING: frozenset({_S.ENDING}),
    }
)


class Custody:
    """`grace` in seconds; 0 for a worker that ends with its link. `now` is on the monotonic clock."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._state = CustodyState.STARTING
        self._until: float | None = None

    @property
    def state(self) -> CustodyState:
        return self._state

    @property
    def until(self) -> float | None:
        """When a worker that is alone ends; None while it is not."""
        return self._until

    def handle_linked(self) -> None:
        """A signaling process has the node. Raises `IllegalMoveError` once it is ending."""
        self._move_to(CustodyState.LINKED)
        self._until = None

    def handle_link_ended(self, now: float, *, sessions: int) -> None:
        """Signaling is gone without a word."""
        if self._state is CustodyState.ENDING:
            return
        if sessions and self._grace > 0 and self._state is CustodyState.LINKED:
            self._move_to(CustodyState.ALONE)
            self._until = now + self._grace
        else:
            self.end()

    def handle_time(self, now: float) -> None:
        if self._until is not None and now >= self._until:
            self.end()

    def end(self) -> None:
        """It was told to. Idempotent."""
        self._move_to(CustodyState.ENDING)
        self._until = None

    def _move_to(self, state: CustodyState) -> None:
        if state not in TRANSITIONS[self._state]:
            raise IllegalMoveError(f"a worker that is {self._state.value} cannot become {state.value}")
        self._state = state
