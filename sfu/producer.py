"""A producer: media of one source arriving on a publish transport, in one or several encodings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sfu.control.messages import Kind, ProducerInfo
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import aim_at, detach
from sfu.layers import WHOLE, Layer
from sfu.loudest import Voice
from sfu.quality.meter import ProducerMeter
from sfu.rtp.parameters import Codec
from sfu.supply import Supply

if TYPE_CHECKING:
    from sfu.consumer import Consumer


class Branch(Protocol):
    """A way out of a producer that is no consumer: a pipe to another node."""

    def select(self, now: float) -> None:
        """Have in the fan-out what is wanted at the end of it."""
        ...

    def detach(self) -> None:
        """Take everything out of the fan-out."""
        ...


class Producer:
    """Owned by its publish transport, or by the pipe it came by. Closing it closes its consumers.
    `on_stirred` is told when something is asked of it."""

    def __init__(
        self,
        *,
        producer_id: str,
        transport_id: str,
        mid: str,
        source: str,
        kind: Kind,
        codec: Codec,
        rids: tuple[str, ...],
        ssrc: int,
        paused: bool,
        sends_red: bool = False,
        on_stirred: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = producer_id
        self.transport_id = transport_id
        self.mid = mid
        self.source = source
        self.kind = kind
        self.codec = codec
        self.paused = paused
        self.audible = True
        """Of a voice: whether it is among the loudest, where only those are forwarded."""
        self.voice: Voice | None = None
        """Where only the loudest are forwarded: how loud it is, by its own node."""
        self.sends_red = sends_red
        """Audio that comes with redundancy, so that receivers get it with redundancy too."""
        self.consumers: dict[str, Consumer] = {}
        self.branches: dict[str, Branch] = {}
        """By pipe id."""
        self.encodings: list[Encoding] = [
            Encoding(
                mime=codec.mime,
                clock_rate=codec.clock_rate,
                spatial=spatial,
                rid=rid,
                ssrc=ssrc if rid is None else 0,
                on_switch=self._handle_switch,
            )
            for spatial, rid in enumerate(rids or (None,))
        ]
        self.supply = Supply(self.encodings)
        self.rtt: float | None = None
        """Seconds to its publisher and back; None where it does not answer, and of a piped one."""
        self.stirred = True
        """Something was asked of it since its transport's last tick."""
        self._on_stirred = on_stirred
        self.ceiling = len(self.encodings) - 1
        """The highest encoding that may be forwarded; -1 for none."""
        self.meter = ProducerMeter(self)
        self._legs: dict[int, Consumer] = {}
        for encoding in self.encodings:
            encoding.paused = paused

    @property
    def info(self) -> ProducerInfo:
        return ProducerInfo(
            producer_id=self.id,
            mid=self.mid,
            kind=self.kind,
            codec=self.codec.mime,
            encodings=len(self.encodings),
        )

    def encoding_of(self, rid: str | None) -> Encoding | None:
        return next((encoding for encoding in self.encodings if encoding.rid == rid), None)

    def pause(self) -> None:
        """Stop forwarding in this turn of the loop. Receiving, and with it statistics, goes on."""
        self.paused = True
        self.supply.touch()
        for encoding in self.encodings:
            encoding.paused = True
        for consumer in self.consumers.values():
            detach(consumer.leg)
        for branch in self.branches.values():
            branch.detach()

    def resume(self, now: float) -> None:
        """Forward again, video from its next key frame on."""
        self.paused = False
        self._stir()
        self.supply.touch()
        for encoding in self.encodings:
            encoding.paused = False
            encoding.pending.clear()
        for consumer in self.consumers.values():
            consumer.handle_change(now)
        for branch in self.branches.values():
            branch.select(now)

    def attach(self, consumer: Consumer) -> None:
        self.consumers[consumer.id] = consumer
        self._legs[id(consumer.leg)] = consumer
        self._stir()

    def release(self, consumer: Consumer) -> None:
        detach(consumer.leg)
        self.consumers.pop(consumer.id, None)
        self._legs.pop(id(consumer.leg), None)

    def aim(self, leg: Leg, encoding: Encoding, layer: Layer = WHOLE) -> None:
        """Have a leg carry an encoding up to a layer, or the best encoding below it that may be forwarded."""
        if not self.paused and not self.withheld:
            before = leg.target
            target = self.encodings[min(encoding.spatial, self.ceiling)]
            aim_at(leg, target.whole if layer == WHOLE else target.cut(layer))
            if leg.target is not before:
                self._stir()

    @property
    def began(self) -> bool:
        """Whether its publisher sends it at all: what was announced and never came is nobody's bad path."""
        # Asked for each receiver with every turn: a generator would take longer than all of it.
        for encoding in self.encodings:  # noqa: SIM110
            if encoding.began:
                return True
        return False

    @property
    def withheld(self) -> bool:
        """Whether the node forwards nothing of it, though its owner did not mute it."""
        return not self.audible or self.ceiling < 0

    def set_audible(self, audible: bool, now: float) -> None:  # noqa: FBT001
        """Whether a voice is among those that are forwarded."""
        if audible is not self.audible:
            self.audible = audible
            self._follow(now)

    def set_ceiling(self, ceiling: int, now: float) -> None:
        """The highest encoding to forward, -1 for none."""
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            self._follow(now)

    def _follow(self, now: float) -> None:
        """Take out of the fan-out what may not be forwarded, bring back what may again.

        A leg that comes back goes on in sequence where it was."""
        for consumer in self.consumers.values():
            current = consumer.leg.encoding
            if self.withheld or (current is not None and current.spatial > self.ceiling):
                detach(consumer.leg)
            consumer.handle_change(now)
        for branch in self.branches.values():
            if self.withheld:
                branch.detach()
            else:
                branch.select(now)

    def expect(self) -> None:
        """A receiver will be connected in a moment: have a key frame for it by then, of what comes first."""
        lowest = self.encodings[0]
        if lowest.is_video and not self.paused and not self.withheld:
            self._stir()
            lowest.keyframes.request_ahead()

    def expects_receiver(self) -> bool:
        """Whether somebody is about to receive it, who is not in the fan-out yet."""
        return any(not one.negotiated and not one.paused for one in self.consumers.values())

    def poll_wanted(self, now: float) -> tuple[bool, ...] | None:
        """By encoding, whether the publisher is to send it; None where nothing has changed. What goes out by
        a branch is in the fan-out like everything else. A muted producer is sent nothing of anyway."""
        if self.paused or self.withheld:
            return None
        # There may be hundreds of receivers, and who has one needs none that is expected.
        expected = not any(one.wanted for one in self.encodings) and self.expects_receiver()
        return self.supply.poll_wanted(now, expected=expected)

    def measure(self, now: float) -> None:
        """On a tick of whoever receives it."""
        for encoding in self.encodings:
            encoding.measure(now)

    def stats(self, now: float) -> dict[str, object]:
        return {
            "producer_id": self.id,
            "source": self.source,
            "kind": self.kind,
            "codec": self.codec.mime,
            "paused": self.paused,
            "audible": self.audible,
            "ceiling": self.ceiling,
            "consumers": len(self.consumers),
            "encodings": [
                {
                    "rid": encoding.rid,
                    "live": encoding.is_live(now),
                    "layers": [[*rate.layer, rate.bitrate] for rate in encoding.rates],
                    "packets": encoding.stream.packets,
                    "bytes": encoding.stream.bytes,
                    "lost": encoding.stream.lost,
                    "recovered": encoding.recovered,
                    "jitter": encoding.stream.jitter / encoding.stream.clock_rate,
                    "forwarded": encoding.forwarded,
                    "keyframe_requests": encoding.keyframes.sent,
                }
                for encoding in self.encodings
            ],
        }

    def close(self) -> None:
        """Detach every leg at once, so that no further packet leaves. Consumers are closed by the router."""
        self.paused = True
        for encoding in self.encodings:
            encoding.paused = True
            for leg in (*encoding.legs, *encoding.redundant, *encoding.waiting):
                detach(leg)
            encoding.history.clear()

    def _stir(self) -> None:
        self.stirred = True
        self._on_stirred()

    def _handle_switch(self, leg: Leg) -> None:
        consumer = self._legs.get(id(leg))
        if consumer is not None:
            consumer.handle_switch()
