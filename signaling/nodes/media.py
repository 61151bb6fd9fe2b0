"""One session's media on one node: people's words above, the node's below.

    session       router (one per node that the session is on, see `signaling.nodes.spread`)
    peer          at most two transports, publish and subscribe, made when first needed
    publication   producer
    subscription  consumer

Which is which is kept in `Names`; what the node tells is put into people's words in `words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sfu.control import messages as node
from signaling.domain.publication import Grant, Publication, Subscription, Tile
from signaling.errors import NotFoundError
from signaling.ids import new_id
from signaling.nodes.link import NodeLink
from signaling.nodes.names import Names, Transport
from signaling.nodes.specs import consumer_spec, layer_spec, node_grants, producer_spec, set_grants
from signaling.nodes.words import in_peoples_words, samples_in_peoples_words, stats_in_peoples_words
from signaling.services.live import ports


class NodeMedia:
    """Made by `create`, once the router stands. Tells `NodeLost` without peers: its owner knows them."""

    def __init__(self, link: NodeLink, router_id: str, listener: ports.MediaListener) -> None:
        self._link = link
        self._router_id = router_id
        self._listener = listener
        self._names = Names(link, self)
        self.on_data: Callable[[node.DataForwarded], None] | None = None
        """Told of a data message that concerns peers on other nodes."""
        self._spreads_data: bool | None = None
        self._closed = False

    @classmethod
    async def create(
        cls, link: NodeLink, listener: ports.MediaListener, *, loudest_audio: int | None = None
    ) -> NodeMedia:
        media = cls(link, new_id("rt"), listener)
        link.register(media._router_id, media)
        try:
            await link.request(node.CreateRouter(router_id=media._router_id, loudest_audio=loudest_audio))
        except BaseException:
            link.forget(media._router_id)
            raise
        return media

    async def limit_voices(self, most: int | None) -> None:
        await self._link.end(node.LimitVoices(router_id=self._router_id, loudest_audio=most))

    @property
    def names(self) -> Names:
        """For `signaling.nodes.takeover`, which fills them with what the node has already."""
        return self._names

    @property
    def node_id(self) -> str:
        return self._link.node_id

    @property
    def link(self) -> NodeLink:
        return self._link

    @property
    def router_id(self) -> str:
        return self._router_id

    # --- publications of other nodes -------------------------------------------------------------------

    def producer_of(self, publication_id: str) -> str | None:
        return self._names.producers.get(publication_id)

    def adopt(self, publication_id: str, producer_id: str) -> None:
        """A producer of another node is here now, under the same id. `end_publications` ends it."""
        self._names.adopt(publication_id, producer_id)

    def is_wanted(self, publication_id: str) -> bool:
        """Whether somebody on this node subscribes to it."""
        return any(key[1] == publication_id for key in self._names.consumers)

    # --- publishing ------------------------------------------------------------------------------------

    async def handle_offer(
        self,
        peer_id: str,
        sdp: str,
        grants: Sequence[Grant],
        kept: Sequence[Publication],
        new: Sequence[Publication],
    ) -> ports.Answer:
        transport = await self._transport(peer_id, "publish", tuple(grants))
        for publication in new:
            self._names.add_producer(publication.id)
        command = node.HandleOffer(
            transport_id=transport.id,
            sdp=sdp,
            producers=tuple(
                producer_spec(one, self._names.producers[one.id])
                for one in (*kept, *new)
                if one.id in self._names.producers
            ),
        )
        try:
            reply = await self._link.request(command)
        except BaseException:
            for publication in new:
                self._names.drop_producer(publication.id)
            raise
        assert isinstance(reply, node.Answered), "the reply to an offer is an answer"
        return ports.Answer(sdp=reply.sdp, publications=self._negotiated(reply.producers))

    async def set_grants(self, peer_id: str, grants: Sequence[Grant]) -> None:
        transport = self._names.transports.get((peer_id, "publish"))
        if transport is not None and transport.grants != tuple(grants):
            transport.grants = tuple(grants)
            await self._link.end(set_grants(transport.id, transport.grants))

    async def end_publications(self, publication_ids: Iterable[str]) -> None:
        for publication_id in publication_ids:
            producer_id = self._names.drop_producer(publication_id)
            if producer_id is not None:
                await self._link.end(node.CloseProducer(producer_id=producer_id))

    async def mute(self, publication_id: str) -> None:
        producer_id = self._names.producers.get(publication_id)
        if producer_id is not None:
            await self._link.end(node.PauseProducer(producer_id=producer_id))

    async def unmute(self, publication_id: str) -> None:
        producer_id = self._names.producers.get(publication_id)
        if producer_id is not None:
            await self._link.end(node.ResumeProducer(producer_id=producer_id))

    # --- subscribing -----------------------------------------------------------------------------------

    async def subscribe(self, peer_id: str, subscriptions: Sequence[Subscription]) -> Mapping[str, str]:
        failed: dict[str, str] = {}
        specs: list[node.ConsumerSpec] = []
        transport = await self._transport(peer_id, "subscribe", ())
        for one in subscriptions:
            producer_id = self._names.producers.get(one.publication_id)
            if producer_id is None:
                failed[one.publication_id] = "producer_not_found"
            else:
                specs.append(self._consumer_spec(one, producer_id))
        try:
            reply = await self._link.request(node.Consume(transport_id=transport.id, consumers=tuple(specs)))
        except BaseException:
            for spec in specs:
                self._names.drop_consumer_id(spec.consumer_id)
            raise
        assert isinstance(reply, node.Consumed), "the reply to consume is consumed"
        return failed | self._names.drop_failed(reply.failed)

    async def view(
        self, peer_id: str, sdp: str, subscriptions: Mapping[str, Subscription]
    ) -> ports.ViewAnswer:
        failed: dict[str, str] = {}
        specs: list[node.ConsumerSpec] = []
        transport = await self._transport(peer_id, "subscribe", (), client_offers=True)
        for mid, one in subscriptions.items():
            producer_id = self._names.producers.get(one.publication_id)
            if producer_id is None:
                failed[one.publication_id] = "producer_not_found"
            else:
                specs.append(self._consumer_spec(one, producer_id, mid))
        command = node.HandleViewOffer(transport_id=transport.id, sdp=sdp, consumers=tuple(specs))
        try:
            reply = await self._link.request(command)
        except BaseException:
            for spec in specs:
                self._names.drop_consumer_id(spec.consumer_id)
            raise
        assert isinstance(reply, node.ViewAnswered), "the reply to a view offer is its answer"
        return ports.ViewAnswer(reply.sdp, failed | self._names.drop_failed(reply.failed))

    async def feed(self, mid: str, subscription: Subscription) -> str | None:
        transport = self._existing(subscription.peer_id, "subscribe")
        producer_id = self._names.producers.get(subscription.publication_id)
        if producer_id is None:
            return "producer_not_found"
        spec = self._consumer_spec(subscription, producer_id, mid)
        try:
            reply = await self._link.request(node.Consume(transport_id=transport.id, consumers=(spec,)))
        except BaseException:
            self._names.drop_consumer_id(spec.consumer_id)
            raise
        assert isinstance(reply, node.Consumed), "the reply to consume is consumed"
        return self._names.drop_failed(reply.failed).get(subscription.publication_id)

    async def unsubscribe(self, peer_id: str, publication_ids: Iterable[str]) -> None:
        dropped = [self._names.drop_consumer(peer_id, publication_id) for publication_id in publication_ids]
        consumer_ids = tuple(consumer_id for consumer_id in dropped if consumer_id is not None)
        if consumer_ids:
            await self._link.end(node.CloseConsumers(consumer_ids=consumer_ids))

    async def change_subscription(self, before: Subscription, after: Subscription) -> None:
        consumer_id = self._names.consumers.get((after.peer_id, after.publication_id))
        if consumer_id is None:
            raise NotFoundError.of("subscription to publication", after.publication_id)
        if before.preferred != after.preferred:
            await self._link.request(
                node.SetPreferredLayer(consumer_id=consumer_id, preferred=layer_spec(after.preferred))
            )
        if after.paused and not before.paused:
            await self._link.request(node.PauseConsumer(consumer_id=consumer_id))
        elif before.paused and not after.paused:
            await self._link.request(node.ResumeConsumer(consumer_id=consumer_id))

    async def set_tiles(self, peer_id: str, tiles: Mapping[str, Tile]) -> None:
        transport = self._names.transports.get((peer_id, "subscribe"))
        specs = tuple(
            node.TileSpec(
                consumer_id=self._names.consumers[peer_id, publication_id],
                width=tile.width,
                height=tile.height,
                priority=tile.priority,
            )
            for publication_id, tile in tiles.items()
            if (peer_id, publication_id) in self._names.consumers
        )
        if transport is not None and specs:
            await self._link.request(node.SetTiles(transport_id=transport.id, tiles=specs))

    async def stats(self, peer_id: str) -> ports.PeerStats:
        own = [one.id for key, one in self._names.transports.items() if key[0] == peer_id]
        if not own:
            return ports.PeerStats()
        reply = await self._link.request(node.GetStats(transport_ids=tuple(own)))
        assert isinstance(reply, node.Stats), "the reply to get_stats is stats"
        return stats_in_peoples_words(reply, self._names)

    async def sample(self) -> list[ports.ConnectionSample]:
        """Some connections at a time, so that the node's media does not wait for all of them."""
        own = list(self._names.by_transport)
        found: list[ports.ConnectionSample] = []
        for begin in range(0, len(own), node.MAX_SAMPLED):
            some = tuple(own[begin : begin + node.MAX_SAMPLED])
            reply = await self._link.request(node.Sample(transport_ids=some))
            assert isinstance(reply, node.Sampled), "the reply to sample is sampled"
            found += samples_in_peoples_words(reply, self._names)
        return found

    def has(self, peer_id: str, direction: ports.Direction) -> bool:
        return (peer_id, direction) in self._names.transports

    async def retell(self, peer_id: str) -> None:
        own = tuple(one.id for key, one in self._names.transports.items() if key[0] == peer_id)
        await self._link.end(node.Retell(router_id=self._router_id, transport_ids=own))

    # --- connections -----------------------------------------------------------------------------------

    async def handle_answer(self, peer_id: str, version: int, sdp: str) -> None:
        transport = self._existing(peer_id, "subscribe")
        await self._link.request(node.HandleAnswer(transport_id=transport.id, version=version, sdp=sdp))

    async def handle_candidate(self, peer_id: str, direction: ports.Direction, candidate: str | None) -> None:
        transport = self._existing(peer_id, direction)
        await self._link.request(node.HandleCandidate(transport_id=transport.id, candidate=candidate))

    async def restart_ice(self, peer_id: str) -> None:
        transport = self._existing(peer_id, "subscribe")
        await self._link.request(node.RestartIce(transport_id=transport.id))

    async def handle_ice_restart(
        self, peer_id: str, direction: ports.Direction, ufrag: str, pwd: str
    ) -> ports.IceAnswer:
        transport = self._existing(peer_id, direction)
        command = node.HandleIceRestart(transport_id=transport.id, ufrag=ufrag, pwd=pwd)
        reply = await self._link.request(command)
        assert isinstance(reply, node.IceRestarted), "the reply to an ICE restart is ours"
        return ports.IceAnswer(reply.ufrag, reply.pwd, reply.candidates)

    # --- closing ---------------------------------------------------------------------------------------

    async def close_peer(self, peer_id: str) -> None:
        """The publish side first: nothing of the peer is forwarded once this returns."""
        await self.close_transport(peer_id, "publish")
        await self.close_transport(peer_id, "subscribe")

    async def close_transport(self, peer_id: str, direction: ports.Direction) -> None:
        if direction == "subscribe":
            self._names.drop_consumers_of(peer_id)
        transport = self._names.drop_transport(peer_id, direction)
        if transport is not None:
            await self._link.end(node.CloseTransport(transport_id=transport.id))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._link.forget(self._router_id)
        self._names.drop_everything()
        await self._link.end(node.CloseRouter(router_id=self._router_id))

    # --- data messages of other nodes ------------------------------------------------------------------

    async def spread_data(self, *, spread: bool) -> None:
        """Whether `on_data` hears of messages that concern peers on other nodes."""
        if spread != self._spreads_data:
            self._spreads_data = spread
            await self._link.end(node.SpreadData(router_id=self._router_id, spread=spread))

    async def deliver_data(self, message: node.DataForwarded) -> None:
        """Hands a message of another node to the peers of this one."""
        fields = message.model_dump(exclude={"type", "router_id"})
        await self._link.end(node.DeliverData(router_id=self._router_id, **fields))

    # --- what the node tells ---------------------------------------------------------------------------

    def handle_event(self, event: node.Event) -> None:
        if isinstance(event, node.DataForwarded):
            if self.on_data is not None:
                self.on_data(event)
            return
        told = in_peoples_words(event, self._names)
        if told is not None:
            self._listener(told)

    def handle_lost(self) -> None:
        if not self._closed:
            self._closed = True
            self._listener(ports.NodeLost(()))

    # --- inside ----------------------------------------------------------------------------------------

    async def _transport(
        self,
        peer_id: str,
        direction: ports.Direction,
        grants: tuple[Grant, ...],
        *,
        client_offers: bool = False,
    ) -> Transport:
        """The peer's transport in that direction, with these grants in force."""
        existing = self._names.transports.get((peer_id, direction))
        if existing is not None:
            if existing.grants != grants:
                await self._link.request(set_grants(existing.id, grants))
                existing.grants = grants
            return existing
        transport = self._names.add_transport(peer_id, direction, grants)
        try:
            await self._link.request(
                node.CreateTransport(
                    router_id=self._router_id,
                    transport_id=transport.id,
                    direction=direction,
                    grants=node_grants(grants),
                    client_offers=client_offers,
                    label=peer_id,
                )
            )
        except BaseException:
            self._names.drop_transport(peer_id, direction)
            raise
        return transport

    def _existing(self, peer_id: str, direction: ports.Direction) -> Transport:
        transport = self._names.transports.get((peer_id, direction))
        if transport is None:
            raise NotFoundError(f"There is no {direction} connection. It begins with {direction!r}.")
        return transport

    def _consumer_spec(
        self, subscription: Subscription, producer_id: str, mid: str | None = None
    ) -> node.ConsumerSpec:
        consumer_id = self._names.add_consumer(subscription.peer_id, subscription.publication_id)
        return consumer_spec(subscription, consumer_id, producer_id, mid)

    def _negotiated(self, producers: Iterable[node.ProducerInfo]) -> dict[str, ports.Negotiated]:
        return {
            self._names.publications[one.producer_id]: ports.Negotiated(one.codec, one.encodings)
            for one in producers
            if one.producer_id in self._names.publications
        }
