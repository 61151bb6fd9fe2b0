"""The transport a client receives on: its consumers, the offers it gets, and the RTCP that comes back.

The server is the only offerer. At most one offer is outstanding; what changes meanwhile goes into the next.
An m-line (`Slot`) belongs to one consumer at a time; when that ended and the client has seen the m-line
inactive, the next consumer of the same kind takes it over.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import Any

from sfu.consumer import Consumer
from sfu.control.messages import ConsumerMid, ConsumerSpec, Kind, LayerChanged, LayerSpec, OfferReady
from sfu.errors import NodeCommandError, RtcpError
from sfu.forwarding.leg import Egress, Leg
from sfu.forwarding.report import sender_report
from sfu.forwarding.retransmit import retransmit
from sfu.producer import Producer
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS, subscribe_codec
from sfu.rtp.parameters import ExtensionUri
from sfu.rtp.rtcp import (
    Fir,
    Nack,
    Pli,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    is_transport_feedback,
    parse_rtcp,
)
from sfu.transport import Host, Transport
from sfu.webrtc.description import (
    SubscribeAnswer,
    SubscribeSection,
    read_subscribe_answer,
    subscribe_offer,
)
from sfu.webrtc.sdp import parse_sdp, to_sdp
from sfu.webrtc.udp import Path

REPORT_INTERVAL = 1.0
MAX_COMPOUND = 1100
"""Bytes of RTCP put into one datagram."""
UNKNOWN_TEMPORAL = 7


@dataclass(slots=True)
class Slot:
    """One m-line of the subscribe connection.

    `section` is what was last offered on it. `free`: the client has answered it as inactive. `stopped`: the
    client rejected it, so it can never be used again.
    """

    mid: str
    kind: Kind
    consumer: Consumer | None
    section: SubscribeSection | None = None
    free: bool = False
    stopped: bool = False


class SubscribeTransport(Transport):
    def __init__(self, host: Host, router_id: str, transport_id: str, label: str, now: float) -> None:
        super().__init__(host, router_id, transport_id, label, now)
        self.consumers: dict[str, Consumer] = {}
        self.egress = Egress()
        self.rtcp_malformed = 0
        self.transport_feedbacks = 0
        self.unexpected_packets = 0
        self._slots: list[Slot] = []
        self._legs: dict[int, Consumer] = {}
        self._used_ssrcs: set[int] = set()
        self._version = 0
        self._outstanding: int | None = None
        self._offered: list[tuple[Slot, Consumer | None, SubscribeSection]] = []
        self._dirty = False
        self._scheduled = False
        self._report_due = 0.0
        self._loop = asyncio.get_running_loop()

    # --- commands ------------------------------------------------------------------------------------

    def consume(self, spec: ConsumerSpec, producer: Producer) -> Consumer:
        """Add a consumer; an offer follows in a later turn of the loop."""
        ssrc, rtx_ssrc = self._new_ssrc(), self._new_ssrc()
        leg = Leg(self.egress, ssrc=ssrc, rtx_ssrc=rtx_ssrc, first_index=1 + secrets.randbelow(0x7FFF))
        consumer = Consumer(
            consumer_id=spec.consumer_id,
            transport_id=self.id,
            producer=producer,
            leg=leg,
            preferred=spec.preferred,
            paused=spec.paused,
            on_layer=self._handle_layer,
        )
        self.consumers[consumer.id] = consumer
        self._legs[ssrc] = consumer
        self._legs[rtx_ssrc] = consumer
        self._slot_for(consumer)
        self._schedule_offer()
        return consumer

    def forget_consumer(self, consumer_id: str) -> None:
        consumer = self.consumers.pop(consumer_id, None)
        if consumer is None:
            return
        self._legs.pop(consumer.leg.ssrc, None)
        self._legs.pop(consumer.leg.rtx_ssrc, None)
        for slot in self._slots:
            if slot.consumer is consumer:
                slot.consumer = None
                slot.free = False
                if slot.section is None:
                    # Never offered, and the last one: as if it had not been.
                    self._slots.remove(slot)
                break
        self._schedule_offer()

    def request_ice_restart(self, now: float) -> None:
        self.restart_ice(now)
        self._schedule_offer()

    def handle_answer(self, version: int, sdp: str, now: float) -> list[str]:
        """Apply the client's answer. Returns the consumers whose codec it refused, to be closed.

        Raises `NodeCommandError` for an answer to another offer than the outstanding one, `SdpError` for one
        that cannot be read; the offer stays outstanding then.
        """
        if self._outstanding is None or version != self._outstanding:
            raise NodeCommandError(
                "stale_answer", f"answer to offer {version}, but {self._outstanding or 'none'} is outstanding"
            )
        answer = parse_sdp(sdp)
        accepted = read_subscribe_answer(answer, [section for _, _, section in self._offered])
        self._outstanding = None
        self.take_remote(answer, now)
        refused: list[str] = []
        for slot, consumer, section in self._offered:
            outcome = accepted[slot.mid]
            answered = answer.section(slot.mid)
            slot.stopped = answered is None or answered.is_rejected
            if consumer is None:
                slot.free = slot.consumer is None and not slot.stopped
            elif self.consumers.get(consumer.id) is not consumer:
                continue
            elif outcome.accepted:
                self._start(consumer, section, outcome, now)
            else:
                refused.append(consumer.id)
        if self._dirty:
            self._schedule_offer()
        return refused

    def _start(
        self, consumer: Consumer, section: SubscribeSection, outcome: SubscribeAnswer, now: float
    ) -> None:
        if ExtensionUri.TWCC in outcome.extensions:
            self.egress.transport_tag = SUBSCRIBE_EXTENSIONS[ExtensionUri.TWCC] << 4 | 1
        rtx = section.rtx_payload_type if outcome.supports_rtx else None
        consumer.negotiated = True
        consumer.leg.prepare(payload_type=section.codec.payload_type, rtx_payload_type=rtx or 0)
        consumer.select(now)

    # --- association ---------------------------------------------------------------------------------

    def handle_connected(self, now: float) -> None:
        self.egress.outbound = self.association.outbound
        for consumer in self.consumers.values():
            leg = consumer.leg
            leg.prepare(payload_type=leg.payload_type, rtx_payload_type=leg.rtx_payload_type)
            consumer.select(now)
        super().handle_connected(now)

    def handle_path(self, path: Path) -> None:
        self.egress.path = path
        self.egress.address = path.address
        self.egress.sendto, self.egress.sendmsg = self._host.socket_calls(path)

    def handle_rtp(self, packets: list[bytes], now: float) -> None:
        """Nobody publishes here, whatever a client sends: not even opened."""
        self.unexpected_packets += len(packets)

    def handle_rtcp(self, packets: list[bytes], now: float) -> None:
        inbound = self.association.inbound
        if inbound is None:
            return
        for data in packets:
            plain = inbound.open_rtcp(data)
            if plain is None:
                continue
            if is_transport_feedback(plain):
                self.transport_feedbacks += 1
                continue
            try:
                parsed = parse_rtcp(plain)
            except RtcpError:
                self.rtcp_malformed += 1
                continue
            for packet in parsed:
                self._handle_feedback(packet, now)

    # --- time ----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.association.outbound is None:
            return
        for consumer in self.consumers.values():
            if len(consumer.producer.encodings) > 1 or consumer.leg.encoding is None:
                consumer.select(now)
        if now >= self._report_due:
            self._report_due = now + REPORT_INTERVAL
            self._send_reports(now)

    def close(self) -> None:
        self._dirty = False
        super().close()

    def stats(self) -> dict[str, object]:
        return {
            "transport_id": self.id,
            "state": self.state.value,
            "datagrams": self.egress.datagrams,
            "blocked": self.egress.blocked,
            "transport_feedbacks": self.transport_feedbacks,
            "unexpected_packets": self.unexpected_packets,
            "consumers": [consumer.stats() for consumer in self.consumers.values()],
        }

    # --- negotiation ---------------------------------------------------------------------------------

    def _slot_for(self, consumer: Consumer) -> Slot:
        kind = consumer.producer.kind
        for slot in self._slots:
            if slot.free and slot.consumer is None and slot.kind == kind:
                slot.consumer = consumer
                slot.free = False
                return slot
        slot = Slot(str(len(self._slots)), kind, consumer)
        self._slots.append(slot)
        return slot

    def _schedule_offer(self) -> None:
        """Coalesce: one offer for all changes of this turn, none while one is outstanding."""
        self._dirty = True
        if not self._scheduled and self._outstanding is None:
            self._scheduled = True
            self._loop.call_soon(self._offer)

    def _offer(self) -> None:
        self._scheduled = False
        if not self._dirty or self._outstanding is not None or not self._slots:
            return
        self._dirty = False
        self._version += 1
        self._outstanding = self._version
        self._offered = [(slot, slot.consumer, self._section(slot)) for slot in self._slots]
        description = subscribe_offer(
            [section for _, _, section in self._offered], self.local, session_version=self._version
        )
        self._host.emit(
            OfferReady(
                transport_id=self.id,
                version=self._version,
                sdp=to_sdp(description),
                mids=tuple(
                    ConsumerMid(
                        mid=slot.mid,
                        consumer_id=slot.consumer.id,
                        producer_id=slot.consumer.producer.id,
                        kind=slot.kind,
                    )
                    for slot in self._slots
                    if slot.consumer is not None
                ),
            )
        )

    def _section(self, slot: Slot) -> SubscribeSection:
        consumer = slot.consumer
        if consumer is None:
            # What this m-line carried last, now inactive.
            assert slot.section is not None
            slot.section = replace(slot.section, active=False, stopped=slot.stopped)
            return slot.section
        codec, rtx_payload_type = subscribe_codec(consumer.producer.codec)
        section = SubscribeSection(
            mid=slot.mid,
            kind=slot.kind,
            codec=codec,
            rtx_payload_type=rtx_payload_type,
            ssrc=consumer.leg.ssrc,
            rtx_ssrc=consumer.leg.rtx_ssrc,
            cname=consumer.producer.transport_id,
            stream_id=consumer.producer.transport_id,
            track_id=consumer.id,
            active=True,
        )
        slot.section = section
        return section

    def _new_ssrc(self) -> int:
        """One never used on this transport: under one key, an SSRC and index must not come twice."""
        while True:
            ssrc = 1 + secrets.randbelow(0xFFFFFFFE)
            if ssrc not in self._used_ssrcs:
                self._used_ssrcs.add(ssrc)
                return ssrc

    # --- feedback ------------------------------------------------------------------------------------

    def _handle_feedback(self, packet: Any, now: float) -> None:
        if isinstance(packet, Nack):
            consumer = self._legs.get(packet.media_ssrc)
            if consumer is not None and packet.media_ssrc == consumer.leg.ssrc:
                retransmit(consumer.leg, packet.lost, now)
        elif isinstance(packet, Pli):
            consumer = self._legs.get(packet.media_ssrc)
            if consumer is not None:
                consumer.request_keyframe()
        elif isinstance(packet, Fir):
            for ssrc, _ in packet.entries:
                consumer = self._legs.get(ssrc)
                if consumer is not None:
                    consumer.request_keyframe()
        elif isinstance(packet, ReceiverReport | SenderReport):
            for block in packet.reports:
                self._handle_report(block, now)

    def _handle_report(self, block: ReportBlock, now: float) -> None:
        consumer = self._legs.get(block.ssrc)
        if consumer is None or not block.lsr:
            return
        consumer.handle_report(block, now)

    def _send_reports(self, now: float) -> None:
        compound = b""
        for consumer in self.consumers.values():
            report = sender_report(consumer.leg, now)
            if report is None:
                continue
            consumer.note_report(report.ntp >> 16 & 0xFFFFFFFF, now)
            data = report.to_bytes()
            if len(compound) + len(data) > MAX_COMPOUND:
                self.association.send_rtcp(compound)
                compound = b""
            compound += data
        if compound:
            self.association.send_rtcp(compound)

    def _handle_layer(self, consumer: Consumer, spatial: int) -> None:
        self._host.emit(
            LayerChanged(
                consumer_id=consumer.id, current=LayerSpec(spatial=spatial, temporal=UNKNOWN_TEMPORAL)
            )
        )
