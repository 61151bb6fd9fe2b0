"""One session's media on as many nodes as it needs: each peer is on one, and nobody above can tell.

    session  --- part on node 1 (router) --- peers there: their transports, producers, consumers
             \\-- part on node 2 (router) --- ...
                        \\-- pipes: what is published on one and wanted on the other (`Piping`)

A peer gets its node with its first publish or subscribe, and keeps it. When a node is lost, its peers are
told to build their media again and get other nodes; the others lose what those published, and nothing else.

Implements `signaling.services.live.ports.MediaSession`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import structlog

from sfu.control import messages as node
from signaling.domain.publication import Grant, Publication, Subscription, Tile
from signaling.errors import MediaUnavailableError, NotFoundError, SignalingError
from signaling.nodes.link import NodeLink
from signaling.nodes.media import NodeMedia
from signaling.nodes.pipes import Pipes
from signaling.nodes.piping import Piping
from signaling.nodes.speakers import merge
from signaling.services.live import ports

log = structlog.get_logger(__name__)


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


class SpreadMedia:
    """`open` before use."""

    def __init__(
        self,
        session_id: str,
        nodes: Nodes,
        listener: ports.MediaListener,
        *,
        loudest_audio: int | None = None,
    ) -> None:
        self._session_id = session_id
        self._nodes = nodes
        self._listener = listener
        self._loudest_audio = loudest_audio
        self._parts: dict[str, NodeMedia] = {}
        """By node id, in the order of their making."""
        self._node_of: dict[str, str] = {}
        """Peer id -> node id."""
        self._lost: set[str] = set()
        """Peers whose node is gone and who have no other one yet."""
        self._published: dict[str, Publication] = {}
        self._speaking: dict[str, ports.SpeakersChanged] = {}
        self._piping = Piping(nodes.pipes)
        self._placing = asyncio.Lock()
        self._subscribing = asyncio.Lock()
        """What is brought to a node and who subscribes to it there change together."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> None:
        """Make the first part. Raises `MediaUnavailableError`."""
        await self._place(wait=True, insider=True)

    @property
    def node_id(self) -> str:
        """The main node: the one that has most peers."""
        return self._by_peers()[0] if self._parts else ""

    @property
    def node_ids(self) -> tuple[str, ...]:
        return tuple(self._parts)

    # --- publishing ------------------------------------------------------------------------------------

    async def handle_offer(
        self,
        peer_id: str,
        sdp: str,
        grants: Sequence[Grant],
        kept: Sequence[Publication],
        new: Sequence[Publication],
    ) -> ports.Answer:
        part = await self._part_for(peer_id)
        self._published |= {one.id: one for one in new}
        try:
            answer = await part.handle_offer(peer_id, sdp, grants, kept, new)
        except BaseException:
            for one in new:
                self._published.pop(one.id, None)
            raise
        return answer

    async def set_grants(self, peer_id: str, grants: Sequence[Grant]) -> None:
        part = self._part_of(peer_id)
        if part is None:
            return
        granted = {(grant.source, grant.kind) for grant in grants}
        outside = [one.id for one in self._published_by(peer_id) if (one.source, one.kind) not in granted]
        await part.set_grants(peer_id, grants)
        await self._end_elsewhere(outside)

    async def end_publications(self, publication_ids: Iterable[str]) -> None:
        ids = list(publication_ids)
        for publication_id in ids:
            origin = self._origin_of(publication_id)
            if origin is not None:
                await origin.end_publications((publication_id,))
        await self._end_elsewhere(ids)
        for publication_id in ids:
            self._published.pop(publication_id, None)

    async def mute(self, publication_id: str) -> None:
        for part in self._parts_with(publication_id):
            await part.mute(publication_id)

    async def unmute(self, publication_id: str) -> None:
        for part in self._parts_with(publication_id):
            await part.unmute(publication_id)

    # --- subscribing -----------------------------------------------------------------------------------

    async def subscribe(self, peer_id: str, subscriptions: Sequence[Subscription]) -> Mapping[str, str]:
        part = await self._part_for(peer_id)
        async with self._subscribing:
            failed = await self._bring_all(subscriptions, part)
            wanted = [one for one in subscriptions if one.publication_id not in failed]
            return {**failed, **(await part.subscribe(peer_id, wanted))}

    async def view(
        self, peer_id: str, sdp: str, subscriptions: Mapping[str, Subscription]
    ) -> ports.ViewAnswer:
        part = await self._part_for(peer_id)
        async with self._subscribing:
            failed = await self._bring_all(list(subscriptions.values()), part)
            answer = await part.view(peer_id, sdp, subscriptions)
            return ports.ViewAnswer(answer.sdp, {**answer.failed, **failed})

    async def feed(self, mid: str, subscription: Subscription) -> str | None:
        part = self._existing(subscription.peer_id, "subscribe")
        async with self._subscribing:
            failed = await self._bring(subscription.publication_id, part)
            return await part.feed(mid, subscription) if failed is None else failed

    async def unsubscribe(self, peer_id: str, publication_ids: Iterable[str]) -> None:
        part = self._part_of(peer_id)
        if part is not None:
            await part.unsubscribe(peer_id, publication_ids)
            await self._drop_unwanted(part)

    async def change_subscription(self, before: Subscription, after: Subscription) -> None:
        await self._existing(after.peer_id, "subscribe").change_subscription(before, after)

    async def set_tiles(self, peer_id: str, tiles: Mapping[str, Tile]) -> None:
        part = self._part_of(peer_id)
        if part is not None:
            await part.set_tiles(peer_id, tiles)

    async def stats(self, peer_id: str) -> ports.PeerStats:
        part = self._part_of(peer_id)
        return ports.PeerStats() if part is None else await part.stats(peer_id)

    # --- connections -----------------------------------------------------------------------------------

    async def handle_answer(self, peer_id: str, version: int, sdp: str) -> None:
        await self._existing(peer_id, "subscribe").handle_answer(peer_id, version, sdp)

    async def handle_candidate(self, peer_id: str, direction: ports.Direction, candidate: str | None) -> None:
        await self._existing(peer_id, direction).handle_candidate(peer_id, direction, candidate)

    async def restart_ice(self, peer_id: str) -> None:
        await self._existing(peer_id, "subscribe").restart_ice(peer_id)

    async def handle_ice_restart(
        self, peer_id: str, direction: ports.Direction, ufrag: str, pwd: str
    ) -> ports.IceAnswer:
        part = self._existing(peer_id, direction)
        return await part.handle_ice_restart(peer_id, direction, ufrag, pwd)

    # --- closing ---------------------------------------------------------------------------------------

    async def close_peer(self, peer_id: str) -> None:
        """The publish side first: nothing of the peer is forwarded anywhere once this returns."""
        await self.close_transport(peer_id, "publish")
        await self.close_transport(peer_id, "subscribe")
        self._lost.discard(peer_id)
        node_id = self._node_of.pop(peer_id, None)
        if node_id is not None:
            await self._close_empty(node_id)

    async def close_transport(self, peer_id: str, direction: ports.Direction) -> None:
        part = self._part_of(peer_id)
        if part is None:
            return
        own = [one.id for one in self._published_by(peer_id)]
        await part.close_transport(peer_id, direction)
        if direction == "publish":
            await self._end_elsewhere(own)
            for publication_id in own:
                self._published.pop(publication_id, None)
        else:
            await self._drop_unwanted(part)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        parts, self._parts = self._parts, {}
        await asyncio.gather(*(part.close() for part in parts.values()))

    # --- losing a node ---------------------------------------------------------------------------------

    async def recover(self, peer_ids: Iterable[str]) -> None:
        """Gives nodes to those of the peers who lost theirs. Raises `MediaUnavailableError`."""
        for peer_id in peer_ids:
            if peer_id in self._lost:
                part = await self._place(wait=True, insider=True)
                if peer_id in self._lost:  # it may have left meanwhile
                    self._node_of[peer_id] = part.node_id
                    self._lost.discard(peer_id)

    def _lose(self, node_id: str) -> None:
        self._parts.pop(node_id, None)
        self._speaking.pop(node_id, None)
        peers = tuple(peer_id for peer_id, on in self._node_of.items() if on == node_id)
        for peer_id in peers:
            del self._node_of[peer_id]
            gone = [one.id for one in self._published_by(peer_id)]
            for publication_id in gone:
                del self._published[publication_id]
            self._later(self._end_elsewhere(gone))
        self._lost.update(peers)
        self._piping.forget_node(node_id)
        self._later(self._spread_data())
        log.warning("session.lost_node", session=self._session_id, node=node_id, peers=len(peers))
        if peers:
            self._listener(ports.NodeLost(peers))

    # --- what the parts tell ---------------------------------------------------------------------------

    def _handle(self, node_id: str, event: ports.MediaEvent) -> None:
        if self._closed:
            return
        match event:
            case ports.NodeLost():
                self._lose(node_id)
                return
            case ports.PublicationClosed(publication_id):
                self._published.pop(publication_id, None)
                self._later(self._end_elsewhere((publication_id,)))
            case ports.SubscriptionClosed():
                part = self._parts.get(node_id)
                if part is not None:
                    self._later(self._drop_unwanted(part))
            case ports.SpeakersChanged():
                self._speaking[node_id] = event
                event = merge([self._speaking[one] for one in self._by_peers() if one in self._speaking])
            case _:
                pass
        self._listener(event)

    # --- data messages ---------------------------------------------------------------------------------

    async def _spread_data(self) -> None:
        """A node tells of data messages for other nodes where the session is on several."""
        for part in list(self._parts.values()):
            await part.spread_data(spread=len(self._parts) > 1)

    def _handle_data(self, node_id: str, message: node.DataForwarded) -> None:
        """A data message of a peer on that node: to the nodes of those it is for."""
        if self._closed:
            return
        on = set(self._parts) if message.to is None else {self._node_of.get(name) for name in message.to}
        for other, part in self._parts.items():
            if other != node_id and other in on:
                self._later(part.deliver_data(message))

    # --- nodes and parts -------------------------------------------------------------------------------

    def _by_peers(self) -> list[str]:
        """The nodes, that with most peers first; of equals the older one."""
        peers = Counter(self._node_of.values())
        return sorted(self._parts, key=lambda node_id: -peers[node_id])

    def _part_of(self, peer_id: str) -> NodeMedia | None:
        node_id = self._node_of.get(peer_id)
        return None if node_id is None else self._parts.get(node_id)

    def _existing(self, peer_id: str, direction: ports.Direction) -> NodeMedia:
        if peer_id in self._lost:
            raise MediaUnavailableError
        part = self._part_of(peer_id)
        if part is None:
            raise NotFoundError(f"There is no {direction} connection. It begins with {direction!r}.")
        return part

    async def _part_for(self, peer_id: str) -> NodeMedia:
        """The peer's part; its first request finds it a place."""
        if peer_id in self._lost:
            raise MediaUnavailableError
        part = self._part_of(peer_id)
        if part is None:
            # Not waiting: the session has other things to do meanwhile.
            part = await self._place(wait=False, insider=False)
            self._node_of[peer_id] = part.node_id
        return part

    async def _place(self, *, wait: bool, insider: bool) -> NodeMedia:
        """A part for one more peer, on a node that the session is on already or on another."""
        counts = Counter(self._node_of.values())
        present = {node_id: counts[node_id] for node_id in self._parts}
        link = await self._nodes.link_for(present, wait=wait, insider=insider)
        async with self._placing:
            if self._closed or link.lost:
                raise MediaUnavailableError
            part = self._parts.get(link.node_id)
            if part is None:
                part = await NodeMedia.create(
                    link, partial(self._handle, link.node_id), loudest_audio=self._loudest_audio
                )
                part.on_data = partial(self._handle_data, link.node_id)
                self._parts[link.node_id] = part
                self._later(self._spread_data())
                log.info("session.placed", session=self._session_id, node=link.node_id)
            return part

    async def _close_empty(self, node_id: str) -> None:
        """A part without peers ends, unless it is the last one."""
        async with self._placing:
            part = self._parts.get(node_id)
            if part is None or len(self._parts) == 1 or node_id in self._node_of.values():
                return
            del self._parts[node_id]
            self._speaking.pop(node_id, None)
        self._later(self._spread_data())
        for publication_id in self._piping.brought_to(node_id):
            await self._piping.drop(publication_id, self._origin_of(publication_id), part)
        await part.close()

    # --- pipes -----------------------------------------------------------------------------------------

    def _published_by(self, peer_id: str) -> list[Publication]:
        return [one for one in self._published.values() if one.peer_id == peer_id]

    def _origin_of(self, publication_id: str) -> NodeMedia | None:
        publication = self._published.get(publication_id)
        return None if publication is None else self._part_of(publication.peer_id)

    def _parts_with(self, publication_id: str) -> list[NodeMedia]:
        """Where a publication is: its own node first, then those it was brought to."""
        origin = self._origin_of(publication_id)
        elsewhere = (self._parts.get(node_id) for node_id in self._piping.nodes_of(publication_id))
        return [part for part in (origin, *elsewhere) if part is not None]

    async def _bring_all(self, subscriptions: Sequence[Subscription], part: NodeMedia) -> dict[str, str]:
        """Those that could not be brought, with an error code."""
        codes = await asyncio.gather(*(self._bring(one.publication_id, part) for one in subscriptions))
        paired = zip(subscriptions, codes, strict=True)
        return {one.publication_id: code for one, code in paired if code is not None}

    async def _bring(self, publication_id: str, part: NodeMedia) -> str | None:
        """Have a publication on that node; an error code where that cannot be."""
        origin = self._origin_of(publication_id)
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

    async def _end_elsewhere(self, publication_ids: Iterable[str]) -> None:
        """What has ended on its own node ends where it was brought to: it has when this returns."""
        for publication_id in publication_ids:
            for part in list(self._parts.values()):
                await self._piping.drop(publication_id, None, part)

    async def _drop_unwanted(self, part: NodeMedia) -> None:
        """What nobody on that node subscribes to any more leaves it."""
        async with self._subscribing:
            for publication_id in self._piping.brought_to(part.node_id):
                if not part.is_wanted(publication_id):
                    await self._piping.drop(publication_id, self._origin_of(publication_id), part)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
