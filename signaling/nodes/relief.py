"""When a busy node gives peers away, how many, and to which node. Pure.

    EASY --load above `above`--> BUSY --for BUSY_FOR--> some of its peers move, then SETTLE_FOR of nothing
      ^---------below `above`------+                    (a new report has to show what that did)

Between the two nodes there has to be a difference, and no more is moved than evens out half of it: what
moved is not moved back. So many peers a minute move at most, whatever happens; each move costs both nodes
something.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from signaling.nodes.placement import NodeStanding

BUSY_FOR: Final = 6.0
"""Seconds, of three reports: a burst of joins is not it."""
SETTLE_FOR: Final = 6.0
MOVES_AT_ONCE: Final = 5
MOVES_PER_MINUTE: Final = 30
LEAST_DIFFERENCE: Final = 0.2
"""Of a core, or a third of `above` where that is less: nodes nearer to each other are left alone."""
DEFAULT_MOVE_ABOVE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Transfer:
    from_node: str
    to_node: str
    peers: int


class Relief:
    """`above`: the busy fraction of a core from which on a node is too busy; from 1 on, none ever is."""

    def __init__(self, above: float = DEFAULT_MOVE_ABOVE) -> None:
        self._above = above
        self._busy_since: dict[str, float] = {}
        self._settled_at = float("-inf")
        self._moves: deque[tuple[float, int]] = deque()
        """When how many were moved, in the last minute."""

    def poll(self, nodes: Iterable[NodeStanding], now: float) -> Transfer | None:
        """What is to move now. It counts as moved."""
        if self._above >= 1:
            return None
        serving = [node for node in nodes if node.serving]
        self._note(serving, now)
        left = self._left(now)
        if now < self._settled_at or not left:
            return None
        busy = [one for one in serving if now - self._busy_since.get(one.node_id, now) >= BUSY_FOR]
        if not busy:
            return None
        source = max(busy, key=lambda node: (node.load, node.node_id))
        target = min(serving, key=lambda node: (node.full, node.load, node.node_id))
        peers = min(self._to_even_out(source, target), MOVES_AT_ONCE, left)
        if peers < 1:
            return None
        self._settled_at = now + SETTLE_FOR
        self._moves.append((now, peers))
        return Transfer(source.node_id, target.node_id, peers)

    def _note(self, serving: list[NodeStanding], now: float) -> None:
        busy = {node.node_id for node in serving if node.load > self._above or node.pressure > 0}
        self._busy_since = {node_id: self._busy_since.get(node_id, now) for node_id in busy}

    def _left(self, now: float) -> int:
        while self._moves and now - self._moves[0][0] >= 60.0:
            self._moves.popleft()
        return MOVES_PER_MINUTE - sum(peers for _, peers in self._moves)

    def _to_even_out(self, source: NodeStanding, target: NodeStanding) -> int:
        difference = source.load - target.load
        least = min(LEAST_DIFFERENCE, self._above / 3)
        if target.full or target.load > self._above or difference < least:
            return 0
        room = min(difference / 2, self._above - target.load)
        return int(room / max(source.load_per_peer, target.load_per_peer))
