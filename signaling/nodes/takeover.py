"""Taking over nodes that outlived the signaling process which had them.

    every node that was found -> its pipes and routers -> sessions, by the id that was noted with each
                                 half a pipe: closed      taken up by the services, or closed

A session that was on several nodes is found on each; the notes with the highest revision count. What a node
holds and no note knows is closed; what the notes know and no node holds has ended. All of it may be done
twice: a process that dies in the middle leaves it to the next one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from sfu.control import messages as node
from signaling.domain.publication import Layer, Publication, Subscription, Tile
from signaling.errors import SignalingError
from signaling.nodes.link import NodeLink
from signaling.nodes.media import NodeMedia
from signaling.nodes.moves import MovedNote, moved
from signaling.nodes.names import producer_id_of
from signaling.nodes.noting import ID, SessionNotes
from signaling.nodes.parts import Nodes
from signaling.nodes.pipes import Pipes
from signaling.nodes.spread import SpreadMedia
from signaling.services.live import ports

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HeldPart:
    """What one node has of a session."""

    link: NodeLink
    held: node.RouterHeld


@dataclass(slots=True)
class Surviving:
    """Implements `signaling.services.live.ports.SurvivingMedia`."""

    parts: list[HeldPart]
    nodes: Nodes
    loudest_audio: int | None = None

    @property
    def latest(self) -> node.RouterHeld:
        return max((part.held for part in self.parts), key=lambda held: held.revision)

    @property
    def notes(self) -> Mapping[str, str]:
        return self.latest.notes

    async def take(
        self,
        session_id: str,
        peer_ids: Iterable[str],
        publications: Sequence[Publication],
        listener: ports.MediaListener,
    ) -> ports.Carried:
        media = SpreadMedia(session_id, self.nodes, listener, loudest_audio=self.loudest_audio)
        found = _Found(
            set(peer_ids),
            {producer_id_of(one.id): one for one in publications},
            _transports(self.parts, moved(self.notes)),
        )
        taken = [found.take(part, media) for part in self.parts]
        media.take(
            taken,
            places=found.places,
            published=[one for one in publications if one.id in found.published],
            carried=found.carried,
            notes=SessionNotes(session_id, self.notes, self.latest.revision),
        )
        for link, commands in found.strays.items():
            for command in commands:
                await link.end(command)
        await media.tidy()
        return ports.Carried(
            media, frozenset(found.published), frozenset(found.paused), tuple(found.subscriptions)
        )

    async def close(self) -> None:
        for part in self.parts:
            await part.link.end(node.CloseRouter(router_id=part.held.router_id))


@dataclass(slots=True)
class _Found:
    """What is gathered from part after part. `known` are publications by producer id."""

    peer_ids: set[str]
    known: Mapping[str, Publication]
    node_of: Mapping[tuple[str, ports.Direction], str]
    """(Peer id, direction) -> id of the node that has that connection."""
    published: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    carried: dict[tuple[str, str], str] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    strays: defaultdict[NodeLink, list[node.Command]] = field(default_factory=lambda: defaultdict(list))

    @property
    def places(self) -> dict[str, tuple[str, str]]:
        """Where each peer sends and where it receives."""
        at = self.node_of
        peers = {peer_id for peer_id, _ in at if peer_id in self.peer_ids}
        return {
            one: (
                at.get((one, "publish")) or at[one, "subscribe"],
                at.get((one, "subscribe")) or at[one, "publish"],
            )
            for one in peers
        }

    def take(self, part: HeldPart, media: SpreadMedia) -> NodeMedia:
        link, held, strays = part.link, part.held, self.strays[part.link]
        taken = NodeMedia(link, held.router_id, media.listener_for(link.node_id))
        link.register(held.router_id, taken)
        names = taken.names
        owners: dict[str, str] = {}
        for transport in held.transports:
            peer_id = transport.label
            where = self.node_of[peer_id, transport.direction]
            if peer_id not in self.peer_ids or where != link.node_id:
                strays.append(node.CloseTransport(transport_id=transport.transport_id))
                continue
            owners[transport.transport_id] = peer_id
            names.take_transport(transport.transport_id, peer_id, transport.direction)
        for producer in held.producers:
            publication = self.known.get(producer.producer_id)
            if producer.transport_id is not None and producer.transport_id not in owners:
                continue  # it ends with its transport
            if publication is None:
                strays.append(node.CloseProducer(producer_id=producer.producer_id))
            elif producer.pipe_id is not None:
                names.adopt(publication.id, producer.producer_id)
                self.carried[publication.id, link.node_id] = producer.pipe_id
            else:
                names.add_producer(publication.id)
                self.published.add(publication.id)
            if publication is not None and producer.paused:
                self.paused.add(publication.id)
        for consumer in held.consumers:
            receiver, publication = owners.get(consumer.transport_id), self.known.get(consumer.producer_id)
            if receiver is None or publication is None:
                continue  # it ends with its transport or its producer
            names.take_consumer(consumer.consumer_id, receiver, publication.id)
            self.subscriptions.append(_subscription(consumer, receiver, publication.id))
        return taken


def _transports(
    parts: Iterable[HeldPart], last_moves: Mapping[str, MovedNote]
) -> dict[tuple[str, ports.Direction], str]:
    """Where each peer's connections are. One that was moving has two to receive by: the one that it is noted
    to have moved to counts, else it stays where it was, on the older one (ids sort by age)."""
    found: dict[tuple[str, ports.Direction], tuple[bool, str, str]] = {}
    for part in parts:
        for one in part.held.transports:
            last = last_moves.get(one.label)
            elsewhere = last is None or one.transport_id != last.transport_id
            key, here = (one.label, one.direction), (elsewhere, one.transport_id, part.link.node_id)
            found[key] = min(found.get(key, here), here)
    return {key: node_id for key, (_, _, node_id) in found.items()}


def _subscription(held: node.ConsumerHeld, peer_id: str, publication_id: str) -> Subscription:
    preferred, tile = held.preferred, held.tile
    return Subscription(
        peer_id,
        publication_id,
        None if preferred is None else Layer(preferred.spatial, preferred.temporal),
        held.paused,
        None if tile is None else Tile(tile.width, tile.height, tile.priority),
    )


async def take_over(
    links: Sequence[NodeLink], pipes: Pipes, nodes: Nodes, *, loudest_audio: int | None
) -> list[Surviving]:
    """Asks every node. One that does not answer is lost, and its pings will tell."""
    parts: defaultdict[str, list[HeldPart]] = defaultdict(list)
    held_pipes: dict[NodeLink, tuple[node.PipeHeld, ...]] = {}
    for link in links:
        try:
            holdings = await link.request(node.GetHoldings())
            assert isinstance(holdings, node.Holdings), "the reply to get_holdings is holdings"
            held_pipes[link] = holdings.pipes
        except SignalingError as error:
            log.error("node.not_taken_over", node=link.node_id, error=error.message)
            continue
    await _take_pipes(held_pipes, pipes)
    for link in held_pipes:
        for part in await _routers(link, pipes):
            session_id = part.held.notes.get(ID)
            if session_id is None:
                await link.end(node.CloseRouter(router_id=part.held.router_id))
            else:
                parts[session_id].append(part)
    received = {
        (producer.pipe_id, producer.producer_id)
        for each in parts.values()
        for part in each
        for producer in part.held.producers
        if producer.pipe_id is not None
    }
    for link, held in held_pipes.items():
        for pipe in held:
            for producer_id in pipe.sending:
                if (pipe.pipe_id, producer_id) not in received:
                    await link.end(node.StopSending(pipe_id=pipe.pipe_id, producer_id=producer_id))
    return [Surviving(each, nodes, loudest_audio) for each in parts.values()]


async def _routers(link: NodeLink, pipes: Pipes) -> list[HeldPart]:
    """After the pipes were sorted out, which may have ended some of what is in them. Those that are left are
    watched since, so an end that is silent now is known to be: it was before, or it says so."""
    try:
        holdings = await link.request(node.GetHoldings())
        assert isinstance(holdings, node.Holdings), "the reply to get_holdings is holdings"
        for pipe in holdings.pipes:
            if pipe.silent:
                pipes.handle_found_silent(pipe.pipe_id, link.node_id)
        asked = (link.request(node.GetRouter(router_id=one)) for one in holdings.router_ids)
        found = await asyncio.gather(*asked)
    except SignalingError as error:
        log.error("node.not_taken_over", node=link.node_id, error=error.message)
        return []
    return [HeldPart(link, one) for one in found if isinstance(one, node.RouterHeld)]


async def _take_pipes(held: Mapping[NodeLink, tuple[node.PipeHeld, ...]], pipes: Pipes) -> None:
    """A pipe of which both ends are there, and know each other, goes on; the others are closed."""
    ends: defaultdict[str, list[tuple[NodeLink, bool]]] = defaultdict(list)
    for link, each in held.items():
        for pipe in each:
            ends[pipe.pipe_id].append((link, pipe.connected))
    for pipe_id, found in ends.items():
        if len(found) == 2 and all(connected for _, connected in found):
            pipes.take(pipe_id, found[0][0], found[1][0])
            continue
        for link, _ in found:
            await link.end(node.ClosePipe(pipe_id=pipe_id))
