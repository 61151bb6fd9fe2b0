"""A producer that comes from another node: what makes it here like one whose publisher is ours.

The producer, its encodings and their streams are the ordinary ones; a `PipeReceiver` binds them to the SSRCs
they have on the pipe, and does towards the origin what a publish transport does towards a client: asks for
lost packets and key frames, and says which encodings are wanted here, and up to which layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfu.control.messages import PipedProducer
from sfu.forwarding.encoding import LIVE_WITHIN, Encoding
from sfu.forwarding.moves import strand
from sfu.forwarding.receive import Source
from sfu.forwarding.told import Told
from sfu.layers import Layer, together
from sfu.loudest import Voice
from sfu.producer import Producer
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import ExtensionUri
from sfu.rtp.pipe_report import from_wish
from sfu.rtp.rtcp import Nack, Pli
from sfu.speakers import SpeakerDetector

RETRY_AFTER = 0.05
"""Seconds between two NACKs for one packet: pipes are short."""
MAX_NACKS = 100
"""Sequence numbers in one NACK packet."""
LOWER_AFTER = 1.0
"""Seconds for which less has to do before the origin is told so: going back may take a key frame."""
TOLD_LIVE_FOR = LIVE_WITHIN + 1.0
"""Seconds for which the origin's word that an encoding is being sent counts."""

FORWARDED_IDS = {
    number: number
    for uri, number in SUBSCRIBE_EXTENSIONS.items()
    if uri not in (ExtensionUri.TWCC, ExtensionUri.MID)
}
"""A pipe carries header extensions under the ids that receivers get."""


class IncomingEncoding:
    """One encoding and its SSRC on the pipe."""

    __slots__ = ("_less_since", "_wish", "encoding", "ssrc", "told")

    def __init__(self, encoding: Encoding, ssrc: int) -> None:
        self.encoding = encoding
        self.ssrc = ssrc
        self.told: Told = Told()
        encoding.told = self.told
        self._wish: tuple[Layer | None] | None = None
        """What the origin was told last to be wanted; None before the first word."""
        self._less_since: float | None = None

    @property
    def wanted(self) -> bool:
        return self.encoding.wanted

    @property
    def pressing(self) -> bool:
        """Whether the origin does not know yet that more is wanted, or that nothing is."""
        wish = self.encoding.wish
        return self._wish is None or (wish != self._wish[0] and not self._is_less(wish))

    def poll_wish(self, now: float) -> tuple[Layer | None, bool]:
        """What the origin is to be told, and whether that is news."""
        wish = self.encoding.wish
        known = self._wish
        if known is not None and wish != known[0] and self._is_less(wish):
            if self._less_since is None:
                self._less_since = now
            if now - self._less_since < LOWER_AFTER:
                wish = known[0]
        else:
            self._less_since = None
        self._wish = (wish,)
        if known != self._wish:
            self._less_since = None
        return wish, known != self._wish

    def _is_less(self, wish: Layer | None) -> bool:
        """Whether something is wanted, and all of it comes by what the origin was told."""
        known = None if self._wish is None else self._wish[0]
        if wish is None or known is None:
            return False
        return together((wish, known), nested=self.encoding.reader.nested) == known


