"""The life of one peer as the protocol sees it: which request is legal now.

               join                      socket lost
    CONNECTING ----> JOINED -----------------------> DETACHED
        |            ^ | ^                            |    |
        | join       | | +------------- resume -------+    | grace over,
        | (waiting   | |                                   | ended, kicked
        |  room)     | | left, kicked, ended               |
        v            | v                                   v
      WAITING -------+ LEFT <------------------------------+
          admitted     ^
          |            |
          +------------+
            denied, left

A peer that waits has given up its place once its socket is lost: it leaves, nothing is resumed.

The machine does no IO and knows no time. Its owner tells it what happened (`handle_*`) and asks it whether a
request may be served (`check`). A new socket starts as CONNECTING; a resume hands it the machine of the peer
that it takes over.
"""

from __future__ import annotations

from enum import StrEnum

from signaling.errors import AlreadyJoinedError, NotJoinedError, StateError


class PeerState(StrEnum):
    CONNECTING = "CONNECTING"
    WAITING = "WAITING"
    JOINED = "JOINED"
    DETACHED = "DETACHED"
    LEFT = "LEFT"


class PeerMove(StrEnum):
    JOIN = "join"
    WAIT = "wait"
    ADMIT = "admit"
    DETACH = "detach"
    RESUME = "resume"
    LEAVE = "leave"


TRANSITIONS: dict[tuple[PeerState, PeerMove], PeerState] = {
    (PeerState.CONNECTING, PeerMove.JOIN): PeerState.JOINED,
    (PeerState.CONNECTING, PeerMove.WAIT): PeerState.WAITING,
    (PeerState.CONNECTING, PeerMove.LEAVE): PeerState.LEFT,
    (PeerState.WAITING, PeerMove.ADMIT): PeerState.JOINED,
    (PeerState.WAITING, PeerMove.LEAVE): PeerState.LEFT,
    (PeerState.JOINED, PeerMove.DETACH): PeerState.DETACHED,
    (PeerState.JOINED, PeerMove.LEAVE): PeerState.LEFT,
    (PeerState.DETACHED, PeerMove.RESUME): PeerState.JOINED,
    (PeerState.DETACHED, PeerMove.LEAVE): PeerState.LEFT,
}

_ENTRY = frozenset({"join", "resume"})
_ALWAYS = frozenset({"ping"})
_WAITING = frozenset({"leave", "update_token"})
"""A token that is over while its peer waits would end the waiting."""


class PeerProtocol:
    """One peer's state. Illegal moves raise `StateError`."""

    def __init__(self) -> None:
        self._state = PeerState.CONNECTING

    @property
    def state(self) -> PeerState:
        return self._state

    def check(self, request_type: str) -> None:
        """Whether a request of this type may be served now.

        Raises `NotJoinedError` before the join and after the end, `AlreadyJoinedError` for a second join,
        `StateError` for what has to wait until the peer is admitted or resumed.
        """
        if request_type in _ENTRY:
            if self._state is not PeerState.CONNECTING:
                raise AlreadyJoinedError
            return
        if self._state in (PeerState.CONNECTING, PeerState.LEFT):
            if request_type in _ALWAYS and self._state is PeerState.CONNECTING:
                return
            raise NotJoinedError("join first: the first request of a socket is join or resume")
        if self._state is PeerState.JOINED or request_type in _ALWAYS:
            return
        if self._state is PeerState.WAITING and request_type in _WAITING:
            return
        raise StateError(f"{request_type} is not possible while the peer is {self._state}")

    def handle(self, move: PeerMove) -> None:
        """Something happened to the peer. Raises `StateError` where it cannot have."""
        after = TRANSITIONS.get((self._state, move))
        if after is None:
            raise StateError(f"a peer that is {self._state} cannot {move}")
        self._state = after
