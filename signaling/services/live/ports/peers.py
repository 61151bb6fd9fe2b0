"""The way to peers: events over their sockets, and the STUN and TURN servers that they are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signaling.protocol.closing import CloseCode
from signaling.protocol.messages import AnyEvent, IceServer


@dataclass(frozen=True, slots=True)
class IceServerOffer:
    """`ttl` in seconds, from now; None: they are good for ever."""

    servers: tuple[IceServer, ...]
    ttl: float | None


class IceServers(Protocol):
    def offer(self, participant_id: str, now: datetime) -> IceServerOffer:
        """The STUN and TURN servers for one participant, with credentials of their own."""
        ...


class PeerHub(Protocol):
    """Carries events to peers, numbered, whether a socket is there at the moment or not."""

    def open(self, peer_id: str, after_seq: int = 0, *, waits: bool = False) -> None:
        """Its first event gets the number that follows. `waits`: to be admitted."""
        ...

    def admit(self, peer_id: str) -> None:
        """It has waited, and is in."""
        ...

    def seq(self, peer_id: str) -> int:
        """The number of the peer's latest event."""
        ...

    def missed(self, peer_id: str, last_seq: int) -> int:
        """How many came after that number. Raises `ResumeRefusedError` when they are not all kept."""
        ...

    def send(self, peer_ids: Iterable[str], event: AnyEvent) -> None: ...

    def close(self, peer_id: str, code: CloseCode) -> None:
        """The peer is out: its socket, if there is one, closes once the last event is on it."""
        ...
