"""Targets behind SRTP, which a client with the right keys may send: RTP, RTCP, every codec's descriptor."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache

from sfu.bandwidth.rate import MAX_RATE, MIN_RATE
from sfu.codecs import dependency, keyframe_test, vp8, vp9
from sfu.codecs.frame_size import size_test
from sfu.codecs.layering import reader_for
from sfu.codecs.red import parse_red
from sfu.errors import CodecError, RtcpError, RtpError
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.receive import Inlet, Source
from sfu.forwarding.selector import aim_at
from sfu.layers import Layer
from sfu.rtp.extensions import build_extensions
from sfu.rtp.packet import RtpPacket
from sfu.rtp.reference_time import LONGEST, MAX_ASKERS, Answerer, Asker
from sfu.rtp.rtcp import (
    Fir,
    Nack,
    Pli,
    ReceiverReport,
    TransportFeedback,
    XrDlrr,
    XrRrtr,
    is_transport_feedback,
    parse_rtcp,
)
from sfu.rtp.rtcp_reports import ReportBlock
from sfu.rtp.transport_feedback import build_transport_feedback
from sfu.webrtc.plain import PlainInbound
from tests.fuzz.target import Target, joined, parts
from tests.sfu.bandwidth.estimator import Estimator
from tests.sfu.forwarding.world import Receiver, encoding
from tests.vectors import rtp

CODECS = ("video/VP8", "video/VP9", "video/AV1", "video/H264", "video/H265", "audio/opus")
MID, RID, TWCC, LEVEL, DESCRIPTOR = 4, 10, 3, 1, 12
PAYLOAD_TYPE, RTX_PAYLOAD_TYPE, RED_PAYLOAD_TYPE = 96, 97, 63
MISSED = -1
LOW, HIGH = Layer(0, 0), Layer(2, 2)


class Publisher:
    """A client whose packets are taken as they are, and receivers of all and of the lowest layer."""

    def __init__(self, mime: str) -> None:
        self.encoding: Encoding = encoding(mime)
        self.inlet = Inlet(self._identify)
        self.inlet.inbound = PlainInbound()
        self.inlet.mid_id, self.inlet.rid_id, self.inlet.twcc_id = MID, RID, TWCC
        self.receivers = [Receiver(), Receiver(twcc=False)]
        for receiver, layer in zip(self.receivers, (HIGH, LOW), strict=True):
            aim_at(receiver.leg(), self.encoding.cut(layer))

    def _identify(
        self, _ssrc: int, payload_type: int, _mid: str | None, _rid: str | None, _repaired: str | None
    ) -> Source:
        return Source(
            self.encoding,
            payload_type=payload_type,
            repair=payload_type == RTX_PAYLOAD_TYPE,
            twcc_id=TWCC,
            audio_level_id=LEVEL,
            forwarded_ids={LEVEL: 1, DESCRIPTOR: 12},
            on_level=lambda _level, _now: None,
            red_payload_type=RED_PAYLOAD_TYPE,
        )


def receive_rtp(data: bytes) -> None:
    """RFC 3550, 8285, 4588, 2198: packets of one publisher, forwarded to two receivers as they come."""
    with suppress(RtpError):
        RtpPacket.parse(data)
    mime = CODECS[data[0] % len(CODECS)] if data else CODECS[0]
    publisher = Publisher(mime)
    now = 1.0
    for packet in parts(data[1:]):
        publisher.inlet.handle_rtp([packet], now)
        now += 0.01
    publisher.inlet.arrivals.poll(now + 1.0, 1, 2)


def rtp_seeds() -> Sequence[bytes]:
    seeds = []
    for number, mime in enumerate(CODECS):
        payloads = _payloads(mime)[:6]
        packets = [_packet(sequence, payload, tail) for sequence, (tail, payload) in enumerate(payloads)]
        seeds.append(bytes((number,)) + joined(packets))
    padded = bytearray(_packet(7, b"\x10\x00\x00\x02\x02", b""))
    padded[0] |= 0x20
    resent = bytearray(_packet(8, b"\x00\x05\x10\x00", b""))
    resent[1] = RTX_PAYLOAD_TYPE
    return (*seeds, b"\0" + joined((bytes(padded), bytes(resent))))


def _packet(sequence: int, payload: bytes, tail: bytes) -> bytes:
    elements = [(MID, b"1"), (TWCC, sequence.to_bytes(2, "big")), (LEVEL, b"\x30")]
    if tail:
        elements.append((DESCRIPTOR, tail))
    extension = build_extensions(elements)
    return struct.pack("!BBHII", 0x90, PAYLOAD_TYPE, sequence, 3000 * sequence, 7) + extension + payload


def read_rtcp(data: bytes) -> None:
    """RFC 3550, 4585, 5104, transport-wide-cc-01: compounds, and what feedback says when it is read."""
    is_transport_feedback(data)
    with suppress(RtcpError):
        for packet in parse_rtcp(data):
            if isinstance(packet, TransportFeedback):
                packet.arrivals()
            elif isinstance(packet, Nack):
                assert len(packet.lost) < 1 << 16


def ask_and_answer(data: bytes) -> None:
    """RFC 3611 sections 4.4, 4.5: who asks for round trips, and who claims to have been asked."""
    asker, answerer = Asker(1, 1 << 20), Answerer()
    asker.ask(1.0)
    with suppress(RtcpError):
        for packet in parse_rtcp(data):
            if isinstance(packet, XrDlrr):
                asker.handle(packet.reports, 1.5)
                assert asker.rtt is None or 0.0 <= asker.rtt <= LONGEST
            elif isinstance(packet, XrRrtr):
                answerer.handle(packet, 1.5)
    answer = answerer.answer(2, 1.6)
    assert answer is None or len(answer.reports) <= MAX_ASKERS


def round_trip_seeds() -> Sequence[bytes]:
    question = Asker(1, 1 << 20).ask(1.0)
    answer = XrDlrr(9, ((1, question.ntp >> 16 & 0xFFFFFFFF, 6553), (2, 3, 4)))
    return question.to_bytes(), answer.to_bytes(), question.to_bytes() + answer.to_bytes()


def estimate_bandwidth(data: bytes) -> None:
    """transport-wide-cc-01: what a receiver says of what it was sent, read the short way and the long way."""
    swift, careful = Estimator(), Estimator(careful=True)
    now = 0.0
    for number, message in enumerate(parts(data)):
        now += 0.05
        for estimator in (swift, careful):
            for batch in range(2):
                estimator.ledger.sent.append((8 * number + 4 * batch, now - 0.04 + 0.02 * batch, [1000] * 4))
            with suppress(RtcpError):
                estimator.handle_feedback(message, now)
            estimator.poll(now, 1_000_000)
        assert MIN_RATE <= swift.estimate <= MAX_RATE
        assert swift.losses.all_received + swift.losses.all_lost <= 8 * (number + 1)
        assert swift.losses.all_received == careful.losses.all_received
        assert swift.losses.all_lost == careful.losses.all_lost


def estimate_seeds() -> Sequence[bytes]:
    def message(first: int, *gaps: int) -> bytes:
        """On eight packets a message, of which some came so many ticks after the one before."""
        arrivals = [
            (first + number, 1_000_000 + 6_250 * first + 250 * sum(gaps[: number + 1]))
            for number in range(len(gaps))
            if gaps[number] != MISSED
        ]
        return build_transport_feedback(1, 2, first & 0xFF, arrivals, base=first)[0]

    calm, late = (0, 0, 0, 0, 80, 0, 0, 0), (0, 0, 0, 0, 400, 0, 0, 0)
    gap = (0, 0, MISSED, 0, 80, 0, 0, 0)
    orders = ([calm] * 12, [calm] * 6 + [gap, calm, late, calm], [gap, late] * 4, [calm, (0, 0, 0), calm])
    return [joined([message(8 * number, *gaps) for number, gaps in enumerate(order)]) for order in orders]


def rtcp_seeds() -> Sequence[bytes]:
    report = ReceiverReport(1, (ReportBlock(2, 12, 3, 70000, 5, 6, 7),)).to_bytes()
    feedback = build_transport_feedback(1, 2, 3, [(4, 1_000_000), (5, 1_000_250), (9, 1_100_000)])
    return (
        report + Nack(1, 2, (3, 4, 9, 40)).to_bytes(),
        report + Pli(1, 2).to_bytes() + Fir(1, ((2, 3),)).to_bytes(),
        feedback[0],
        b"\x80\xcf\x00\x04" + bytes(4) + b"\x04\x00\x00\x02" + bytes(8),
    )


def read_descriptors(data: bytes) -> None:
    """RFC 7741, 9628, 6184, 7798, 2198, the AV1 RTP specification: each reader, on what it did not expect."""
    for mime in CODECS:
        keyframe_test(mime)(data)
    for parse in (vp8.parse_descriptor, vp9.parse_descriptor, vp8.find_counters, vp9.find_counters):
        with suppress(CodecError):
            parse(data)
    with suppress(CodecError):
        parse_red(data, 111)
    with suppress(CodecError):
        dependency.parse_descriptor(data, None)


def read_sizes(data: bytes) -> None:
    """RFC 6386, the specifications of VP9, H.264, H.265, AV1: the headers that tell a picture's size."""
    size = data[0] % 64 if data else 0
    for mime in CODECS:
        width, height = size_test(mime)(data[1 + size :], data[1 : 1 + size] or None)
        assert 0 <= width <= 1 << 36
        assert 0 <= height <= 1 << 37


