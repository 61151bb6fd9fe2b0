"""Placement: which node a session goes to, and which node of a session a peer goes to. Pure.

A node's load is the busy fraction of its core, the way it will be once what was placed since its last report
shows. Reports are two seconds apart, and a burst of joins is to spread out instead of falling onto one node.
What a newcomer costs is taken from the node itself: what its packets and its people cost at present. Packets
count apart from the core's time, at what this node was measured to need for each; so does lateness, which
tells of a core that others use as well. It weighs with what the node has to do: late timers of an idle
process say nothing.

A session begins on the least loaded node and stays there while that node has room, because a session on one
node costs no pipes. Once every node that it is on is busier than `spread_above`, new peers go to another one,
if that is less busy by a margin. A node that is full gets nobody while another one is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

CPU_PER_NEW_SESSION: Final = 0.05
"""What a session is assumed to cost until a report shows what it does."""
CPU_PER_NEW_PEER: Final = 0.01
CPU_PER_ADMITTED: Final = 0.003
"""What somebody who came in is assumed to cost until a report shows it: most only watch."""
CPU_PER_PEER_AT_MOST: Final = 0.05
MEASURED_FROM: Final = 10
"""Peers on a node from which on their mean cost says something of the next one."""
CPU_PER_PACKET: Final = 12e-6
"""Of one core, in seconds, until a node has sent enough to be measured."""
PACKETS_MEASURED_FROM: Final = 1_000.0
"""Per second."""
LEAST_MARGIN: Final = 0.1
"""How much less busy another node has to be for a session to spread to it: a pipe has its price, and loads
that differ by less are the same load."""
DEFAULT_SPREAD_ABOVE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a node may carry before it takes nobody new: busy fraction of a core, packets sent per second.

    `cpu` 1 is no limit: only the packets count. `lag` is the mean lateness of its timers, in seconds, at
    which what it has to do counts twice.
    """

    cpu: float = 0.85
    packets_per_second: float = 250_000.0
    lag: float = 0.05


DEFAULT_CAPACITY: Final = Capacity()


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
    lag: float = 0.0
    """Seconds."""
    pressure: int = 0
    """The level of what the node gives up already (`sfu.pressure`), 0 for nothing."""
    capacity: Capacity = DEFAULT_CAPACITY

    @property
    def peers(self) -> float:
        """A peer has two transports, mostly."""
        return self.transports / 2

    @property
    def cpu_per_packet(self) -> float:
        if self.packets_per_second < PACKETS_MEASURED_FROM:
            return CPU_PER_PACKET
        return self.cpu / self.packets_per_second

    @property
    def cpu_per_peer(self) -> float:
        """What one more is expected to cost."""
        if self.peers < MEASURED_FROM:
            return CPU_PER_NEW_PEER
        return min(max(self.cpu / self.peers, CPU_PER_ADMITTED), CPU_PER_PEER_AT_MOST)

    @property
    def packets_per_peer(self) -> float:
        """Per second, what one more is expected to be sent; 0 while there is nothing to tell it by."""
        return self.packets_per_second / self.peers if self.peers >= MEASURED_FROM else 0.0

    @property
    def load_per_peer(self) -> float:
        """What one more is expected to add to the load, by whatever there is least of."""
        return max(self.cpu_per_peer, self._by_packets(self.packets_per_peer))

    @property
    def packet_capacity(self) -> float:
        """Packets per second that this node can send: what its core suffices for, and what it may."""
        limit = self.capacity
        by_core = limit.cpu / self.cpu_per_packet if self.cpu_per_packet > 0 else limit.packets_per_second
        return min(by_core, limit.packets_per_second)

    @property
    def expected_cpu(self) -> float:
        return self.cpu + self.placed_since * CPU_PER_NEW_SESSION + self.peers_since * self.cpu_per_peer

    @property
    def expected_packets(self) -> float:
        return self.packets_per_second + self.peers_since * self.packets_per_peer

    @property
    def reported_load(self) -> float:
        """Without what was placed since the last report, and however late its timers came: whether somebody
        comes in at all is no matter of a moment."""
        return max(self.cpu, self._by_packets(self.packets_per_second))

    @property
    def load(self) -> float:
        """Busy fraction of the core, by whatever there is least of; `capacity.cpu` is full."""
        late = min(max(self.lag, 0.0) / self.capacity.lag, 1.0)
        return max(self.expected_cpu, self._by_packets(self.expected_packets)) * (1.0 + late)

    @property
    def full(self) -> bool:
        """It can take nobody new: it has no room, or gives things up already."""
        return (
            not self.serving or self.pressure > 0 or (self.load >= self.capacity.cpu and not self.boundless)
        )

    @property
    def boundless(self) -> bool:
        """Whether its core is no reason to take nobody new."""
        limit = self.capacity
        return limit.cpu >= 1 and self.packets_per_second < limit.packets_per_second

    @property
    def left(self) -> float:
        """Of its core, as far as reports tell."""
        return inf if self.boundless else max(0.0, self.capacity.cpu - self.reported_load)

    def _by_packets(self, packets: float) -> float:
        most = self.packet_capacity
        return self.capacity.cpu * packets / most if most > 0 else 0.0


def has_room(nodes: Iterable[NodeStanding], admitted: int) -> bool:
    """Whether one more can come in, after so many of whom no report tells yet."""
    roomy = [node for node in nodes if node.serving and not node.pressure]
    left = sum(node.left for node in roomy)
    measured = [node.cpu_per_peer for node in roomy if node.peers >= MEASURED_FROM]
    each = sum(measured) / len(measured) if measured else CPU_PER_ADMITTED
    return left > admitted * each


def choose_for_peer(
    nodes: Iterable[NodeStanding],
    present: Mapping[str, int],
    *,
    spread_above: float = DEFAULT_SPREAD_ABOVE,
) -> str | None:
    """The node for one more peer of a session, or for a new session; None when no node serves.

    `present` are the nodes that the session is on, with the number of its peers there; a new one is on none,
    and goes to the least loaded node, of equals to the one with fewest sessions. `spread_above` 0 deals
    the peers of every session out over all nodes, 1 keeps every session on one node. Where all are full, the
    least loaded one has to take it: whether it comes in at all was decided before.
    """
    serving = [node for node in nodes if node.serving]
    roomy = [node for node in serving if not node.full] or serving
    if spread_above <= 0:
        fewest = min((present.get(node.node_id, 0) for node in roomy), default=0)
        best = _least_loaded([node for node in roomy if present.get(node.node_id, 0) == fewest])
        return None if best is None else best.node_id
    if spread_above >= 1 and any(node.node_id in present for node in serving):
        roomy = [node for node in serving if node.node_id in present]
    home = _least_loaded([node for node in roomy if node.node_id in present])
    if home is not None and (spread_above >= 1 or home.load <= spread_above):
        return home.node_id
    other = _least_loaded([node for node in roomy if node.node_id not in present])
    if home is None or (other is not None and other.load + LEAST_MARGIN <= home.load):
        return None if other is None else other.node_id
    return home.node_id


def _least_loaded(nodes: list[NodeStanding]) -> NodeStanding | None:
    return min(
        nodes,
        key=lambda node: (
            node.load,
            node.routers + node.placed_since,
            node.transports + 2 * node.peers_since,
            node.node_id,
        ),
        default=None,
    )
