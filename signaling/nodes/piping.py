"""A session's producers away from their node: which are where, brought there on demand.

A producer comes to another node when the first subscriber there wants it, and leaves with the last one. The
node itself sees to it that only the layers somebody there receives are carried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sfu.control import messages as node
from signaling.errors import NotFoundError
from signaling.nodes.media import NodeMedia
from signaling.nodes.pipes import Pipes


class Piping:
    """The caller sees to it that no two calls are about the same publication and node at once."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._carried: dict[tuple[str, str], str] = {}
        """(Publication id, id of the node it was brought to) -> pipe id."""
        self._dropping = asyncio.Lock()

    def take(self, carried: Mapping[tuple[str, str], str]) -> None:
        """What was brought to nodes before they were taken over: (publication id, node id) -> pipe id."""
        self._carried.update(carried)

    def nodes_of(self, publication_id: str) -> list[str]:
        """The nodes that a publication was brought to."""
        return [node_id for known, node_id in self._carried if known == publication_id]

    def brought_to(self, node_id: str) -> list[str]:
        return [publication_id for publication_id, known in self._carried if known == node_id]

    async def bring(self, publication_id: str, origin: NodeMedia, to: NodeMedia) -> None:
        """Make a publication's producer there as well.

        Raises `NotFoundError` when it ended meanwhile, `MediaUnavailableError` when a node does not do it.
        """
        key = (publication_id, to.node_id)
        if key in self._carried:
            return
        producer_id = origin.producer_of(publication_id)
        if producer_id is None:
            raise NotFoundError.of("publication", publication_id)
        pipe_id = await self._pipes.between(origin.link, to.link)
        sending = node.SendProducer(pipe_id=pipe_id, producer_id=producer_id)
        reply = await origin.link.request(sending)
        assert isinstance(reply, node.Piped), "the reply to a producer is what its pipe carries"
        await to.link.request(
            node.ReceiveProducer(pipe_id=pipe_id, router_id=to.router_id, producer=reply.producer)
        )
        if origin.producer_of(publication_id) != producer_id:
            await to.link.end(node.CloseProducer(producer_id=producer_id))
            raise NotFoundError.of("publication", publication_id)
        to.adopt(publication_id, producer_id)
        self._carried[key] = pipe_id

    async def drop(self, publication_id: str, origin: NodeMedia | None, to: NodeMedia | None) -> None:
        """Nobody there wants it any more, or it has ended. `None` for a node that is gone.

        Gone from there when this returns, also where somebody else dropped it at the same time.
        """
        async with self._dropping:
            if to is None:
                return
            pipe_id = self._carried.pop((publication_id, to.node_id), None)
            if pipe_id is None:
                return
            producer_id = None if origin is None else origin.producer_of(publication_id)
            await to.end_publications((publication_id,))
            if origin is not None and producer_id is not None:
                await origin.link.end(node.StopSending(pipe_id=pipe_id, producer_id=producer_id))

    def forget_node(self, node_id: str) -> None:
        """It is lost, and what was brought to it."""
        for key in [key for key in self._carried if key[1] == node_id]:
            del self._carried[key]
