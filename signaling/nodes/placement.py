"""Placement: which node a session goes to. Pure; the loads are what the nodes reported last.

The least loaded node that serves takes it. Load is the busy fraction of the node's core. Reports are two
seconds apart, so what was placed since the last one is added as an estimate: a burst of new sessions spreads
out instead of falling onto one node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

CPU_PER_NEW_SESSION: Final = 0.05
"""What a session is assumed to cost until a report shows what it does."""


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """`cpu` 0.0 to 1.0 of one core, `routers` as of the last report, `placed_since` sessions after it."""

    node_id: str
    serving: bool
    cpu: float = 0.0
    routers: int = 0
    placed_since: int = 0

    @property
    def expected_cpu(self) -> float:
        return self.cpu + self.placed_since * CPU_PER_NEW_SESSION


def choose(nodes: Iterable[NodeStanding]) -> str | None:
    """The node id to place a session on, None when no node serves. Ties go to fewer sessions, then by id."""
    serving = [node for node in nodes if node.serving]
    if not serving:
        return None
    best = min(serving, key=lambda node: (node.expected_cpu, node.routers + node.placed_since, node.node_id))
    return best.node_id
