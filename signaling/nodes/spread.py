"""One session's media on as many nodes as it needs, and nobody above can tell.

    session  --- part on node 1 (router) --- peers there: their transports, producers, consumers
             \\-- part on node 2 (router) --- ...
                        \\-- pipes: what is published on one and wanted on the other (`Reach`)

A peer sends to one node and receives from one, mostly the same (`Parts`); what it receives can move to
another node (`Moves`). When a node is lost, its peers are told to build their media again and get other
nodes; the others lose what those published, and nothing else.

Implements `signaling.services.live.ports.MediaSession`, which has a method for everything that a session may
ask of its media: so it is longer than most, and each method short.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog

from sfu.control import messages as node
from signaling.domain.publication import Grant, Publication, Subscription, Tile
from signaling.errors import SignalingError
from signaling.nodes.data import DataSpread
from signaling.nodes.errands import Errands
from signaling.nodes.hearing import Hearing
from signaling.nodes.link import NodeLink
from signaling.nodes.media import NodeMedia
from signaling.nodes.moves import Moves
from signaling.nodes.noting import SessionNotes
from signaling.nodes.parts import Nodes, Parts
from signaling.nodes.piping import Piping
from signaling.nodes.reach import Reach
from signaling.services.live import ports

log = structlog.get_logger(__name__)


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
        self._listener = listener
        self._loudest_usually = self._loudest_audio = loudest_audio
        self._parts = Parts(nodes, self._begin)
        self._reach = Reach(session_id, self._parts, Piping(nodes.pipes))
        self._moves = Moves(session_id, self._parts, self._reach, self.note)
        self._notes = SessionNotes(session_id)
        self._hearing = Hearing(self._parts.by_peers, self._moves)
        self._data = DataSpread(self._parts)
        self._errands = Errands()
        self._later = self._errands.run
        self._closed = False

    async def open(self) -> None:
        """Make the first part. Raises `MediaUnavailableError`."""
        await self._parts.place(wait=True, insider=True)

    def take(
        self,
        parts: Iterable[NodeMedia],
        *,
        places: Mapping[str, tuple[str, str]],
        published: Iterable[Publication],
        carried: Mapping[tuple[str, str], str],
        notes: SessionNotes,
    ) -> None:
        """Instead of `open`, what the nodes have already: where peers send and receive, publications that are
        there, and (publication id, node id) -> pipe id of those that were brought to another one."""
        taken = list(parts)
        for part in taken:
            part.on_data = partial(self._relay_data, part.node_id)
        self._parts.take(taken, places)
        self._reach.take(published, carried)
        self._notes = notes
        self._moves.take(notes.texts, places.keys())
        self._later(self._data.spread())

    async def tidy(self) -> None:
        """What was brought to nodes for a move that was not finished, and parts that nobody is on, end."""
        for part in self._parts:
            await self._reach.drop_unwanted(part)
        await self._end_empty()

    def listener_for(self, node_id: str) -> ports.MediaListener:
        """Where the part on that node tells what happens."""
        return partial(self._handle, node_id)

    def note(self, changes: Mapping[str, str | None]) -> None:
        self._notes.change(changes, self._parts)

    @property
    def node_id(self) -> str:
        """The main node: the one that has most peers."""
        return self._parts.by_peers()[0] if self._parts else ""

    @property
    def peers(self) -> Mapping[str, int]:
        """How many peers receive on which node."""
        return self._parts.peers()

    @property
    def node_ids(self) -> tuple[str, ...]:
        return self._parts.node_ids

    async def limit_voices(self, most: int | None) -> None:
        self._loudest_audio = self._loudest_usually if most is None else most or None
        for part in self._parts:
            await part.limit_voices(self._loudest_audio)

    # --- publishing ------------------------------------------------------------------------------------

    async def handle_offer(
        self,
        peer_id: str,
        sdp: str,
        grants: Sequence[Grant],
        kept: Sequence[Publication],
        new: Sequence[Publication],
    ) -> ports.Answer:
        part = await self._parts.get(peer_id, "publish")
        self._reach.add(new)
        try:
            return await part.handle_offer(peer_id, sdp, grants, kept, new)
        except BaseException:
            self._reach.forget(one.id for one in new)
            raise

    async def set_grants(self, peer_id: str, grants: Sequence[Grant]) -> None:
        part = self._parts.of(peer_id, "publish")
        if part is None:
            return
        granted = {(grant.source, grant.kind) for grant in grants}
        own = self._reach.published_by(peer_id)
        outside = [one.id for one in own if (one.source, one.kind) not in granted]
        await part.set_grants(peer_id, grants)
        await self._reach.end_elsewhere(outside)

    async def end_publications(self, publication_ids: Iterable[str]) -> None:
        await self._reach.end(list(publication_ids))

    async def mute(self, publication_id: str) -> None:
        for part in self._reach.parts_with(publication_id):
            await part.mute(publication_id)

    async def unmute(self, publication_id: str) -> None:
        for part in self._reach.parts_with(publication_id):
            await part.unmute(publication_id)

    # --- subscribing -----------------------------------------------------------------------------------

    async def subscribe(self, peer_id: str, subscriptions: Sequence[Subscription]) -> Mapping[str, str]:
        await self._stay(peer_id)
        part = await self._parts.get(peer_id, "subscribe")
        async with self._reach.changing:
            failed = await self._reach.bring_all(subscriptions, part)
            wanted = [one for one in subscriptions if one.publication_id not in failed]
            return {**failed, **(await part.subscribe(peer_id, wanted))}

    async def view(
        self, peer_id: str, sdp: str, subscriptions: Mapping[str, Subscription]
    ) -> ports.ViewAnswer:
        part = await self._parts.get(peer_id, "subscribe")
        async with self._reach.changing:
            failed = await self._reach.bring_all(list(subscriptions.values()), part)
            answer = await part.view(peer_id, sdp, subscriptions)
            return ports.ViewAnswer(answer.sdp, {**answer.failed, **failed})

    async def feed(self, mid: str, subscription: Subscription) -> str | None:
        part = self._parts.existing(subscription.peer_id, "subscribe")
        async with self._reach.changing:
            failed = await self._reach.bring(subscription.publication_id, part)
            return await part.feed(mid, subscription) if failed is None else failed

    async def unsubscribe(self, peer_id: str, publication_ids: Iterable[str]) -> None:
        await self._stay(peer_id)
        part = self._parts.of(peer_id, "subscribe")
        if part is not None:
            await part.unsubscribe(peer_id, publication_ids)
            await self._reach.drop_unwanted(part)

    async def change_subscription(self, before: Subscription, after: Subscription) -> None:
        move = self._moves.of(after.peer_id)
        if move is not None:
            with contextlib.suppress(SignalingError):  # that connection is not needed yet
                await move.to.change_subscription(before, after)
        await self._parts.existing(after.peer_id, "subscribe").change_subscription(before, after)

    async def set_tiles(self, peer_id: str, tiles: Mapping[str, Tile]) -> None:
        move = self._moves.of(peer_id)
        if move is not None:
            with contextlib.suppress(SignalingError):
                await move.to.set_tiles(peer_id, tiles)
        part = self._parts.of(peer_id, "subscribe")
        if part is not None:
            await part.set_tiles(peer_id, tiles)

    async def stats(self, peer_id: str) -> ports.PeerStats:
        parts = [self._parts.of(peer_id, "publish"), self._parts.of(peer_id, "subscribe")]
        found = [await part.stats(peer_id) for part in dict.fromkeys(parts) if part is not None]
        return ports.PeerStats.together(found)

    async def sample(self) -> Sequence[ports.ConnectionSample]:
        return await self._parts.sample()

    def has(self, peer_id: str, direction: ports.Direction) -> bool:
        part = self._parts.of(peer_id, direction)
        return part is not None and part.has(peer_id, direction)

    async def retell(self, peer_id: str) -> None:
        parts = (self._parts.of(peer_id, "publish"), self._parts.of(peer_id, "subscribe"))
        for part in dict.fromkeys(parts):
            if part is not None:
                await part.retell(peer_id)

    # --- connections -----------------------------------------------------------------------------------

    async def handle_answer(self, peer_id: str, version: int, sdp: str, *, move: int | None = None) -> None:
        existing = self._parts.existing(peer_id, "subscribe")
        part = existing if move is None else self._moves.number(peer_id, move).to
        await part.handle_answer(peer_id, version, sdp)

    async def handle_candidate(self, peer_id: str, direction: ports.Direction, candidate: str | None) -> None:
        await self._parts.existing(peer_id, direction).handle_candidate(peer_id, direction, candidate)

    async def restart_ice(self, peer_id: str) -> None:
        await self._parts.existing(peer_id, "subscribe").restart_ice(peer_id)

    async def handle_ice_restart(
        self, peer_id: str, direction: ports.Direction, ufrag: str, pwd: str
    ) -> ports.IceAnswer:
        part = self._parts.existing(peer_id, direction)
        return await part.handle_ice_restart(peer_id, direction, ufrag, pwd)

    # --- moving ----------------------------------------------------------------------------------------

    def propose_moves(self, from_node: str, to_node: str, peers: int) -> None:
        """Have up to so many peers move what they receive from one node to another, if they can."""
        if not self._closed:
            self._listener(ports.MovesProposed(from_node, to_node, peers))

    def movable(self, node_id: str) -> list[str]:
        """Peers that receive on that node and may move."""
        return [one for one in self._parts.receiving_on(node_id) if self._moves.may_move(one)]

    async def begin_move(
        self, peer_id: str, node_id: str, subscriptions: Sequence[Subscription], tiles: Mapping[str, Tile]
    ) -> bool:
        moving = await self._moves.begin(peer_id, node_id, subscriptions, tiles)
        if moving:
            self._later(self._expire_move(peer_id))
        else:
            await self._end_empty()
        return moving

    async def finish_move(self, peer_id: str, move: int) -> None:
        left = await self._moves.finish(peer_id, move)
        if left is not None:
            for resumed in self._hearing.moved(peer_id, left.node_id):
                self._listener(resumed)
            await self._end_empty()

    async def _expire_move(self, peer_id: str) -> None:
        if await self._moves.expire(peer_id):
            await self._end_empty()

    async def _stay(self, peer_id: str) -> None:
        """What it receives is to change: a move would miss that."""
        if await self._moves.call_off(peer_id):
            await self._end_empty()

    # --- closing ---------------------------------------------------------------------------------------

    async def close_peer(self, peer_id: str) -> None:
        """The publish side first: nothing of the peer is forwarded anywhere once this returns."""
        await self.close_transport(peer_id, "publish")
        await self.close_transport(peer_id, "subscribe")
        self._moves.forget(peer_id)
        self._parts.leave(peer_id)
        await self._end_empty()

    async def close_transport(self, peer_id: str, direction: ports.Direction) -> None:
        if direction == "subscribe":
            await self._stay(peer_id)
        part = self._parts.of(peer_id, direction)
        if part is None:
            return
        if direction == "subscribe":
            self._hearing.forget_peer(peer_id)
        own = [one.id for one in self._reach.published_by(peer_id)]
        await part.close_transport(peer_id, direction)
        if direction == "publish":
            await self._reach.end_elsewhere(own)
            self._reach.forget(own)
        else:
            await self._reach.drop_unwanted(part)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._errands.cancel()
        await self._parts.close()

    # --- losing a node ---------------------------------------------------------------------------------

    async def recover(self, peer_ids: Iterable[str]) -> None:
        """Gives nodes to those of the peers who lost theirs. Raises `MediaUnavailableError`."""
        await self._parts.recover(peer_ids)

    def _lose(self, node_id: str) -> None:
        self._hearing.forget_node(node_id)
        self._moves.lose(node_id)
        hit = self._parts.lose(node_id)
        for peer_id, left in hit.items():
            self._moves.forget(peer_id)
            gone = [one.id for one in self._reach.published_by(peer_id)]
            self._reach.forget(gone)
            self._later(self._reach.end_elsewhere(gone))
            self._later(*(part.close_peer(peer_id) for part in left))
        self._reach.forget_node(node_id)
        self._later(self._data.spread())
        log.warning("session.lost_node", session=self._session_id, node=node_id, peers=len(hit))
        if hit:
            self._listener(ports.NodeLost(tuple(hit)))

    # --- what the parts tell ---------------------------------------------------------------------------

    def _handle(self, node_id: str, event: ports.MediaEvent) -> None:
        if self._closed:
            return
        match event:
            case ports.NodeLost():
                self._lose(node_id)
                return
            case ports.PublicationClosed(publication_id):
                self._reach.forget((publication_id,))
                self._later(self._reach.end_elsewhere((publication_id,)))
            case ports.SubscriptionClosed():
                part = self._parts.on(node_id)
                if part is not None:
                    self._later(self._reach.drop_unwanted(part))
            case ports.TransportStateChanged(peer_id, "subscribe", "failed" | "closed"):
                if self._moves.to(node_id, peer_id) is not None:
                    self._later(self._stay(peer_id))
            case _:
                pass
        heard = self._hearing.hear(node_id, event)
        if heard is not None:
            self._listener(heard)

    # --- inside ----------------------------------------------------------------------------------------

    async def _end_empty(self) -> None:
        """The part that has no peers any more, if it is not the last one."""
        empty = await self._parts.take_empty()
        if empty is not None:
            self._hearing.forget_voices(empty.node_id)
            self._later(self._data.spread())
            await self._reach.leave_node(empty)
            await empty.close()

    async def _begin(self, link: NodeLink) -> NodeMedia:
        """The session's part on one more node."""
        listener = self.listener_for(link.node_id)
        part = await NodeMedia.create(link, listener, loudest_audio=self._loudest_audio)
        self._notes.give(part)
        part.on_data = partial(self._relay_data, link.node_id)
        self._later(self._data.spread())
        log.info("session.placed", session=self._session_id, node=link.node_id)
        return part

    def _relay_data(self, node_id: str, message: node.DataForwarded) -> None:
        """A data message of a peer on that node."""
        if not self._closed:
            self._later(*self._data.relay(node_id, message))
