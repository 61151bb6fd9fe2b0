"""What a node tells of single streams and paths, as its meters and estimators saw them last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sfu.control.messages import LayerSpec, Stats, StreamStats
from sfu.publish_transport import PublishTransport
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import Transport


def stats_of(transports: Iterable[Transport]) -> Stats:
    """Of the producers and consumers of these transports."""
    streams: list[StreamStats] = []
    estimates: dict[str, float] = {}
    for transport in transports:
        if isinstance(transport, PublishTransport):
            for producer in transport.producers.values():
                figures = asdict(producer.meter.figures)
                streams.append(StreamStats(producer_id=producer.id, **figures))
        elif isinstance(transport, SubscribeTransport):
            estimates[transport.id] = float(transport.bandwidth.estimate)
            for consumer in transport.consumers.values():
                current = consumer.current if consumer.producer.kind == "video" else None
                layer = None
                if current is not None:
                    layer = LayerSpec(spatial=current.spatial, temporal=current.temporal)
                figures = asdict(consumer.meter.figures)
                streams.append(
                    StreamStats(
                        producer_id=consumer.producer.id, consumer_id=consumer.id, layer=layer, **figures
                    )
                )
    return Stats(counters={}, streams=tuple(streams), estimates=estimates)
