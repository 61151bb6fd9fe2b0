"""The parts of a session: the nodes that it is on, and which of its peers is on which.

A peer gets its node with its first publish or subscribe, and keeps it. One whose node is lost has none until
`recover` gives it another.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Protocol

from signaling.errors import MediaUnavailableError, NotFoundError
from signaling.nodes.link import NodeLink
from signaling.nodes.media import NodeMedia
from signaling.nodes.pipes import Pipes
from signaling.services.live.ports import Direction


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


class Parts:
    """`begin` makes the session's part on a node that it is not on yet."""

    def __init__(self, nodes: Nodes, begin: Callable[[NodeLink], Awaitable[NodeMedia]]) -> None:
        self._nodes = nodes
        self._begin = begin
        self._parts: dict[str, NodeMedia] = {}
        """By node id, in the order of their making."""
        self._node_of: dict[str, str] = {}
        """Peer id -> node id."""
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

    def by_peers(self) -> list[str]:
        """The nodes, that with most peers first; of equals the older one."""
        peers = Counter(self._node_of.values())
        return sorted(self._parts, key=lambda node_id: -peers[node_id])

    def on(self, node_id: str) -> NodeMedia | None:
        return self._parts.get(node_id)

    def node_of(self, peer_id: str) -> str | None:
        return self._node_of.get(peer_id)

    def of(self, peer_id: str) -> NodeMedia | None:
        node_id = self._node_of.get(peer_id)
        return None if node_id is None else self._parts.get(node_id)

    def existing(self, peer_id: str, direction: Direction) -> NodeMedia:
        """Raises `MediaUnavailableError` while the peer has no place, `NotFoundError` before it had one."""
        if peer_id in self._lost:
            raise MediaUnavailableError
        part = self.of(peer_id)
        if part is None:
            raise NotFoundError(f"There is no {direction} connection. It begins with {direction!r}.")
        return part

    # --- placing ---------------------------------------------------------------------------------------

    async def get(self, peer_id: str) -> NodeMedia:
        """The peer's part; its first request finds it a place."""
        if peer_id in self._lost:
            raise MediaUnavailableError
        part = self.of(peer_id)
        if part is None:
            # Not waiting: the session has other things to do meanwhile.
            part = await self.place(wait=False, insider=False)
            self._node_of[peer_id] = part.node_id
        return part

    async def place(self, *, wait: bool, insider: bool) -> NodeMedia:
        """A part for one more peer, on a node that the session is on already or on another."""
        counts = Counter(self._node_of.values())
        present = {node_id: counts[node_id] for node_id in self._parts}
        link = await self._nodes.link_for(present, wait=wait, insider=insider)
        async with self._placing:
            if self._closed or link.lost:
                raise MediaUnavailableError
            part = self._parts.get(link.node_id)
            if part is None:
                part = self._parts[link.node_id] = await self._begin(link)
            return part

    async def recover(self, peer_ids: Iterable[str]) -> None:
        """Gives nodes to those of the peers who lost theirs. Raises `MediaUnavailableError`."""
        for peer_id in peer_ids:
            if peer_id in self._lost:
                part = await self.place(wait=True, insider=True)
                if peer_id in self._lost:  # it may have left meanwhile
                    self._node_of[peer_id] = part.node_id
                    self._lost.discard(peer_id)

    # --- ending ----------------------------------------------------------------------------------------

    def lose(self, node_id: str) -> tuple[str, ...]:
        """A node is gone: the peers that were on it."""
        self._parts.pop(node_id, None)
        peers = tuple(peer_id for peer_id, on in self._node_of.items() if on == node_id)
        for peer_id in peers:
            del self._node_of[peer_id]
        self._lost.update(peers)
        return peers

    async def leave(self, peer_id: str) -> NodeMedia | None:
        """The peer is out. The part that has no peers any more, unless it is the last one: it is to end."""
        self._lost.discard(peer_id)
        node_id = self._node_of.pop(peer_id, None)
        if node_id is None:
            return None
        async with self._placing:
            if len(self._parts) <= 1 or node_id in self._node_of.values():
                return None
            return self._parts.pop(node_id, None)

    async def close(self) -> None:
        """With their transports, producers and consumers."""
        self._closed = True
        parts, self._parts = self._parts, {}
        await asyncio.gather(*(part.close() for part in parts.values()))
