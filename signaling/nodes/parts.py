"""The parts of a session: the nodes that it is on, and which of its peers is on which.

A peer gets its node with its first publish or subscribe. What it publishes stays there; what it receives may
move to another node later (`signaling.nodes.moves`). One who lost the node of either has none until `recover`
gives it another.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from signaling.errors import MediaUnavailableError, NotFoundError, SignalingError
from signaling.nodes.link import NodeLink
from signaling.nodes.media import NodeMedia
from signaling.nodes.pipes import Pipes
from signaling.services.live.ports import ConnectionSample, Direction


class Nodes(Protocol):
    """The supervisor, as a session sees it."""

    @property
    def pipes(self) -> Pipes: ...

    async def link_for(self, present: Mapping[str, int], *, wait: bool, insider: bool) -> NodeLink:
        """The node for one more peer of a session that has so many peers on these nodes.

        Raises `MediaUnavailableError` when none serves, with `wait` only after a while; `OverloadedError`
        when none can take anybody and it is no `insider`: nobody who had a place before.
        """
        ...

    def link_to(self, node_id: str) -> NodeLink:
        """The link of one node. Raises `MediaUnavailableError` when it does not serve."""
        ...


@dataclass(slots=True)
class _Place:
    """Node ids of one peer; `arriving` where it is moving to."""

    publish: str
    subscribe: str
    arriving: str | None = None

    def on(self, node_id: str) -> bool:
        return node_id in (self.publish, self.subscribe, self.arriving)


class Parts:
    """`begin` makes the session's part on a node that it is not on yet."""

    def __init__(self, nodes: Nodes, begin: Callable[[NodeLink], Awaitable[NodeMedia]]) -> None:
        self._nodes = nodes
        self._begin = begin
        self._parts: dict[str, NodeMedia] = {}
        """By node id, in the order of their making."""
        self._places: dict[str, _Place] = {}
        """By peer id."""
        self._lost: set[str] = set()
        """Peers whose node is gone and who have no other one yet."""
        self._placing = asyncio.Lock()
        self._closed = False

    # --- looking ---------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[NodeMedia]:
        return iter(list(self._parts.values()))

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def node_ids(self) -> tuple[str, ...]:
        return tuple(self._parts)

    def peers(self) -> Mapping[str, int]:
        """How many peers receive on which node."""
        counts = Counter(place.subscribe for place in self._places.values())
        return {node_id: counts[node_id] for node_id in self._parts}

    def by_peers(self) -> list[str]:
        """The nodes, that with most peers first; of equals the older one."""
        peers = self.peers()
        return sorted(self._parts, key=lambda node_id: -peers[node_id])

    def on(self, node_id: str) -> NodeMedia | None:
        return self._parts.get(node_id)

    def receiving_on(self, node_id: str) -> list[str]:
        return [peer_id for peer_id, place in self._places.items() if place.subscribe == node_id]

    def publishing_on(self, node_id: str, peer_id: str) -> bool:
        place = self._places.get(peer_id)
        return place is not None and place.publish == node_id

    def of(self, peer_id: str, direction: Direction) -> NodeMedia | None:
        place = self._places.get(peer_id)
        if place is None:
            return None
        return self._parts.get(place.publish if direction == "publish" else place.subscribe)

    def existing(self, peer_id: str, direction: Direction) -> NodeMedia:
        """Raises `MediaUnavailableError` while the peer has no place, `NotFoundError` before it had one."""
        if peer_id in self._lost:
            raise MediaUnavailableError
        part = self.of(peer_id, direction)
        if part is None:
            raise NotFoundError(f"There is no {direction} connection. It begins with {direction!r}.")
        return part

    async def sample(self) -> list[ConnectionSample]:
        found: list[ConnectionSample] = []
        for part in self:
            with suppress(SignalingError):  # a node that is lost, which is told otherwise
                found += await part.sample()
        return found

    # --- placing ---------------------------------------------------------------------------------------

    async def get(self, peer_id: str, direction: Direction) -> NodeMedia:
        """The peer's part; its first request finds it a place."""
        if peer_id in self._lost:
            raise MediaUnavailableError
        part = self.of(peer_id, direction)
        if part is None:
            # Not waiting: the session has other things to do meanwhile.
            part = await self.place(wait=False, insider=False)
            self._places[peer_id] = _Place(part.node_id, part.node_id)
        return part

    async def place(self, *, wait: bool, insider: bool) -> NodeMedia:
        """A part for one more peer, on a node that the session is on already or on another."""
        link = await self._nodes.link_for(self.peers(), wait=wait, insider=insider)
        return await self._at(link)

    async def recover(self, peer_ids: Iterable[str]) -> None:
        """Gives nodes to those of the peers who lost theirs. Raises `MediaUnavailableError`."""
        for peer_id in peer_ids:
            if peer_id in self._lost:
                part = await self.place(wait=True, insider=True)
                if peer_id in self._lost:  # it may have left meanwhile
                    self._places[peer_id] = _Place(part.node_id, part.node_id)
                    self._lost.discard(peer_id)

    async def _at(self, link: NodeLink) -> NodeMedia:
        async with self._placing:
            if self._closed or link.lost:
                raise MediaUnavailableError
            part = self._parts.get(link.node_id)
            if part is None:
                part = self._parts[link.node_id] = await self._begin(link)
            return part

    # --- moving ----------------------------------------------------------------------------------------

    async def arrive(self, peer_id: str, node_id: str) -> NodeMedia:
        """The part that the peer is to move to, kept until `moved` or `stay`.

        Raises `MediaUnavailableError`, `NotFoundError` for a peer without a place.
        """
        place = self._places.get(peer_id)
        if place is None:
            raise NotFoundError.of("peer", peer_id)
        place.arriving = node_id
        try:
            return await self._at(self._nodes.link_to(node_id))
        except BaseException:
            place.arriving = None
            raise

    def moved(self, peer_id: str) -> None:
        """It receives where it was to arrive."""
        place = self._places[peer_id]
        assert place.arriving is not None, "it was moving"
        place.subscribe, place.arriving = place.arriving, None

    def stay(self, peer_id: str) -> None:
        """It receives where it did."""
        place = self._places.get(peer_id)
        if place is not None:
            place.arriving = None

    def take(self, parts: Iterable[NodeMedia], places: Mapping[str, tuple[str, str]]) -> None:
        """Those that there are already, and where each peer sends and receives."""
        self._parts.update((part.node_id, part) for part in parts)
        self._places.update((peer_id, _Place(*nodes)) for peer_id, nodes in places.items())

    # --- ending ----------------------------------------------------------------------------------------

    def lose(self, node_id: str) -> dict[str, list[NodeMedia]]:
        """A node is gone: the peers that sent or received there, and the other parts that they are on."""
        self._parts.pop(node_id, None)
        hit: dict[str, list[NodeMedia]] = {}
        for peer_id, place in list(self._places.items()):
            if node_id in (place.publish, place.subscribe):
                del self._places[peer_id]
                hit[peer_id] = [part for other, part in self._parts.items() if place.on(other)]
        self._lost.update(hit)
        return hit

    def leave(self, peer_id: str) -> None:
        """The peer is out."""
        self._lost.discard(peer_id)
        self._places.pop(peer_id, None)

    async def take_empty(self) -> NodeMedia | None:
        """A part that has no peers any more and is not the last one. It is to end: it is not here now."""
        async with self._placing:
            for node_id in self._parts:
                if len(self._parts) > 1 and not any(place.on(node_id) for place in self._places.values()):
                    return self._parts.pop(node_id)
            return None

    async def close(self) -> None:
        """With their transports, producers and consumers."""
        self._closed = True
        parts, self._parts = self._parts, {}
        await asyncio.gather(*(part.close() for part in parts.values()))
