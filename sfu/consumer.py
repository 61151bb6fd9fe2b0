"""A consumer: one producer's media leaving on one subscribe transport.

Of a video there are three layers: the *preferred* one, the most that the client says it wants; the *target*,
which the transport's downlink sets within that, the tile and the bandwidth; the *current* one on the wire.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sfu.bandwidth.allocator import Tile
from sfu.control.messages import LayerSpec, PauseReason
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.rewind import rewind
from sfu.forwarding.selector import aim_at, choose, cut_for, detach, take_out
from sfu.layers import MAX_LAYERS, Layer
from sfu.producer import Producer
from sfu.quality.meter import ConsumerMeter
from sfu.redundancy import LossGate
from sfu.rtp.rtcp import ReportBlock

FLAT = Layer(0, MAX_LAYERS - 1)
RTTS = 5
"""Round-trip times among which the least says how soon a packet may go again."""


class Consumer:
    """Owned by its subscribe transport. `on_layer(consumer, layer)` is told what goes on the wire,
    `on_change` that there is more or less to be had of the producer."""

    def __init__(
        self,
        *,
        consumer_id: str,
        transport_id: str,
        producer: Producer,
        leg: Leg,
        preferred: LayerSpec | None,
        paused: bool,
        on_layer: Callable[[Consumer, Layer], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = consumer_id
        self.transport_id = transport_id
        self.producer = producer
        self.leg = leg
        self.preferred = preferred
        self.tile: Tile | None = None
        """Where the client shows it; None until it says."""
        self.target: Layer | None = None
        """What is to be sent of a video; None for nothing. Audio is sent whatever this says."""
        self.paused = paused
        """By the client's own wish."""
        self.lacking_since: float | None = None
        """Since when there is no bandwidth for it, or no room on this node."""
        self.lacks: PauseReason = "bandwidth"
        """What it is that is lacking."""
        self.told_paused: PauseReason | None = None
        """What the client knows it to be paused for."""
        self.negotiated = False
        self._on_layer = on_layer
        self._on_change = on_change
        self._told: Layer | None = None
        self._reported: tuple[int, float] = (0, 0.0)
        self._payload_types = (0, 0)
        """The codec's own and, 0 where the receiver took none, that of redundant audio."""
        self._loss_gate = LossGate()
        self.fraction_lost = 0.0
        self.jitter = 0.0
        self._rtts: deque[float] = deque(maxlen=RTTS)
        """The last ones. The least is the path's; what exceeds it is somebody who came late."""
        self.rtt: float | None = None
        """Seconds, from the receiver's reports; None before the first."""
        self.pictures_lost = 0
        """How often the receiver asked for a new picture while it was sent one."""
        self.meter = ConsumerMeter(self)
        producer.attach(self)

    @property
    def told_layer(self) -> Layer | None:
        """What was told last to be on the wire."""
        return self._told

    @property
    def active(self) -> bool:
        """Wants packets and can take them."""
        return not self.paused and self.negotiated and self.leg.ready

    @property
    def asks_video(self) -> bool:
        """Whether it is for a video that its publisher sends, be it on the wire or not."""
        return self.producer.kind == "video" and not self.paused and not self.producer.paused

    @property
    def may_be_sent(self) -> bool:
        """Whether its next packet needs nothing but that its publisher sends one."""
        return self.active and not self.producer.paused and not self.producer.withheld

    @property
    def expects_packets(self) -> bool:
        """Whether its receiver waits for what it shows or plays: also for a video that lacks bandwidth."""
        producer = self.producer
        if not self.active or producer.paused or producer.withheld or not producer.began:
            return False
        return producer.kind == "audio" or self.limit is not None or self.lacking_since is not None

    def handle_negotiated(
        self, payload_type: int, rtx_payload_type: int, red_payload_type: int, now: float
    ) -> None:
        """The receiver agreed: packets may go. 0 for what it did not take."""
        self.negotiated = True
        self._payload_types = (payload_type, red_payload_type)
        self.leg.rtx_payload_type = rtx_payload_type
        self._prepare()
        self.select(now)
        if not self.leg.ready and not self.paused:
            self.producer.expect()

    @property
    def unsettled(self) -> bool:
        """Whether what is on the wire is not what should be."""
        leg, target = self.leg, self.target
        if leg.encoding is None or leg.target is not None:
            return True
        if target is None or len(self.producer.encodings) == 1:
            return False
        return leg.encoding.spatial != target.spatial

    def set_target(self, target: Layer | None, now: float) -> None:
        self.target = target
        self.select(now)

    @property
    def limit(self) -> Layer | None:
        """The most of a video that it gets; None for nothing."""
        preferred, target = self.preferred, self.target
        if preferred is None or target is None:
            return target
        return target.within(Layer(preferred.spatial, preferred.temporal))

    @property
    def most(self) -> Layer | None:
        """The most that its receiver asks for and can make something of; None for all there is."""
        preferred, encodings = self.preferred, self.producer.encodings
        asked = None if preferred is None else Layer(preferred.spatial, preferred.temporal)
        if len(encodings) == 1 and self._is_flat(encodings[0]):
            return FLAT if asked is None else asked.within(FLAT)
        return asked

    @property
    def current(self) -> Layer | None:
        """The layer on the wire, as `Producer.layers` counts them; None before the first packet."""
        cut = self.leg.cut
        if cut is None:
            return None
        layer = cut.layer.within(cut.encoding.reader.top)
        if len(self.producer.encodings) > 1:
            return Layer(cut.encoding.spatial, layer.temporal)
        return layer

    def pause(self) -> None:
        self.paused = True
        detach(self.leg)

    def resume(self, now: float) -> None:
        self.paused = False
        self.select(now)

    def handle_change(self, now: float) -> None:
        """The producer is muted no more, or another part of it may be forwarded."""
        self._on_change()
        self.select(now)

    @property
    def waits_for_publisher(self) -> bool:
        """Whether it is aimed at all there is, so that nothing can be done but wait for packets."""
        return len(self.producer.encodings) == 1 and self.leg.target is not None

    def select(self, now: float) -> None:
        """Aim the leg at the target. Called on every change, and on a tick while it is not there."""
        if not self.active or self.producer.paused or self.producer.withheld:
            return
        limit = self.limit
        if self.producer.kind == "audio":
            self.producer.aim(self.leg, self.producer.encodings[0])
        elif limit is None:
            detach(self.leg)
        else:
            simulcast = len(self.producer.encodings) > 1
            encoding = self._encoding_for(min(limit.spatial, self.producer.ceiling), now)
            if self._is_flat(encoding):
                cut = encoding.cut(limit.within(FLAT))
            else:
                cut = cut_for(encoding, limit, simulcast=simulcast)
            if not rewind(self.leg, cut, now):
                aim_at(self.leg, cut)
            self.handle_switch()

    def _is_flat(self, encoding: Encoding) -> bool:
        """Whether its receiver can make nothing of spatial layers: which belong together stands in a header
        extension alone, and it did not take that. A browser would show the lowest one then, or nothing."""
        return encoding.is_wide and not self.leg.wide and encoding.reader.top.spatial > 0

    def _encoding_for(self, spatial: int, now: float) -> Encoding:
        """The target's encoding; another one while that is not sent yet and nothing else is shown."""
        encodings, leg = self.producer.encodings, self.leg
        wanted = encodings[min(spatial, len(encodings) - 1)]
        current = leg.encoding
        if wanted.is_live(now) or (current is not None and current.is_live(now) and leg.carried):
            return wanted
        return choose(encodings, spatial, now) or wanted

    @property
    def on_wire(self) -> float:
        """Bits per second of the encoding that it is being sent, 0 for none."""
        leg = self.leg
        if leg.encoding is None or not leg.carried:
            return 0.0
        return self.producer.supply.bitrates()[leg.encoding.spatial]

    @property
    def stepping_down(self) -> bool:
        """Whether an encoding that is given up still goes out, until the key frame of a lesser one comes."""
        leg = self.leg
        if leg.target is None or leg.encoding is None or not leg.carried:
            return False
        return leg.target.encoding.spatial < leg.encoding.spatial

    def give_way(self) -> None:
        """Send nothing more of the encoding that is given up."""
        take_out(self.leg)

    def request_keyframe(self) -> None:
        """The receiver lost the picture (PLI, FIR)."""
        leg = self.leg
        if leg.target is None:
            self.pictures_lost += 1
        if leg.encoding is not None and (leg.target is None or leg.target.encoding is leg.encoding):
            leg.encoding.request_keyframe()

    def note_report(self, middle_ntp: int, now: float) -> None:
        """A sender report with this middle part of its NTP time goes out now."""
        self._reported = (middle_ntp, now)

    def handle_report(self, block: ReportBlock, now: float) -> None:
        """The receiver's report: loss, jitter and, from its echo of our last one, the round-trip time."""
        self.fraction_lost = block.fraction_lost / 256
        self.jitter = block.jitter / self.producer.codec.clock_rate
        middle, sent_at = self._reported
        if block.lsr == middle and middle:
            rtt = now - sent_at - block.dlsr / 65536
            if 0.0 <= rtt < 10.0:
                self.rtt = rtt
                self._rtts.append(rtt)
                self.leg.rtt = min(self._rtts)
        if self._payload_types[1]:
            self._loss_gate.handle_report(self.fraction_lost, now)
            if self.wants_redundancy != self.leg.redundant:
                self._prepare()
                self.select(now)

    @property
    def wants_redundancy(self) -> bool:
        """The receiver knows redundant audio, and the publisher sends it or packets get lost on the way."""
        return self._payload_types[1] != 0 and (self.producer.sends_red or self._loss_gate.open)

    def _prepare(self) -> None:
        """Ready the leg for the variant of the packets it carries: redundant or not."""
        leg, redundant = self.leg, self.wants_redundancy
        if redundant != leg.redundant:
            # Another list of the fan-out; `select` brings it back with the next packet, and no gap.
            detach(leg)
            leg.redundant = redundant
        own, red = self._payload_types
        leg.block_type = own
        leg.prepare(payload_type=red if redundant else own, rtx_payload_type=leg.rtx_payload_type)

    def handle_switch(self) -> None:
        """Tell of a video's layer on the wire, where it is another one than was told."""
        if self.producer.kind == "audio":
            return
        current = self.current
        if current is not None and current != self._told:
            self._told = current
            self._on_layer(self, current)

    def stats(self) -> dict[str, object]:
        leg = self.leg
        return {
            "consumer_id": self.id,
            "producer_id": self.producer.id,
            "paused": self.paused,
            "lacks": None if self.lacking_since is None else self.lacks,
            "preferred": None if self.preferred is None else self.preferred.spatial,
            "target": None if self.target is None else self.target.spatial,
            "negotiated": self.negotiated,
            "spatial": None if (current := self.current) is None else current.spatial,
            "temporal": None if current is None else current.temporal,
            "waiting_for_keyframe": leg.target is not None,
            "packets": leg.packets,
            "bytes": leg.octets,
            "retransmitted": leg.retransmitted,
            "redundant": leg.redundant,
            "rtt": leg.rtt,
            "fraction_lost": self.fraction_lost,
            "jitter": self.jitter,
        }

    def close(self) -> None:
        self.producer.release(self)