class PipeReceiver:
    """Owned by its pipe; the producer belongs to a router of this node."""

    def __init__(self, spec: PipedProducer, router_id: str, detector: SpeakerDetector) -> None:
        self.router_id = router_id
        self.detector = detector
        self.producer = Producer(
            producer_id=spec.producer_id,
            transport_id=spec.transport_id,
            mid="",
            source=spec.source,
            kind=spec.kind,
            codec=spec.codec.to_codec(),
            rids=tuple(one.rid for one in spec.encodings if one.rid is not None),
            ssrc=spec.encodings[0].ssrc,
            paused=spec.paused,
            sends_red=spec.sends_red,
        )
        self.encodings = [
            IncomingEncoding(encoding, one.ssrc)
            for encoding, one in zip(self.producer.encodings, spec.encodings, strict=True)
        ]
        self._spec = spec
        for one in self.encodings:
            one.encoding.stream.ssrc = one.ssrc

    def sources(self) -> Iterator[tuple[int, Source]]:
        """(SSRC, what it is) of everything that may come for this producer."""
        spec = self._spec
        on_level = self._handle_level if spec.kind == "audio" else None
        for encoding, one in zip(self.producer.encodings, spec.encodings, strict=True):
            yield one.ssrc, self._source(encoding, spec.payload_type, repair=False, on_level=on_level)
            if spec.rtx_payload_type:
                encoding.rtx_ssrc = one.rtx_ssrc
                yield one.rtx_ssrc, self._source(encoding, spec.rtx_payload_type, repair=True, on_level=None)

    @property
    def busy(self) -> bool:
        """Whether the origin has to be asked or told something."""
        return any(one.encoding.pending_requests or one.pressing for one in self.encodings)

    def poll_wanted(self, now: float, *, everything: bool) -> list[tuple[int, int]]:
        """(SSRC, wish) of what changed since the last call, or of all."""
        entries = []
        for one in self.encodings:
            wish, news = one.poll_wish(now)
            if everything or news:
                entries.append((one.ssrc, from_wish(wish)))
        return entries

    def poll_requests(self, own_ssrc: int, now: float, *, behind: bool = False) -> Iterator[bytes]:
        """NACKs and key frame requests that are due, as RTCP packets. `behind`: see `NackGenerator.wait`."""
        for one in self.encodings:
            encoding = one.encoding
            one.told.settle(now)
            encoding.measure(now)
            nack = encoding.stream.nack
            if nack is None:
                continue
            if behind:
                nack.wait()
            elif lost := nack.poll(now, RETRY_AFTER):
                yield Nack(own_ssrc, one.ssrc, tuple(s & 0xFFFF for s in lost[:MAX_NACKS])).to_bytes()
            if nack.overflowed:
                nack.overflowed = False
                encoding.request_keyframe()
            if one.wanted and encoding.keyframes.poll(now):
                yield Pli(own_ssrc, one.ssrc).to_bytes()

    def handle_sent(self, one: IncomingEncoding, *, bitrate: int, now: float) -> None:
        """The origin's word on whether the publisher sends an encoding at present (0: no), and how much."""
        live = bitrate > 0
        if bitrate > 1:
            self.producer.supply.handle_told(one.encoding.spatial, float(bitrate))
        was_live = one.encoding.is_live(now)
        until = now + TOLD_LIVE_FOR if live else min(now, one.encoding.told_live_until)
        one.encoding.told_live_until = until
        if live and not was_live:
            for consumer in self.producer.consumers.values():
                consumer.select(now)

    def handle_rate(self, one: IncomingEncoding, layer: Layer, bitrate: int, now: float) -> None:
        """The origin's word on what a layer takes, and that there is one; see `Told.handle_rate`."""
        one.told.handle_rate(layer, bitrate, now)

    def handle_carried(self, one: IncomingEncoding, layer: Layer | None, top: int) -> None:
        """The origin's word on what comes, and on the highest spatial layer there is."""
        encoding = one.encoding
        one.told.carried = layer
        if not encoding.is_video:
            return
        before = encoding.reader.top.spatial
        encoding.reader.handle_top(top)
        if encoding.reader.top.spatial < before:
            strand(encoding, encoding.reader.top.spatial)

    def handle_voice(self, value: int) -> None:
        """The origin's word on how loud it is, of a voice where only the loudest are forwarded."""
        if self.producer.kind == "audio":
            self.producer.voice = Voice.from_int(value)

    def close(self) -> None:
        self.producer.close()
        self.detector.remove(self.producer.id)

    def _handle_level(self, level: int, now: float) -> None:
        if not self.producer.paused:
            self.detector.handle_level(self.producer.id, level, now)

    def _source(
        self,
        encoding: Encoding,
        payload_type: int,
        *,
        repair: bool,
        on_level: Callable[[int, float], None] | None,
    ) -> Source:
        return Source(
            encoding,
            payload_type=payload_type,
            repair=repair,
            twcc_id=0,
            audio_level_id=SUBSCRIBE_EXTENSIONS[ExtensionUri.AUDIO_LEVEL] if on_level is not None else 0,
            forwarded_ids=FORWARDED_IDS,
            on_level=on_level,
        )
