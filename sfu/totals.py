"""What a node has done since it started, of what lives and of what is gone, for /metrics and load reports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from sfu.consumer import Consumer
from sfu.data.relay import DataCounts
from sfu.layers import MAX_LAYERS
from sfu.producer import Producer
from sfu.router import Router
from sfu.transport import Transport


class Totals:
    """Remembers what closed objects had counted; tell it of each just before it is forgotten."""

    def __init__(self) -> None:
        self._forwarded = 0
        self._flooded = 0
        self._data = DataCounts()

    def handle_producer_closed(self, producer: Producer) -> None:
        self._forwarded += sum(encoding.forwarded for encoding in producer.encodings)

    def handle_transport_closed(self, transport: Transport) -> None:
        self._flooded += transport.association.intake.dropped

    def handle_router_closed(self, router: Router) -> None:
        self._data.add(router.data.counts)

    def counters(
        self,
        routers: Mapping[str, Router],
        transports: Mapping[str, Transport],
        producers: Mapping[str, Producer],
        consumers: Mapping[str, Consumer],
    ) -> dict[str, float]:
        """Totals since the start; those called `live_*` are of what is open now."""
        forwarded = self._forwarded
        blocked = received = bytes_received = keyframes = 0
        for producer in producers.values():
            for encoding in producer.encodings:
                forwarded += encoding.forwarded
                blocked += encoding.blocked
                received += encoding.stream.packets
                bytes_received += encoding.stream.bytes
                keyframes += encoding.keyframes.sent
        sent = resent = 0
        # The most numerous of all, and far apart in memory: once, not with a generator for each figure.
        for consumer in consumers.values():
            leg = consumer.leg
            sent += leg.octets
            resent += leg.retransmitted
        data = [self._data, *(router.data.counts for router in routers.values())]
        return {
            "packets_forwarded": forwarded,
            "packets_over_limit": self._flooded
            + sum(one.association.intake.dropped for one in transports.values()),
            "legs_blocked": blocked,
            "live_packets_received": received,
            "live_bytes_received": bytes_received,
            "live_bytes_sent": sent,
            "live_retransmitted": resent,
            "live_keyframe_requests": keyframes,
            "data_messages_received": sum(counts.received for counts in data),
            "data_messages_delivered": sum(counts.delivered for counts in data),
            "data_messages_dropped": sum(counts.dropped for counts in data),
            "routers": len(routers),
            "transports": len(transports),
            "producers": len(producers),
            "consumers": len(consumers),
            "tasks": len(asyncio.all_tasks()),
        }


def layers_received(consumers: Iterable[Consumer]) -> list[int]:
    """How many have each spatial layer of a video on the wire now, from the lowest on."""
    counts = [0] * MAX_LAYERS
    for consumer in consumers:
        if consumer.leg.carried and (layer := consumer.told_layer) is not None:
            counts[layer.spatial] += 1
    return counts
