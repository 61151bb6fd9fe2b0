"""What the receiver at the other end of a subscribe transport reports and asks for, and what it is told.

RTCP in both directions (RFC 3550, 4585, 3611), found by SSRC to be some consumer's: reports of how much
arrived, requests for lost packets and for key frames, the receiver's own estimate; and the sender reports of
everything that goes out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from sfu.bandwidth.controller import BandwidthController
from sfu.bandwidth.pacer import RepairPacer
from sfu.consumer import Consumer
from sfu.forwarding.report import sender_report
from sfu.forwarding.retransmit import retransmit
from sfu.rtp.reference_time import Answerer
from sfu.rtp.rtcp import (
    Fir,
    Nack,
    Pli,
    ReceiverReport,
    Remb,
    ReportBlock,
    SenderReport,
    XrRrtr,
    is_transport_feedback,
    parse_rtcp,
)

REPORT_INTERVAL = 1.0
MAX_COMPOUND = 1100
"""Bytes of RTCP put into one datagram."""
LOSSY = 0.05
"""Share of packets lost from which a repair goes twice. A second request comes too late for most:
their browsers show the next picture without this one."""
SECOND_AFTER = 0.02
"""Seconds until the copy, which a burst of losses may spare."""
MAX_COPIES = 64
"""Groups of packets that wait to go a second time."""


class SubscribeFeedback:
    """Owned by its subscribe transport, which opens and seals the packets."""

    def __init__(self, bandwidth: BandwidthController) -> None:
        self._bandwidth = bandwidth
        self._repairs = RepairPacer()
        self._copies: deque[tuple[float, int, list[int]]] = deque(maxlen=MAX_COPIES)
        """When which packets of which stream go a second time."""
        self._consumers: dict[int, Consumer] = {}
        """By SSRC, that of its retransmissions as well."""
        self._answerer = Answerer()
        self.report_due = 0.0
        """When `poll_reports` has something to say next."""

    def add(self, consumer: Consumer) -> None:
        self._consumers[consumer.leg.ssrc] = consumer
        self._consumers[consumer.leg.rtx_ssrc] = consumer

    def remove(self, consumer: Consumer) -> None:
        self._consumers.pop(consumer.leg.ssrc, None)
        self._consumers.pop(consumer.leg.rtx_ssrc, None)

    def handle(self, data: bytes, now: float) -> bool:
        """A datagram of RTCP, opened. True where it changed what the path is believed to take.

        Raises `RtcpError`.
        """
        if is_transport_feedback(data):
            return self._bandwidth.handle_feedback(data, now)
        for packet in parse_rtcp(data):
            self._handle_packet(packet, now)
        return False

    # --- repairs -------------------------------------------------------------------------------------

    @property
    def repairing(self) -> bool:
        """Whether lost packets wait to be sent again, for which `repair` wants to be called."""
        return self._repairs.waiting or bool(self._copies)

    def repair(self, now: float) -> None:
        """Send again what was asked for, as far as the path has room; twice where it loses much."""
        bandwidth = self._bandwidth
        while self._copies and now >= self._copies[0][0]:
            _, ssrc, sequences = self._copies.popleft()
            consumer = self._consumers.get(ssrc)
            if consumer is not None and not bandwidth.crowded:
                retransmit(consumer.leg, sequences, now, copies=True)
        for ssrc, sequences in self._repairs.take(now, bandwidth.estimate).items():
            consumer = self._consumers.get(ssrc)
            if consumer is not None:
                retransmit(consumer.leg, sequences, now)
                if bandwidth.loss >= LOSSY:
                    self._copies.append((now + SECOND_AFTER, ssrc, sequences))

    def forget_repairs(self, ssrc: int) -> None:
        """What was lost of this stream is of no use any more."""
        self._repairs.forget(ssrc)

    # --- reports -------------------------------------------------------------------------------------

    def poll_reports(self, consumers: Iterable[Consumer], now: float) -> Iterator[bytes]:
        """Once a second: compound packets with the sender reports of whatever was sent yet."""
        if now < self.report_due:
            return
        self.report_due = now + REPORT_INTERVAL
        compound = b""
        ssrc = 0
        for consumer in consumers:
            report = sender_report(consumer.leg, now)
            if report is None:
                continue
            consumer.note_report(report.ntp >> 16 & 0xFFFFFFFF, now)
            data = report.to_bytes()
            ssrc = report.ssrc
            if len(compound) + len(data) > MAX_COMPOUND:
                yield compound
                compound = b""
            compound += data
        if compound:
            answer = self._answerer.answer(ssrc, now)
            yield compound + (answer.to_bytes() if answer is not None else b"")

    # --- inside --------------------------------------------------------------------------------------

    def _handle_packet(self, packet: Any, now: float) -> None:
        if isinstance(packet, Nack):
            consumer = self._consumers.get(packet.media_ssrc)
            if consumer is not None and packet.media_ssrc == consumer.leg.ssrc:
                self._repairs.ask(packet.media_ssrc, packet.lost, now)
                self.repair(now)
        elif isinstance(packet, Pli):
            self._request_keyframe(packet.media_ssrc)
        elif isinstance(packet, Fir):
            for ssrc, _ in packet.entries:
                self._request_keyframe(ssrc)
        elif isinstance(packet, ReceiverReport | SenderReport):
            for block in packet.reports:
                self._handle_report(block, now)
            if packet.reports:
                worst = max(block.fraction_lost for block in packet.reports)
                self._bandwidth.handle_loss(worst / 256, now)
        elif isinstance(packet, Remb):
            self._bandwidth.handle_remb(packet.bitrate, now)
        elif isinstance(packet, XrRrtr):
            self._answerer.handle(packet, now)

    def _request_keyframe(self, ssrc: int) -> None:
        consumer = self._consumers.get(ssrc)
        if consumer is not None:
            consumer.request_keyframe()

    def _handle_report(self, block: ReportBlock, now: float) -> None:
        consumer = self._consumers.get(block.ssrc)
        if consumer is not None and block.lsr:
            consumer.handle_report(block, now)
