"""A producer on its way to another node: the origin's side of it.

Every encoding has a leg of its own into the pipe, like a consumer's, so the fan-out, the history and the
answers to NACKs are those of any receiver. The leg is in the fan-out only while the far end says that
somebody there wants the encoding, and on the cut that has just the layers which are wanted there; what nobody
wants is not carried. It joins at a key frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfu.control.messages import PipedCodec, PipedEncoding, PipedProducer
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Egress, Leg
from sfu.forwarding.report import sender_report
from sfu.forwarding.selector import detach
from sfu.layers import WHOLE, Layer
from sfu.loudest import Voice
from sfu.producer import Producer
from sfu.rtp.negotiation import is_described, subscribe_codec
from sfu.rtp.pipe_report import from_carried, from_rate
from sfu.rtp.rtcp import ReportBlock, SenderReport

WANTED_FOR = 3.0
"""Seconds for which the far end's word counts; it is repeated every half second."""
REPORT_INTERVAL = 1.0
FIRST_INDEX = 1


class PipeLeg:
    """One encoding towards the far end."""

    __slots__ = (
        "_carried_told",
        "_rates_told",
        "_reported",
        "encoding",
        "fraction_lost",
        "leg",
        "live_told",
        "report_due",
        "wanted",
        "wanted_until",
    )

    def __init__(self, encoding: Encoding, leg: Leg) -> None:
        self.encoding = encoding
        self.leg = leg
        self.wanted = WHOLE
        """Up to which layer, as long as it is wanted at all."""
        self.wanted_until = float("-inf")
        self.live_told: bool | None = None
        """What the far end was told last of whether the publisher sends this encoding; None to tell it."""
        self.report_due = 0.0
        self.fraction_lost = 0.0
        self._reported = (0, 0.0)
        self._rates_told: frozenset[Layer] = frozenset()
        self._carried_told = -1

    def poll_carried(self, *, everything: bool) -> int | None:
        """Which layer goes through, or will from the next key frame on, for the far end; None where that is
        what it was told."""
        leg = self.leg
        carried = leg.target if leg.target is not None else leg.cut if leg.carried else None
        value = from_carried(None if carried is None else carried.layer, self.encoding.reader.top.spatial)
        if value == self._carried_told and not (everything and carried is not None):
            return None
        self._carried_told = value
        return value

    def poll_rates(self, *, everything: bool) -> Iterator[int]:
        """What the layers take, where there are several and others than the far end was told of, or in any
        case; and which are not sent any more."""
        encoding = self.encoding
        rates = encoding.rates if len(encoding.rates) > 1 else ()
        layers = frozenset(rate.layer for rate in rates)
        gone = self._rates_told - layers
        if not (everything or gone or layers - self._rates_told):
            return
        self._rates_told = layers
        for layer in gone:
            yield from_rate(layer, 0)
        for rate in rates:
            yield from_rate(rate.layer, max(1, rate.bitrate))
        if rates:
            yield from_rate(WHOLE, encoding.rate)

    def poll_report(self, now: float) -> SenderReport | None:
        """The publisher's clock for the far end, once a second."""
        if now < self.report_due:
            return None
        report = sender_report(self.leg, now)
        if report is not None:
            self.report_due = now + REPORT_INTERVAL
            self._reported = (report.ntp >> 16 & 0xFFFFFFFF, now)
        return report

    def handle_report(self, block: ReportBlock, now: float) -> None:
        """The far end's loss and, from its echo of our last report, the pipe's round-trip time."""
        self.fraction_lost = block.fraction_lost / 256
        middle, sent_at = self._reported
        if middle and block.lsr == middle:
            self.leg.rtt = max(0.0, now - sent_at - block.dlsr / 65536)


