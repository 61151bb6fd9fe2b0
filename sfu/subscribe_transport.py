"""The transport a client receives on: its consumers, and what its path can take.

What the client reports and asks for is the business of `sfu.subscribe_feedback`; how its m-lines are agreed
on, that of one of two siblings: `sfu.subscribe_negotiation`, where the server offers, and
`sfu.view_negotiation`, where the client does.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence

from sfu.bandwidth.allocator import Tile
from sfu.bandwidth.controller import BandwidthController
from sfu.clock import monotonic
from sfu.consumer import Consumer
from sfu.control.messages import (
    ConsumerPaused,
    ConsumerResumed,
    ConsumerScored,
    ConsumerSpec,
    LayerChanged,
    LayerSpec,
    TileSpec,
)
from sfu.downlink import Downlink
from sfu.errors import NodeCommandError, RtcpError
from sfu.forwarding.leg import HEADER_WITH_TWCC, Egress, Leg
from sfu.forwarding.retransmit import pad
from sfu.layers import Layer
from sfu.producer import Producer
from sfu.rtp.parameters import Codec
from sfu.subscribe_feedback import SubscribeFeedback
from sfu.subscribe_negotiation import ServerOffers
from sfu.transport import Host, Transport
from sfu.view_negotiation import ClientOffer
from sfu.webrtc.udp import Path

NUMBER_INTERVAL = 1.0
"""Seconds between two looks at whether voices are still beside video; that they are is noticed at once."""


class SubscribeTransport(Transport):
    def __init__(
        self,
        host: Host,
        router_id: str,
        transport_id: str,
        label: str,
        now: float,
        *,
        client_offers: bool = False,
    ) -> None:
        super().__init__(host, router_id, transport_id, label, now)
        self.consumers: dict[str, Consumer] = {}
        self.egress = Egress()
        self.bandwidth = BandwidthController(now, stalls=host.stalls)
        self.egress.sent = self.bandwidth.ledger.sent
        self._feedback = SubscribeFeedback(self.bandwidth)
        self.rtcp_malformed = 0
        self.unexpected_packets = 0
        self.downlink = Downlink(
            self.bandwidth, on_paused=self._handle_lacking, on_resumed=self._handle_enough
        )
        self._number_due = 0.0
        self._beside_video = False
        self._dividing: asyncio.Handle | None = None
        self._loop = asyncio.get_running_loop()
        self._used_ssrcs: set[int] = set()
        self._datagrams_seen = 0
        self._negotiation: ServerOffers | ClientOffer = (
            ClientOffer(self, self._new_leg) if client_offers else ServerOffers(self, host.emit)
        )

    # --- commands ------------------------------------------------------------------------------------

    def consume(self, spec: ConsumerSpec, producer: Producer, now: float) -> Consumer:
        """Add a consumer; where the server offers, an offer follows in a later turn of the loop.

        Raises `NodeCommandError` where the client offered and has no room for it on that m-line, or lacks the
        codec.
        """
        negotiation = self._negotiation
        leg = (
            negotiation.leg_for(spec.mid, producer)
            if isinstance(negotiation, ClientOffer)
            else self._new_leg()
        )
        consumer = Consumer(
            consumer_id=spec.consumer_id,
            transport_id=self.id,
            producer=producer,
            leg=leg,
            preferred=spec.preferred,
            paused=spec.paused,
            on_layer=self._handle_layer,
            on_change=self._divide_soon,
        )
        self.consumers[consumer.id] = consumer
        self._feedback.add(consumer)
        if isinstance(negotiation, ClientOffer):
            negotiation.add(consumer, spec.mid, now)
        else:
            negotiation.add(consumer)
        return consumer

    def forget_consumer(self, consumer_id: str) -> None:
        consumer = self.consumers.pop(consumer_id, None)
        if consumer is None:
            return
        self._feedback.remove(consumer)
        self._negotiation.remove(consumer)
        self._divide_soon()

    def set_preferred(self, consumer: Consumer, preferred: LayerSpec | None) -> None:
        consumer.preferred = preferred
        self._divide_soon()

    def pause_consumer(self, consumer: Consumer) -> None:
        consumer.pause()
        self._divide_soon()

    def resume_consumer(self, consumer: Consumer, now: float) -> None:
        consumer.resume(now)
        self._divide_soon()

    def set_tiles(self, tiles: Iterable[TileSpec]) -> None:
        """Where the client shows its videos. Those that are not named stay where they are."""
        for spec in tiles:
            consumer = self.consumers.get(spec.consumer_id)
            if consumer is not None:
                consumer.tile = Tile(spec.width, spec.height, spec.priority)
        self._divide_soon()

    def set_dominant(self, producer_id: str | None) -> None:
        """Who speaks, for what a lack of bandwidth spares longest."""
        self.downlink.set_dominant(producer_id)
        if self.downlink.dirty:
            self.wake()

    def request_ice_restart(self, now: float) -> None:
        offers = self._server_offers()
        self.restart_ice(now)
        offers.schedule()

    def retell_offer(self) -> None:
        """Say again the offer that waits for an answer, if there is one."""
        if isinstance(self._negotiation, ServerOffers):
            self._negotiation.retell()

    def handle_answer(self, version: int, sdp: str, now: float) -> list[str]:
        """See `ServerOffers.handle_answer`."""
        return self._server_offers().handle_answer(version, sdp, now)

    def handle_view_offer(self, sdp: str, wanted: Mapping[str, Codec], now: float) -> str:
        """See `ClientOffer.handle_offer`."""
        if not isinstance(self._negotiation, ClientOffer):
            raise NodeCommandError("wrong_offerer", "on this transport the server makes the offers")
        return self._negotiation.handle_offer(sdp, wanted, now)

    def carries(self, consumer: Consumer) -> bool:
        """Whether it is one of this transport's, still."""
        return self.consumers.get(consumer.id) is consumer

    def start(
        self,
        consumer: Consumer,
        payload_type: int,
        rtx_payload_type: int | None,
        red_payload_type: int | None,
        twcc_id: int | None,
        now: float,
    ) -> None:
        """What the receiver agreed to: from now on the consumer may send. None: no RTX, no RED, no TWCC."""
        if twcc_id is not None:
            self.egress.transport_tag = twcc_id << 4 | 1
            self.bandwidth.expects_feedback = True
        consumer.handle_negotiated(payload_type, rtx_payload_type or 0, red_payload_type or 0, now)
        self._divide_soon()

    # --- association ---------------------------------------------------------------------------------

    def handle_connected(self, now: float) -> None:
        outbound = self.egress.outbound = self.association.outbound
        if outbound is not None:
            self.bandwidth.ledger.overhead = HEADER_WITH_TWCC + outbound.overhead
        for consumer in self.consumers.values():
            leg = consumer.leg
            leg.prepare(payload_type=leg.payload_type, rtx_payload_type=leg.rtx_payload_type)
            consumer.select(now)
        self._divide_soon()
        super().handle_connected(now)

    def handle_path(self, path: Path) -> None:
        self.egress.path = path
        self.egress.address = path.address
        self.egress.sendto, self.egress.sendmsg = self._host.socket_calls(path)

    def handle_rtp(self, packets: list[bytes], now: float, came: Sequence[float] = ()) -> None:
        """Nobody publishes here, whatever a client sends: not even opened."""
        self.unexpected_packets += len(packets)

    def is_voice(self, data: bytes) -> bool:
        return False

    def handle_unread(self, now: float) -> None:
        self.bandwidth.handle_unread(now)

    def handle_data(self, packets: list[bytes], now: float) -> None:
        """Data channels are negotiated on the publish connection only, so there is nothing this could be."""

    def handle_rtcp(self, packets: list[bytes], now: float) -> None:
        inbound = self.association.inbound
        if inbound is None:
            return
        for data in packets:
            plain = inbound.open_rtcp(data)
            if plain is None:
                continue
            try:
                if self._feedback.handle(plain, now):
                    self._divide_soon()
                elif self._rests_until and self._feedback.repairing:
                    self.wake()
            except RtcpError:
                self.rtcp_malformed += 1

    # --- time ----------------------------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        # What is settled has no handshake before it.
        return self.downlink.settled and self.egress.datagrams == self._datagrams_seen

    def tick(self, now: float) -> None:
        super().tick(now)
        if self._feedback.repairing:
            self._feedback.repair(now)
        sent = self.egress.datagrams != self._datagrams_seen
        self._datagrams_seen = self.egress.datagrams
        if self.association.outbound is None:
            return
        self.downlink.poll(now, self.consumers, self._host.measures)
        self._probe(now)
        self._score(now)
        self._report(now)
        if now >= self._number_due:
            self._number_due = now + NUMBER_INTERVAL
            self._number()
        # Where something was just sent nobody rests: most turns need not ask for more.
        self._consider_rest(now, possible=not sent and self._may_rest)

    @property
    def _may_rest(self) -> bool:
        return (
            self.quiet
            and not self.restless
            and not self.downlink.dirty
            and not any(one.may_be_sent or one.told_paused for one in self.consumers.values())
        )

    @property
    def busy(self) -> bool:
        return super().busy or self.bandwidth.probing or self._feedback.repairing

    @property
    def restless(self) -> bool:
        return super().restless or self.bandwidth.probing or self._feedback.repairing

    def _probe(self, now: float) -> None:
        probes = self._beside_video and self._host.measures.probes
        wanted = int(self.downlink.wanted) if probes else 0
        octets = self.bandwidth.poll(now, wanted)
        if not octets:
            return
        first = self.egress.transport_sequence
        leg = max(
            (consumer.leg for consumer in self.consumers.values() if consumer.leg.rtx_payload_type),
            key=lambda leg: leg.last_sent_at,
            default=None,
        )
        if leg is not None:
            pad(leg, octets, now)
        self.bandwidth.note_padding(first, self.egress.transport_sequence)

    def close(self) -> None:
        self._negotiation.close()
        if self._dividing is not None:
            self._dividing.cancel()
        super().close()

    def stats(self) -> dict[str, object]:
        return {
            "transport_id": self.id,
            "state": self.state.value,
            "datagrams": self.egress.datagrams,
            "blocked": self.egress.blocked,
            "transport_feedbacks": self.bandwidth.feedbacks,
            "estimate": self.bandwidth.estimate,
            "delivered": self.bandwidth.delivered,
            "probes": self.bandwidth.prober.clusters,
            "unexpected_packets": self.unexpected_packets,
            "consumers": [consumer.stats() for consumer in self.consumers.values()],
        }

    def _divide_soon(self) -> None:
        """Once for all changes of this turn of the loop, without waiting for the tick."""
        self.downlink.touch()
        self.wake()
        if self._dividing is None and self.association.outbound is not None:
            self._dividing = self._loop.call_soon(self._divide)

    def _divide(self) -> None:
        self._dividing = None
        self._number()
        self.downlink.poll(monotonic(), self.consumers, self._host.measures)

    def _number(self) -> None:
        """Voices have transport-wide numbers only beside video.

        A number is what makes a receiver report an arrival, and by a voice alone nothing is decided: it is
        sent whatever the path carries. Video has them always, so the estimate begins with its first packet.
        """
        self._beside_video = any(one.asks_video for one in self.consumers.values())
        for consumer in self.consumers.values():
            leg = consumer.leg
            numbered = self._beside_video or consumer.producer.kind == "video"
            if leg.numbered is not numbered:
                leg.numbered = numbered
                leg.prepare(payload_type=leg.payload_type, rtx_payload_type=leg.rtx_payload_type)

    def _server_offers(self) -> ServerOffers:
        if not isinstance(self._negotiation, ServerOffers):
            raise NodeCommandError("wrong_offerer", "on this transport the client made the offer")
        return self._negotiation

    def _new_leg(self) -> Leg:
        ssrc, rtx_ssrc = self._new_ssrc(), self._new_ssrc()
        return Leg(self.egress, ssrc=ssrc, rtx_ssrc=rtx_ssrc, first_index=1 + secrets.randbelow(0x7FFF))

    def _new_ssrc(self) -> int:
        """One never used on this transport: under one key, an SSRC and index must not come twice."""
        while True:
            ssrc = 1 + secrets.randbelow(0xFFFFFFFE)
            if ssrc not in self._used_ssrcs:
                self._used_ssrcs.add(ssrc)
                return ssrc

    # --- what is told --------------------------------------------------------------------------------

    def _score(self, now: float) -> None:
        for consumer in self.consumers.values():
            meter = consumer.meter
            score = meter.poll(now)
            if meter.settled_at == now:
                self._host.quality.observe("out", consumer.producer.kind, meter.figures, meter.freezes_begun)
            if score is not None:
                self._host.emit(ConsumerScored(consumer_id=consumer.id, score=score))

    def _report(self, now: float) -> None:
        if now < self._feedback.report_due:
            return
        reported = False
        for compound in self._feedback.poll_reports(self.consumers.values(), now):
            reported = True
            self.association.send_rtcp(compound)
        if reported:
            self._host.quality.observe_estimate(self.bandwidth.estimate)

    def _handle_lacking(self, consumer: Consumer) -> None:
        self._host.emit(ConsumerPaused(consumer_id=consumer.id, reason=consumer.lacks))

    def _handle_enough(self, consumer: Consumer) -> None:
        self._host.emit(ConsumerResumed(consumer_id=consumer.id))

    def _handle_layer(self, consumer: Consumer, layer: Layer) -> None:
        leg = consumer.leg
        if self.bandwidth.crowded and leg.entered_at > leg.repairable_from:
            # The key frame needs nothing of what was lost before it, and all the room there is.
            leg.repairable_from = leg.entered_at
            self._feedback.forget_repairs(leg.ssrc)
        current = LayerSpec(spatial=layer.spatial, temporal=layer.temporal)
        self._host.emit(LayerChanged(consumer_id=consumer.id, current=current))
