"""A pipe: how producers of this node reach another one, and those of the other one reach this.

    NEW --connect--> CONNECTING --the other end is heard--> CONNECTED <--> SILENT
     |                |      ^                                  |             |
     |                |      +-------------reconnect------------+-------------+
     +----------------+-------------------> CLOSED <------------+-------------+

One pipe joins two nodes and serves every session that is on both. At its origin a producer costs one more
leg of the fan-out; at the far end it is received once and then behaves like a producer of that node. Packets
go in batches from socket to socket, sealed with AES-GCM under a key of each end's own making, or plainly
where both ends are on one machine's loopback interface. Nothing is believed before it was opened; SSRCs are
those that were agreed over the control links.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from sfu.control.messages import Event, PipedProducer, PipeStateChanged
from sfu.errors import RtcpError
from sfu.forwarding.leg import Egress
from sfu.forwarding.receive import Inlet, Source
from sfu.forwarding.retransmit import retransmit
from sfu.pipes.receiver import IncomingEncoding, PipeReceiver
from sfu.pipes.sender import PipeLeg, PipeSender
from sfu.producer import Producer
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import ExtensionUri
from sfu.rtp.pipe_report import (
    CARRIED,
    RATE,
    SENT,
    VOICE,
    WANTED,
    PipeReport,
    is_pipe_report,
    reports,
    to_carried,
    to_rate,
    to_wish,
)
from sfu.rtp.rtcp import Nack, Pli, ReceiverReport, SenderReport, parse_rtcp
from sfu.speakers import SpeakerDetector
from sfu.webrtc.plain import Inbound, Outbound
from sfu.webrtc.udp import Path, SocketCalls

REPEAT_INTERVAL = 0.5
"""Seconds between two times that an end says everything again; the sign of life as well."""
SILENT_AFTER = 3.0
MAX_REPORT_BLOCKS = 31
MAX_BATCH = 8192
"""Packets looked at in one turn of the loop."""


class PipeState(Enum):
    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    SILENT = "silent"
    CLOSED = "closed"


_S = PipeState
TRANSITIONS: dict[PipeState, frozenset[PipeState]] = {
    _S.NEW: frozenset({_S.CONNECTING, _S.CLOSED}),
    _S.CONNECTING: frozenset({_S.CONNECTED, _S.SILENT, _S.CLOSED}),
    _S.CONNECTED: frozenset({_S.CONNECTING, _S.SILENT, _S.CLOSED}),
    _S.SILENT: frozenset({_S.CONNECTING, _S.CONNECTED, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}
_TOLD = (PipeState.CONNECTED, PipeState.SILENT)


class Pipe:
    """One end. The node's `NodePipes` makes it, ticks it and closes it."""

    def __init__(self, pipe_id: str, emit: Callable[[Event], None]) -> None:
        self.id = pipe_id
        self.state = PipeState.NEW
        self.rtp_in: list[bytes] = []
        self.came_in: list[float] = []
        self.rtcp_in: list[bytes] = []
        self.egress = Egress()
        # The fan-out is quickest with the headers that receivers get; nobody reads the numbers here.
        self.egress.transport_tag = SUBSCRIBE_EXTENSIONS[ExtensionUri.TWCC] << 4 | 1
        self.inlet = Inlet(_nobody_else)
        self.sending: dict[str, PipeSender] = {}
        self.receiving: dict[str, PipeReceiver] = {}
        self.dropped = 0
        self.malformed = 0
        self._emit = emit
        self._inbound: Inbound | None = None
        self._outbound: Outbound | None = None
        self._path: Path | None = None
        self._legs: dict[int, tuple[PipeSender, PipeLeg]] = {}
        self._incoming: dict[int, tuple[PipeReceiver, IncomingEncoding]] = {}
        self._ssrcs = _fresh_ssrcs()
        self._own_ssrc = next(self._ssrcs)
        self._heard_at = 0.0
        self._repeat_due = 0.0

    # --- commands ------------------------------------------------------------------------------------

    def connect(
        self, path: Path, calls: SocketCalls, inbound: Inbound, outbound: Outbound, now: float
    ) -> None:
        self._inbound = self.inlet.inbound = inbound
        self._outbound = self.egress.outbound = outbound
        self.reconnect(path, calls, now)

    def reconnect(self, path: Path, calls: SocketCalls, now: float) -> None:
        """By another way from now on, with the keys that there are."""
        egress = self.egress
        self._path = egress.path = path
        egress.address = path.address
        egress.sendto, egress.sendmsg = calls
        self._heard_at = now
        for sender in self.sending.values():
            sender.prepare()
        self._move_to(PipeState.CONNECTING)

    def send(self, producer: Producer) -> PipedProducer:
        """Take a producer of this node along. Nothing flows before the far end wants some of it."""
        sender = self.sending.get(producer.id)
        if sender is None:
            sender = PipeSender(producer, self.egress, self._ssrcs)
            self.sending[producer.id] = sender
            producer.branches[self.id] = sender
            self._legs.update((ssrc, (sender, one)) for ssrc, one in sender.legs.items())
            self._legs.update((one.leg.rtx_ssrc, (sender, one)) for one in sender.legs.values())
        return sender.description

    def stop_sending(self, producer_id: str) -> None:
        sender = self.sending.pop(producer_id, None)
        if sender is None:
            return
        sender.detach()
        sender.producer.branches.pop(self.id, None)
        self._legs = {ssrc: entry for ssrc, entry in self._legs.items() if entry[0] is not sender}

    def receive(self, spec: PipedProducer, router_id: str, detector: SpeakerDetector) -> PipeReceiver:
        """Make the producer that the other end sends."""
        receiver = PipeReceiver(spec, router_id, detector)
        self.receiving[spec.producer_id] = receiver
        self.inlet.sources.update(receiver.sources())
        self._incoming.update((one.ssrc, (receiver, one)) for one in receiver.encodings)
        return receiver

    def stop_receiving(self, producer_id: str) -> None:
        receiver = self.receiving.pop(producer_id, None)
        if receiver is None:
            return
        receiver.close()
        for ssrc, _ in receiver.sources():
            self.inlet.sources.pop(ssrc, None)
            self._incoming.pop(ssrc, None)

    def close(self) -> None:
        """Idempotent. Nothing goes in or out afterwards; the node closes the producers that came by it."""
        for producer_id in list(self.sending):
            self.stop_sending(producer_id)
        for producer_id in list(self.receiving):
            self.stop_receiving(producer_id)
        self._inbound = self.inlet.inbound = self._outbound = None
        self._move_to(PipeState.CLOSED)

    # --- what the port calls -------------------------------------------------------------------------

    def handle_other(self, _data: bytes, _path: Path, _now: float) -> None:
        """Neither RTP nor RTCP: nothing that the other end sends."""
        self.dropped += 1

    def is_voice(self, data: bytes) -> bool:
        return self.inlet.is_voice(data)

    def handle_late(self, packets: int, now: float) -> None:
        """The port counts them, and the other end is trusted not to flood."""

    def handle_batch(self, now: float) -> None:
        rtp, rtcp = self.rtp_in, self.rtcp_in
        self.rtp_in, self.rtcp_in, self.came_in = [], [], []
        inbound = self._inbound
        if inbound is None:
            self.dropped += len(rtp) + len(rtcp)
            return
        if len(rtp) > MAX_BATCH:
            self.dropped += len(rtp) - MAX_BATCH
            del rtp[MAX_BATCH:]
        if rtp:
            self.inlet.handle_rtp(rtp, now)
        for data in rtcp:
            plain = inbound.open_rtcp(data)
            if plain is None:
                continue
            self._heard_at = now
            self._move_to(PipeState.CONNECTED)
            try:
                self._handle_rtcp(plain, now)
            except RtcpError:
                self.malformed += 1

    # --- time ----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether it has something to say before the next slow tick."""
        return any(receiver.busy for receiver in self.receiving.values())

    def tick(self, now: float, *, behind: bool = False) -> None:
        if self._outbound is None:
            return
        repeat = now >= self._repeat_due
        if repeat:
            self._repeat_due = now + REPEAT_INTERVAL
        self._ask(now, repeat=repeat, behind=behind)
        self._tell(now, repeat=repeat)
        if self.state is not PipeState.SILENT and now - self._heard_at > SILENT_AFTER:
            self._move_to(PipeState.SILENT)

    def stats(self) -> dict[str, object]:
        legs = [one for sender in self.sending.values() for one in sender.legs.values()]
        inbound = self._inbound
        return {
            "pipe_id": self.id,
            "state": self.state.value,
            "sending": len(self.sending),
            "receiving": len(self.receiving),
            "packets_sent": sum(one.leg.packets for one in legs),
            "retransmitted": sum(one.leg.retransmitted for one in legs),
            "fraction_lost": max((one.fraction_lost for one in legs), default=0.0),
            "rtt": max((one.leg.rtt for one in legs), default=0.0),
            "packets_received": self.inlet.packets,
            "unidentified": self.inlet.unidentified,
            "auth_failures": 0 if inbound is None else inbound.auth_failures,
            "dropped": self.dropped,
            "malformed": self.malformed,
        }

    # --- inside: what comes --------------------------------------------------------------------------

    def _handle_rtcp(self, data: bytes, now: float) -> None:
        if is_pipe_report(data):
            report = PipeReport.parse(data)
            for ssrc, value in report.entries:
                self._handle_entry(report.subject, ssrc, value, now)
            if report.subject == WANTED:
                # The far end goes by it when the next key frame comes, so it should be there before that.
                self._tell_carried(repeat=False)
            return
        for packet in parse_rtcp(data):
            self._handle_packet(packet, now)

    def _handle_entry(self, subject: int, ssrc: int, value: int, now: float) -> None:
        if subject == WANTED and ssrc in self._legs:
            sender, one = self._legs[ssrc]
            if one.leg.ssrc == ssrc:
                sender.handle_wanted(ssrc, to_wish(value), now)
        elif subject == SENT and ssrc in self._incoming:
            receiver, incoming = self._incoming[ssrc]
            receiver.handle_sent(incoming, bitrate=value, now=now)
        elif subject == RATE and ssrc in self._incoming:
            receiver, incoming = self._incoming[ssrc]
            receiver.handle_rate(incoming, *to_rate(value), now)
        elif subject == CARRIED and ssrc in self._incoming:
            receiver, incoming = self._incoming[ssrc]
            receiver.handle_carried(incoming, *to_carried(value))
        elif subject == VOICE and ssrc in self._incoming:
            self._incoming[ssrc][0].handle_voice(value)

    def _handle_packet(self, packet: Any, now: float) -> None:
        if isinstance(packet, SenderReport):
            incoming = self._incoming.get(packet.ssrc)
            if incoming is not None:
                incoming[1].encoding.stream.handle_sender_report(packet.ntp, packet.rtp_timestamp, now)
        elif isinstance(packet, Nack):
            entry = self._legs.get(packet.media_ssrc)
            if entry is not None:
                retransmit(entry[1].leg, packet.lost, now)
        elif isinstance(packet, Pli):
            entry = self._legs.get(packet.media_ssrc)
            if entry is not None:
                entry[1].encoding.request_keyframe()
        elif isinstance(packet, ReceiverReport):
            for block in packet.reports:
                entry = self._legs.get(block.ssrc)
                if entry is not None:
                    entry[1].handle_report(block, now)

    # --- inside: what is said ------------------------------------------------------------------------

    def _ask(self, now: float, *, repeat: bool, behind: bool) -> None:
        """As a receiver: what is wanted, what is missing, how much arrives."""
        wanted: list[tuple[int, int]] = []
        for receiver in self.receiving.values():
            wanted += receiver.poll_wanted(now, everything=repeat)
            for request in receiver.poll_requests(self._own_ssrc, now, behind=behind):
                self._send_rtcp(request)
        if wanted or repeat:
            self._report(WANTED, wanted)
        if repeat:
            self._send_receiver_reports(now)

    def _tell(self, now: float, *, repeat: bool) -> None:
        """As a sender: which encodings there are to be had, and the publishers' clocks."""
        sent: list[tuple[int, int]] = []
        rates: list[tuple[int, int]] = []
        voices: list[tuple[int, int]] = []
        for sender in self.sending.values():
            sender.select(now)
            sent += sender.poll_sent(now, everything=repeat)
            rates += sender.poll_rates(now, everything=repeat)
            voices += sender.poll_voice(everything=repeat)
            for one in sender.legs.values():
                clock = one.poll_report(now)
                if clock is not None:
                    self._send_rtcp(clock.to_bytes())
        if sent:
            self._report(SENT, sent)
        if rates:
            self._report(RATE, rates)
        if voices:
            self._report(VOICE, voices)
        self._tell_carried(repeat=repeat)

    def _tell_carried(self, *, repeat: bool) -> None:
        carried: list[tuple[int, int]] = []
        for sender in self.sending.values():
            carried += sender.poll_carried(everything=repeat)
        if carried:
            self._report(CARRIED, carried)

    def _send_receiver_reports(self, now: float) -> None:
        blocks = [
            one.encoding.stream.report(now)
            for _, one in self._incoming.values()
            if one.encoding.stream.highest >= 0
        ]
        for start in range(0, len(blocks), MAX_REPORT_BLOCKS):
            report = ReceiverReport(self._own_ssrc, tuple(blocks[start : start + MAX_REPORT_BLOCKS]))
            self._send_rtcp(report.to_bytes())

    def _report(self, subject: int, entries: list[tuple[int, int]]) -> None:
        for report in reports(subject, self._own_ssrc, entries):
            self._send_rtcp(report.to_bytes())

    def _send_rtcp(self, data: bytes) -> None:
        if self._outbound is not None and self._path is not None:
            self._path.send(self._outbound.seal_rtcp(data))

    def _move_to(self, state: PipeState) -> None:
        if state is self.state or state not in TRANSITIONS[self.state]:
            return
        self.state = state
        if state in _TOLD:
            self._emit(PipeStateChanged(pipe_id=self.id, state=state.value))


def _nobody_else(*_names: object) -> Source | None:
    """Every SSRC of a pipe is agreed beforehand; another one is nobody's."""
    return None


def _fresh_ssrcs() -> Iterator[int]:
    """SSRCs that never come twice: under one key, an SSRC and index must not either."""
    start = secrets.randbelow(1 << 32)
    for step in range(1 << 32):
        ssrc = (start + step) & 0xFFFFFFFF
        if ssrc:
            yield ssrc
