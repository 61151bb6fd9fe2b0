"""Placement: which node a session goes to, and which node of a session a peer goes to. Pure.

The loads are what the nodes reported last: the busy fraction of the node's core. Reports are two seconds
apart, so what was placed since the last one is added as an estimate: a burst of joins spreads out instead of
falling onto one node.

A session begins on the least loaded node and stays there while that node has room, because a session on one
node costs no pipes. Once every node that it is on is busier than `spread_above`, new peers go to another one,
if that is less busy by a margin. Who has a place keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

CPU_PER_NEW_SESSION: Final = 0.05
"""What a session is assumed to cost until a report shows what it does."""
CPU_PER_NEW_PEER: Final = 0.01
CPU_PER_ADMITTED: Final = 0.003
"""What somebody who came in is assumed to cost until a report shows it: most only watch."""
LEAST_MARGIN: Final = 0.1
"""How much less busy another node has to be for a session to spread to it: a pipe has its price, and loads
that differ by less are the same load."""
DEFAULT_SPREAD_ABOVE: Final = 0.6


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """`cpu` 0.0 to 1.0 of one core, `routers` and `transports` as of the last report; `placed_since` sessions
    and `peers_since` peers after it."""

    node_id: str
    serving: bool
    cpu: float = 0.0
    routers: int = 0
    transports: int = 0
    placed_since: int = 0
    peers_since: int = 0
    packets_per_second: float = 0.0
    pressure: int = 0
    """The level of what the node gives up already (`sfu.pressure`), 0 for nothing."""

    @property
    def expected_cpu(self) -> float:
        return self.cpu + self.placed_since * CPU_PER_NEW_SESSION + self.peers_since * CPU_PER_NEW_PEER


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a node may carry before it takes nobody new: busy fraction of a core, packets sent per second."""

    cpu: float = 0.85
    packets_per_second: float = 250_000.0


def with_room(nodes: Iterable[NodeStanding], capacity: Capacity) -> list[NodeStanding]:
    """Those that serve and can take a newcomer."""
    return [
        node
        for node in nodes
        if node.serving
        and not node.pressure
        and node.cpu < capacity.cpu
        and node.packets_per_second < capacity.packets_per_second
    ]


def has_room(nodes: Iterable[NodeStanding], capacity: Capacity, admitted: int) -> bool:
    """Whether one more can come in, after so many of whom no report tells yet."""
    room = sum(capacity.cpu - node.cpu for node in with_room(nodes, capacity))
    return room > admitted * CPU_PER_ADMITTED


def choose_for_peer(
    nodes: Iterable[NodeStanding],
    present: Mapping[str, int],
    *,
    spread_above: float = DEFAULT_SPREAD_ABOVE,
) -> str | None:
    """The node for one more peer of a session, or for a new session; None when no node serves.

    `present` are the nodes that the session is on, with the number of its peers there; a new one is on none,
    and goes to the least loaded node, of equals to the one with fewest sessions. `spread_above` 0 deals
    the peers of every session out over all nodes, 1 keeps every session on one node.
    """
    serving = [node for node in nodes if node.serving]
    if spread_above <= 0:
        fewest = min((present.get(node.node_id, 0) for node in serving), default=0)
        best = _least_loaded([node for node in serving if present.get(node.node_id, 0) == fewest])
        return None if best is None else best.node_id
    home = _least_loaded([node for node in serving if node.node_id in present])
    if home is not None and (spread_above >= 1 or home.expected_cpu <= spread_above):
        return home.node_id
    other = _least_loaded([node for node in serving if node.node_id not in present])
    if home is None or (other is not None and other.expected_cpu + LEAST_MARGIN <= home.expected_cpu):
        return None if other is None else other.node_id
    return home.node_id


def _least_loaded(nodes: list[NodeStanding]) -> NodeStanding | None:
    return min(
        nodes,
        key=lambda node: (
            node.expected_cpu,
            node.routers + node.placed_since,
            node.transports + 2 * node.peers_since,
            node.node_id,
        ),
        default=None,
    )
