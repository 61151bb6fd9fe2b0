"""A session's publications, and the nodes that each of them reaches: its own, and those it is brought to.

What is brought to a node and who subscribes to it there change together, under `changing`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from signaling.domain.publication import Publication, Subscription
from signaling.errors import NotFoundError, SignalingError
from signaling.nodes.media import NodeMedia
from signaling.nodes.parts import Parts
from signaling.nodes.piping import Piping

log = structlog.get_logger(__name__)


class Reach:
    def __init__(self, session_id: str, parts: Parts, piping: Piping) -> None:
        self._session_id = session_id
        self._parts = parts
        self._piping = piping
        self._published: dict[str, Publication] = {}
        self.changing = asyncio.Lock()

    # --- publications ----------------------------------------------------------------------------------

    def add(self, publications: Iterable[Publication]) -> None:
        self._published |= {one.id: one for one in publications}

    def take(self, publications: Iterable[Publication], carried: Mapping[tuple[str, str], str]) -> None:
        """What there is already; `carried`: (publication id, node id) -> pipe id."""
        self.add(publications)
        self._piping.take(carried)

    def forget(self, publication_ids: Iterable[str]) -> None:
        for publication_id in publication_ids:
            self._published.pop(publication_id, None)

    def published_by(self, peer_id: str) -> list[Publication]:
        return [one for one in self._published.values() if one.peer_id == peer_id]

    def origin_of(self, publication_id: str) -> NodeMedia | None:
        publication = self._published.get(publication_id)
        return None if publication is None else self._parts.of(publication.peer_id, "publish")

    def parts_with(self, publication_id: str) -> list[NodeMedia]:
        """Where a publication is: its own node first, then those it was brought to."""
        origin = self.origin_of(publication_id)
        elsewhere = (self._parts.on(node_id) for node_id in self._piping.nodes_of(publication_id))
        return [part for part in (origin, *elsewhere) if part is not None]

    # --- bringing --------------------------------------------------------------------------------------

    async def bring_all(self, subscriptions: Sequence[Subscription], part: NodeMedia) -> dict[str, str]:
        """Those that could not be brought, with an error code."""
        away = [
            one.publication_id
            for one in subscriptions
            if self.origin_of(one.publication_id) not in (None, part)
        ]
        codes = await asyncio.gather(*(self.bring(publication_id, part) for publication_id in away))
        paired = zip(away, codes, strict=True)
        return {publication_id: code for publication_id, code in paired if code is not None}

    async def bring(self, publication_id: str, part: NodeMedia) -> str | None:
        """Have a publication on that node; an error code where that cannot be."""
        origin = self.origin_of(publication_id)
        if origin is None or origin is part:
            return None
        try:
            await self._piping.bring(publication_id, origin, part)
        except NotFoundError:
            return "producer_not_found"
        except SignalingError as error:
            log.warning("session.not_piped", session=self._session_id, error=error.message)
            return "node_unreachable"
        return None

    # --- ending ----------------------------------------------------------------------------------------

    async def end(self, publication_ids: Sequence[str]) -> None:
        """On its own node first: nothing of them is forwarded when this returns."""
        for publication_id in publication_ids:
            origin = self.origin_of(publication_id)
            if origin is not None:
                await origin.end_publications((publication_id,))
        await self.end_elsewhere(publication_ids)
        self.forget(publication_ids)

    async def end_elsewhere(self, publication_ids: Iterable[str]) -> None:
        """What has ended on its own node ends where it was brought to: it has when this returns."""
        for publication_id in publication_ids:
            for part in self._parts:
                await self._piping.drop(publication_id, None, part)

    async def drop_unwanted(self, part: NodeMedia) -> None:
        """What nobody on that node subscribes to any more leaves it."""
        async with self.changing:
            for publication_id in self._piping.brought_to(part.node_id):
                if not part.is_wanted(publication_id):
                    await self._piping.drop(publication_id, self.origin_of(publication_id), part)

    async def leave_node(self, part: NodeMedia) -> None:
        """All that was brought to a node whose part is to end."""
        for publication_id in self._piping.brought_to(part.node_id):
            await self._piping.drop(publication_id, self.origin_of(publication_id), part)

    def forget_node(self, node_id: str) -> None:
        """It is lost, and what was brought to it."""
        self._piping.forget_node(node_id)
