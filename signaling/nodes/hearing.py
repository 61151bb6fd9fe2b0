"""What the nodes of a session tell, as if they were one. Pure.

Each node speaks for itself: of the voices that it hears, of what it does not send, of the connections that it
has. The session above hears of its speakers, of what its peers receive, and of the connections that count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from signaling.nodes.pauses import Pauses
from signaling.nodes.speakers import Speaking
from signaling.services.live import ports


class Moving(Protocol):
    """`signaling.nodes.moves.Moves`, of which nothing is changed here."""

    def to(self, node_id: str, peer_id: str) -> int | None: ...
    def last_of(self, peer_id: str) -> int | None: ...


class Hearing:
    """`nodes`: the ids of those that the session is on, the main one first."""

    def __init__(self, nodes: Callable[[], Sequence[str]], moves: Moving) -> None:
        self._nodes = nodes
        self._moves = moves
        self._speaking = Speaking()
        self._pauses = Pauses()

    def hear(self, node_id: str, event: ports.MediaEvent) -> ports.MediaEvent | None:
        """What that means for the session; None where it is nothing that the session knows of."""
        match event:
            case ports.SpeakersChanged():
                return self._speaking.changed(node_id, event, self._nodes())
            case ports.SubscriptionPaused(peer_id, publication_id):
                self._pauses.paused(node_id, peer_id, publication_id)
            case ports.SubscriptionResumed(peer_id, publication_id):
                self._pauses.resumed(node_id, peer_id, publication_id)
            case ports.SubscriptionClosed(peer_id, publication_id):
                self._pauses.resumed(node_id, peer_id, publication_id)
            case ports.OfferMade(peer_id=peer_id):
                move = self._moves.to(node_id, peer_id)
                if move is not None:
                    return replace(event, move=move)
                return replace(event, moved=self._moves.last_of(peer_id))
            case ports.TransportStateChanged(peer_id, "subscribe"):
                if self._moves.to(node_id, peer_id) is not None:
                    return None
            case _:
                pass
        return event

    def moved(self, peer_id: str, left: str) -> list[ports.SubscriptionResumed]:
        """What the peer receives again since it left that node."""
        return [ports.SubscriptionResumed(peer_id, one) for one in self._pauses.moved(peer_id, left)]

    def forget_peer(self, peer_id: str) -> None:
        """It receives nothing any more."""
        self._pauses.forget_peer(peer_id)

    def forget_voices(self, node_id: str) -> None:
        """The session leaves the node. What it paused is kept: peers that have just moved are yet to hear of
        it."""
        self._speaking.forget_node(node_id)

    def forget_node(self, node_id: str) -> None:
        """It is lost."""
        self._speaking.forget_node(node_id)
        self._pauses.forget_node(node_id)
