"""What the nodes of a session do not send for now. Pure.

A peer that moves receives from two nodes for a moment, and hears of a pause by the node that it left only.
"""

from __future__ import annotations


class Pauses:
    def __init__(self) -> None:
        self._paused: set[tuple[str, str, str]] = set()
        """(Node id, peer id, publication id)."""

    def paused(self, node_id: str, peer_id: str, publication_id: str) -> None:
        self._paused.add((node_id, peer_id, publication_id))

    def resumed(self, node_id: str, peer_id: str, publication_id: str) -> None:
        """Or ended."""
        self._paused.discard((node_id, peer_id, publication_id))

    def moved(self, peer_id: str, left: str) -> set[str]:
        """What a node paused for a peer that left it, and its new node sends: that one does not say so, as it
        never paused it."""
        paused = {one for node_id, peer, one in self._paused if (node_id, peer) == (left, peer_id)}
        still = {one for node_id, peer, one in self._paused if node_id != left and peer == peer_id}
        self._paused -= {(left, peer_id, one) for one in paused}
        return paused - still

    def forget_peer(self, peer_id: str) -> None:
        self._paused = {one for one in self._paused if one[1] != peer_id}

    def forget_node(self, node_id: str) -> None:
        self._paused = {one for one in self._paused if one[0] != node_id}
