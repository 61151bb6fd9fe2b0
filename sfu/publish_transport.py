"""The transport a client publishes on: its grants, its producers, and the RTCP towards the publisher."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sfu.codecs import finds_keyframes_of_encrypted
from sfu.control.messages import Grant, LayersWanted, ProducerScored, ProducerSpec
from sfu.data.message import MAX_MESSAGE
from sfu.data.relay import DataEnd
from sfu.errors import NodeCommandError, RtcpError
from sfu.forwarding.encoding import Encoding
from sfu.identification import Identification
from sfu.policing.meters import Meters, terms_of
from sfu.producer import Producer
from sfu.rtp.negotiation import choose_publish
from sfu.rtp.parameters import MediaSection, PublishParameters
from sfu.rtp.reference_time import Asker
from sfu.rtp.rtcp import Nack, Pli, ReceiverReport, SenderReport, XrDlrr, parse_rtcp
from sfu.transport import Host, Transport
from sfu.webrtc.description import data_section, publish_answer
from sfu.webrtc.sdp import SessionDescription, parse_sdp, to_sdp
from sfu.webrtc.udp import Path

if TYPE_CHECKING:
    from sfu.router import Router

REPORT_INTERVAL = 1.0
RETRY_AFTER, LONGEST_RETRY = 0.1, 0.5
"""Seconds between two NACKs for one packet: a round trip with room, between these bounds."""
RETRY_ROOM = 1.25
MAX_NACKS = 100
"""Sequence numbers in one NACK packet."""


@dataclass(frozen=True, slots=True)
class OfferOutcome:
    """The answer to a publish offer, the producers it made, those it ended, and all that are active."""

    answer: str
    created: tuple[Producer, ...]
    removed: tuple[str, ...]
    active: tuple[Producer, ...]


class PublishTransport(Transport):
    """Refuses media outside the grants, whatever the client's SDP or SSRCs say."""

    def __init__(
        self,
        host: Host,
        router: Router,
        transport_id: str,
        label: str,
        grants: Iterable[Grant],
        now: float,
    ) -> None:
        super().__init__(host, router.id, transport_id, label, now)
        self.producers: dict[str, Producer] = {}
        self._identification = Identification(router.detector)
        self.inlet = self._identification.inlet
        self.rtcp_malformed = 0
        self.data = DataEnd(
            router.data,
            name=label,
            transport_id=transport_id,
            rate=host.data_rate,
            transmit=self.association.send_data,
            emit=host.emit,
            now=now,
        )
        self._router = router
        self._meters = Meters(host.emit)
        self._set_grants(grants)
        self._local_ssrc = 1 + secrets.randbelow(0xFFFFFFFF)
        self._asker = Asker(self._local_ssrc, secrets.randbelow(1 << 31))
        self._report_due = 0.0
        self._packets_seen = 0
        self._settled = False

    # --- commands ------------------------------------------------------------------------------------

    def set_grants(self, grants: Iterable[Grant]) -> list[str]:
        """Replace the grants. Returns the producers outside them, already silenced, to be closed."""
        self._set_grants(grants)
        outside = [p for p in self.producers.values() if (p.source, p.kind) not in self._grants]
        for producer in outside:
            producer.close()
        return [producer.id for producer in outside]

    @property
    def grants(self) -> tuple[Grant, ...]:
        return tuple(self._grants.values())

    def handle_offer(self, sdp: str, specs: Iterable[ProducerSpec], now: float) -> OfferOutcome:
        """Raises `SdpError` for an offer that cannot be read, and then nothing has changed."""
        offer = parse_sdp(sdp)
        wanted = {spec.mid: spec for spec in specs}
        chosen: dict[str, PublishParameters] = {}
        created: list[Producer] = []
        active: list[Producer] = []
        for section in offer.sections:
            spec = wanted.get(section.mid)
            if spec is None or not section.direction.sends:
                continue
            grant = self._grants.get((spec.source, spec.kind))
            if grant is None or section.kind != spec.kind:
                continue
            known = self.producers.get(spec.producer_id)
            parameters = (
                self._identification.parameters_of(known.id)
                if known is not None and known.mid == section.mid
                else choose_publish(section, terms_of(grant))
            )
            if parameters is None:
                raise NodeCommandError(
                    "unsupported_codec", f"m-line {section.mid!r} offers no codec that this server forwards"
                )
            if spec.encrypted and not finds_keyframes_of_encrypted(parameters.codec.mime):
                raise NodeCommandError(
                    "unsupported_codec",
                    f"m-line {section.mid!r} is encrypted, and its codec cannot be forwarded so: "
                    "offer VP8 or VP9 before it",
                )
            if spec.encrypted:
                # Redundancy is taken apart and made here, which nobody can do with what they cannot read.
                parameters = replace(parameters, red_payload_type=None, prefers_red=False)
            chosen[section.mid] = parameters
            if known is None:
                known = self._make_producer(spec, section, parameters)
                created.append(known)
            active.append(known)
        publish_answer(offer, chosen, self.local)  # raises before anything has changed
        self.wake()
        self.take_remote(offer, now)
        self._take_data(offer, now)
        self._identification.learn_extensions(chosen.values())
        for producer in created:
            self.producers[producer.id] = producer
            grant = self._grants[producer.source, producer.kind]
            self._meters.add(producer, grant, now, encrypted=wanted[producer.mid].encrypted)
            self._identification.add(producer, chosen[producer.mid])
        kept = {producer.id for producer in active}
        removed = tuple(producer_id for producer_id in self.producers if producer_id not in kept)
        answer = to_sdp(publish_answer(offer, chosen, self.local, max_message=MAX_MESSAGE))
        return OfferOutcome(answer, tuple(created), removed, tuple(active))

    def forget_producer(self, producer_id: str) -> None:
        producer = self.producers.pop(producer_id, None)
        self._identification.forget(producer_id)
        self._meters.forget(producer_id)
        if producer is None:
            return
        self._router.detector.remove(producer_id)

    @property
    def restless(self) -> bool:
        return not self.quiet

    @property
    def quiet(self) -> bool:
        if not self._settled or self.inlet.packets != self._packets_seen:
            return False
        # Asked of everybody ten times a second: a generator would take longer than all of it.
        for producer in self.producers.values():  # noqa: SIM110
            if producer.stirred:
                return False
        return True

    @property
    def busy(self) -> bool:
        return self.association.handshaking or any(
            encoding.pending_requests for p in self.producers.values() for encoding in p.encodings
        )

    # --- association ---------------------------------------------------------------------------------

    def handle_connected(self, now: float) -> None:
        self.inlet.inbound = self.association.inbound
        super().handle_connected(now)
        self.data.handle_connected()

    def handle_path(self, path: Path) -> None:
        """Reports go back by the association's own path, whichever it is."""

    def handle_rtp(self, packets: list[bytes], now: float, came: Sequence[float] = ()) -> None:
        if self._rests_until:
            self.wake()
        self.inlet.handle_rtp(packets, now, came)

    def handle_rtcp(self, packets: list[bytes], now: float) -> None:
        inbound = self.association.inbound
        if inbound is None:
            return
        for data in packets:
            plain = inbound.open_rtcp(data)
            if plain is None:
                continue
            try:
                reports = parse_rtcp(plain)
            except RtcpError:
                self.rtcp_malformed += 1
                continue
            for report in reports:
                if isinstance(report, SenderReport):
                    source = self.inlet.sources.get(report.ssrc)
                    if source is not None and not source.repair:
                        source.encoding.stream.handle_sender_report(report.ntp, report.rtp_timestamp, now)
                elif isinstance(report, XrDlrr):
                    self._handle_round_trip(report, now)

    def _handle_round_trip(self, answer: XrDlrr, now: float) -> None:
        self._asker.handle(answer.reports, now)
        for producer in self.producers.values():
            producer.rtt = self._asker.rtt

    def is_voice(self, data: bytes) -> bool:
        return self.inlet.is_voice(data)

    def handle_unread(self, now: float) -> None:
        """What was lost here is told from what the path lost by the node's `behind`."""

    def handle_data(self, packets: list[bytes], now: float) -> None:
        self.wake()
        self.data.handle_packets(packets, now)

    # --- time ----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        super().tick(now)
        self._packets_seen = self.inlet.packets
        self.data.tick(now)
        self._poll_producers(now)
        self._settled = not self.busy
        self._consider_rest(now, possible=self._may_rest)

    @property
    def _may_rest(self) -> bool:
        """Who sends though muted has turns like everybody."""
        muted = all(producer.paused for producer in self.producers.values())
        return muted and self.quiet and not self.data.behind

    def _poll_producers(self, now: float) -> None:
        if self.association.outbound is None or not self.producers:
            return
        for packet in self.inlet.arrivals.poll(now, self._local_ssrc, self._any_ssrc()):
            self.association.send_rtcp(packet)
        for producer in self.producers.values():
            producer.measure(now)
            producer.stirred = False
            score = producer.meter.poll(now)
            if producer.meter.settled_at == now:
                self._host.quality.observe(
                    "in", producer.kind, producer.meter.figures, producer.meter.freezes_begun
                )
            if score is not None:
                self._host.emit(ProducerScored(producer_id=producer.id, score=score))
            wanted = producer.poll_wanted(now)
            if wanted is not None:
                self._host.emit(LayersWanted(producer_id=producer.id, encodings=wanted))
            for encoding in producer.encodings:
                if encoding.is_video and encoding.stream.ssrc:
                    self._repair(encoding, now)
        if now >= self._report_due:
            self._report_due = now + REPORT_INTERVAL
            self._send_receiver_report(now)
        self._meters.tick(now)

    def close(self) -> None:
        for producer in self.producers.values():
            producer.close()
        self.data.close()
        super().close()

    def stats(self, now: float) -> dict[str, object]:
        inlet = self.inlet
        return {
            "transport_id": self.id,
            "state": self.state.value,
            "packets": inlet.packets,
            "malformed": inlet.malformed,
            "unidentified": inlet.unidentified,
            "data_channels": list(self.data.channels),
            "producers": [producer.stats(now) for producer in self.producers.values()],
        }

    # --- inside --------------------------------------------------------------------------------------

    def _set_grants(self, grants: Iterable[Grant]) -> None:
        self._grants = {(grant.source, grant.kind): grant for grant in grants}
        self.data.granted = any(kind == "data" for _, kind in self._grants)
        self._meters.change(self._grants)

    def _take_data(self, offer: SessionDescription, now: float) -> None:
        section = data_section(offer)
        if section is None or section.sctp_port is None:
            self.data.close()
        else:
            self.data.negotiate(section.sctp_port, section.max_message_size, now)

    def _make_producer(
        self, spec: ProducerSpec, section: MediaSection, parameters: PublishParameters
    ) -> Producer:
        return Producer(
            producer_id=spec.producer_id,
            transport_id=self.id,
            mid=section.mid,
            source=spec.source,
            kind=spec.kind,
            codec=parameters.codec,
            rids=parameters.rids,
            ssrc=parameters.ssrc or 0,
            paused=spec.paused,
            sends_red=parameters.prefers_red,
            on_stirred=self.wake,
        )

    def _repair(self, encoding: Encoding, now: float) -> None:
        stream = encoding.stream
        nack = stream.nack
        if nack is not None:
            rtt = self._asker.rtt or 0.0
            if self._host.behind:
                nack.wait()
            elif lost := nack.poll(now, min(max(RETRY_ROOM * rtt, RETRY_AFTER), LONGEST_RETRY)):
                self.association.send_rtcp(
                    Nack(
                        self._local_ssrc, stream.ssrc, tuple(s & 0xFFFF for s in lost[:MAX_NACKS])
                    ).to_bytes()
                )
            if nack.overflowed:
                nack.overflowed = False
                encoding.request_keyframe()
        if encoding.asks_keyframe and encoding.keyframes.poll(now, self._host.measures.keyframe_interval):
            self.association.send_rtcp(Pli(self._local_ssrc, stream.ssrc).to_bytes())

    def _send_receiver_report(self, now: float) -> None:
        blocks = [
            encoding.stream.report(now)
            for producer in self.producers.values()
            for encoding in producer.encodings
            if encoding.stream.highest >= 0
        ]
        question = self._asker.ask(now).to_bytes() if blocks else b""
        for start in range(0, len(blocks), 31):
            report = ReceiverReport(ssrc=self._local_ssrc, reports=tuple(blocks[start : start + 31]))
            self.association.send_rtcp(report.to_bytes() + question)
            question = b""

    def _any_ssrc(self) -> int:
        for producer in self.producers.values():
            for encoding in producer.encodings:
                if encoding.stream.ssrc:
                    return encoding.stream.ssrc
        return 0