class PipeSender:
    """Implements `sfu.producer.Branch`."""

    def __init__(self, producer: Producer, egress: Egress, ssrcs: Iterator[int]) -> None:
        """Takes two SSRCs an encoding from `ssrcs`, which gives each only once in the life of the pipe."""
        self.producer = producer
        self._voice_told: Voice | None = None
        self.legs: dict[int, PipeLeg] = {}
        """By SSRC."""
        codec, rtx_payload_type = subscribe_codec(producer.codec)
        self._codec = codec
        self._rtx_payload_type = rtx_payload_type or 0
        for encoding in producer.encodings:
            leg = Leg(egress, ssrc=next(ssrcs), rtx_ssrc=next(ssrcs), first_index=FIRST_INDEX)
            leg.wide = is_described(codec.mime)
            leg.numbered = producer.kind == "video"
            leg.prepare(payload_type=codec.payload_type, rtx_payload_type=self._rtx_payload_type)
            self.legs[leg.ssrc] = PipeLeg(encoding, leg)

    @property
    def description(self) -> PipedProducer:
        """What the far end has to know to receive it."""
        producer = self.producer
        return PipedProducer(
            producer_id=producer.id,
            transport_id=producer.transport_id,
            source=producer.source,
            kind=producer.kind,
            codec=PipedCodec.of(producer.codec),
            payload_type=self._codec.payload_type,
            rtx_payload_type=self._rtx_payload_type,
            encodings=tuple(
                PipedEncoding(rid=one.encoding.rid, ssrc=one.leg.ssrc, rtx_ssrc=one.leg.rtx_ssrc)
                for one in self.legs.values()
            ),
            paused=producer.paused,
            sends_red=producer.sends_red,
        )

    def handle_wanted(self, ssrc: int, wanted: Layer | None, now: float) -> None:
        """The far end's word about one encoding, which is answered with ours."""
        one = self.legs[ssrc]
        if one.wanted_until == float("-inf"):
            one.live_told = None
        if wanted is not None:
            one.wanted = wanted
        one.wanted_until = now + WANTED_FOR if wanted is not None else 0.0
        self._aim(one, now)

    def select(self, now: float) -> None:
        """Have in the fan-out exactly what is wanted."""
        for one in self.legs.values():
            self._aim(one, now)

    def poll_sent(self, now: float, *, everything: bool) -> list[tuple[int, int]]:
        """(SSRC, bitrate, 0 for none) of what the publisher began or ceased to send since, or of all."""
        supply = self.producer.supply
        supply.look(now)
        entries = []
        for (ssrc, one), bitrate in zip(self.legs.items(), supply.bitrates(), strict=True):
            live = one.encoding.is_live(now)
            if everything or live is not one.live_told:
                one.live_told = live
                entries.append((ssrc, min(max(1, round(bitrate)), 0xFFFFFFFF) if live else 0))
        return entries

    def poll_carried(self, *, everything: bool) -> list[tuple[int, int]]:
        """(SSRC, what is carried of it) where that changed since the last call, or of all that is carried."""
        values = ((ssrc, one.poll_carried(everything=everything)) for ssrc, one in self.legs.items())
        return [(ssrc, value) for ssrc, value in values if value is not None]

    def poll_rates(self, now: float, *, everything: bool) -> list[tuple[int, int]]:
        """(SSRC, rate of a layer) of what is wanted at the far end: what changed, or all."""
        return [
            (ssrc, value)
            for ssrc, one in self.legs.items()
            if now < one.wanted_until and one.encoding.is_video
            for value in one.poll_rates(everything=everything)
        ]

    def poll_voice(self, *, everything: bool) -> list[tuple[int, int]]:
        """(SSRC, voice) where it changed since the last call, or in any case."""
        voice = self.producer.voice
        if voice is None or (not everything and voice == self._voice_told):
            return []
        self._voice_told = voice
        return [(next(iter(self.legs)), voice.to_int())]

    def detach(self) -> None:
        for one in self.legs.values():
            detach(one.leg)

    def prepare(self) -> None:
        """The pipe has its keys and its path."""
        for one in self.legs.values():
            one.leg.prepare(payload_type=self._codec.payload_type, rtx_payload_type=self._rtx_payload_type)

    def _aim(self, one: PipeLeg, now: float) -> None:
        if now < one.wanted_until:
            self.producer.aim(one.leg, one.encoding, one.wanted)
        else:
            detach(one.leg)