def size_seeds() -> Sequence[bytes]:
    firsts = [_payloads(mime)[0] for mime in CODECS]
    parameters = rtp.read("h264_high").packets[0].payload[:200]
    seeds = [bytes((len(tail),)) + tail + payload for tail, payload in firsts]
    return (*seeds, b"\0" + parameters)


def descriptor_seeds() -> Sequence[bytes]:
    seeds = [payload[:40] for mime in CODECS for _, payload in _payloads(mime)[:4]]
    seeds += [tail for mime in CODECS for tail, _ in _payloads(mime)[:4] if tail]
    return (*seeds, b"\xef\x00\x04\x05\x6f" + b"early" + b"primary")


def _layer_reader(mime: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        """A stream of packets through one reader, which remembers; then every way it knows between layers."""
        reader = reader_for(mime, lambda tail: tail or None)
        for number, packet in enumerate(parts(data, most=24)):
            size = packet[0] % 64 if packet else 0
            tail, payload = packet[1 : 1 + size], packet[1 + size :]
            reader.read(3000 * number, 0x80 * (number % 2), tail, payload, late=number % 5 == 4)
            reader.reach(LOW, HIGH)
            reader.reach(HIGH, LOW)

    return read


def _layer_seeds(mime: str) -> Callable[[], Sequence[bytes]]:
    def seeds() -> Sequence[bytes]:
        packets = [bytes((len(tail) % 64,)) + tail[:63] + payload for tail, payload in _payloads(mime)[:12]]
        return (joined(packets),)

    return seeds


@cache
def _payloads(mime: str) -> list[tuple[bytes, bytes]]:
    """Extension tails and payloads as real encoders made them, or made up where there is no capture."""
    captured = {
        "video/VP8": "vp8_simulcast",
        "video/VP9": "vp9_l3t3",
        "video/AV1": "av1_l1t3",
        "video/H265": "h265_l1t2",
    }
    if mime in captured:
        return [(one.tail[:63], one.payload[:200]) for one in rtp.read(captured[mime]).packets[:24]]
    if mime == "video/H264":
        aggregate = b"\x78\x00\x04\x67\x42\xe0\x1f\x00\x02\x68\xce\x00\x03\x65\x88\x84"
        return [(b"", aggregate), (b"", b"\x7c\x85" + bytes(20)), (b"", b"\x7c\x41" + bytes(20))]
    return [(b"", b"\xfc" + bytes(30)), (b"", b"\x08")]


TARGETS = (
    Target("rtp", receive_rtp, rtp_seeds),
    Target("rtcp", read_rtcp, rtcp_seeds),
    Target("bandwidth", estimate_bandwidth, estimate_seeds),
    Target("round-trip", ask_and_answer, round_trip_seeds),
    Target("descriptors", read_descriptors, descriptor_seeds),
    Target("frame-sizes", read_sizes, size_seeds),
    *(Target(f"layers-{mime[6:].lower()}", _layer_reader(mime), _layer_seeds(mime)) for mime in CODECS[:5]),
)
