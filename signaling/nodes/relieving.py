"""Has sessions move peers off nodes that stay busy, as `Relief` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from signaling.nodes.placement import NodeStanding
from signaling.nodes.relief import Relief, Transfer
from signaling.nodes.spread import SpreadMedia

log = structlog.get_logger(__name__)


async def relieve(
    relief: Relief, standings: Callable[[], list[NodeStanding]], sessions: Iterable[SpreadMedia]
) -> None:
    """One look."""
    transfer = relief.poll(standings(), asyncio.get_running_loop().time())
    if transfer is not None:
        propose(transfer, sessions)


def propose(transfer: Transfer, sessions: Iterable[SpreadMedia]) -> None:
    """Sessions on both nodes first: they have their pipe. Of others the largest, which needs one for most."""
    source, target, left = transfer.from_node, transfer.to_node, transfer.peers
    log.info("nodes.moving", source=source, target=target, peers=left)
    concerned = [one for one in sessions if source in one.node_ids]
    for session in sorted(concerned, key=lambda one: (target not in one.node_ids, -one.peers[source])):
        moving = min(left, len(session.movable(source)))
        if moving > 0:
            session.propose_moves(source, target, moving)
            left -= moving
