"""What a node holds, for a signaling process that takes it over; and what it would have told in between.

Nothing is kept for this purpose but signaling's own notes: all of it is read off the objects themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfu.control import messages as m
from sfu.publish_transport import PublishTransport
from sfu.quality.score import BEST
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import Transport, TransportState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfu.consumer import Consumer
    from sfu.node import Node
    from sfu.producer import Producer
    from sfu.router import Router


def holdings_of(node: Node) -> m.Holdings:
    return m.Holdings(router_ids=tuple(node.routers), pipes=node.pipes.held())


def router_held(node: Node, router: Router) -> m.RouterHeld:
    """A session's whole part on this node."""
    transports = (*router.publishing.values(), *router.subscribing.values())
    return m.RouterHeld(
        router_id=router.id,
        revision=router.notes_revision,
        notes=dict(router.notes),
        transports=tuple(_transport(one) for one in transports),
        producers=(
            *(_producer(one) for each in router.publishing.values() for one in each.producers.values()),
            *_piped(node, router),
        ),
        consumers=tuple(
            _consumer(one) for each in router.subscribing.values() for one in each.consumers.values()
        ),
    )


def retell(node: Node, command: m.Retell) -> None:
    """Raises `NotFoundError` for the router; transports that are not there are passed over."""
    router = node.router(command.router_id)
    for transport_id in command.transport_ids:
        transport = node.transports.get(transport_id)
        if transport is None:
            continue
        if transport.state is not TransportState.NEW:
            node.emit(m.TransportStateChanged(transport_id=transport.id, state=transport.state.value))
        if isinstance(transport, PublishTransport):
            for producer in transport.producers.values():
                _retell_producer(node, producer)
        elif isinstance(transport, SubscribeTransport):
            transport.retell_offer()
            for consumer in transport.consumers.values():
                _retell_consumer(node, consumer)
    router.retell_speakers()


def _retell_producer(node: Node, producer: Producer) -> None:
    told = producer.supply.told
    if told and not all(told):
        node.emit(m.LayersWanted(producer_id=producer.id, encodings=told))
    forwarded, encodings = producer.ceiling + 1, len(producer.encodings)
    if forwarded < encodings:
        node.emit(m.ProducerLimited(producer_id=producer.id, forwarded=forwarded, encodings=encodings))
    if producer.meter.figures.score != BEST:
        node.emit(m.ProducerScored(producer_id=producer.id, score=producer.meter.figures.score))


def _retell_consumer(node: Node, consumer: Consumer) -> None:
    current = consumer.told_layer
    if current is not None:
        layer = m.LayerSpec(spatial=current.spatial, temporal=current.temporal)
        node.emit(m.LayerChanged(consumer_id=consumer.id, current=layer))
    if consumer.told_paused is None:
        node.emit(m.ConsumerResumed(consumer_id=consumer.id))
    else:
        node.emit(m.ConsumerPaused(consumer_id=consumer.id, reason=consumer.told_paused))
    node.emit(m.ConsumerScored(consumer_id=consumer.id, score=consumer.meter.figures.score))


def _transport(transport: Transport) -> m.TransportHeld:
    publish = isinstance(transport, PublishTransport)
    return m.TransportHeld(
        transport_id=transport.id,
        direction="publish" if publish else "subscribe",
        label=transport.label,
        state=transport.state.value,
        grants=transport.grants if isinstance(transport, PublishTransport) else (),
    )


def _producer(producer: Producer, pipe_id: str | None = None) -> m.ProducerHeld:
    return m.ProducerHeld(
        producer_id=producer.id,
        transport_id=producer.transport_id if pipe_id is None else None,
        pipe_id=pipe_id,
        source=producer.source,
        kind=producer.kind,
        paused=producer.paused,
    )


def _piped(node: Node, router: Router) -> Iterator[m.ProducerHeld]:
    for producer_id in sorted(router.piped):
        producer, pipe_id = node.producers.get(producer_id), node.pipes.receiving(producer_id)
        if producer is not None and pipe_id is not None:
            yield _producer(producer, pipe_id)


def _consumer(consumer: Consumer) -> m.ConsumerHeld:
    tile = consumer.tile
    return m.ConsumerHeld(
        consumer_id=consumer.id,
        transport_id=consumer.transport_id,
        producer_id=consumer.producer.id,
        preferred=consumer.preferred,
        paused=consumer.paused,
        tile=None
        if tile is None
        else m.TileHeld(width=tile.width, height=tile.height, priority=tile.priority),
    )
