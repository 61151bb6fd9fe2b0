"""A consumer: one producer's media leaving on one subscribe transport."""

from __future__ import annotations

from collections.abc import Callable

from sfu.control.messages import LayerSpec
from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import choose, detach
from sfu.producer import Producer


class Consumer:
    """Owned by its subscribe transport. `on_layer(consumer, spatial)` is told what goes on the wire."""

    def __init__(
        self,
        *,
        consumer_id: str,
        producer: Producer,
        leg: Leg,
        preferred: LayerSpec | None,
        paused: bool,
        on_layer: Callable[[Consumer, int], None],
    ) -> None:
        self.id = consumer_id
        self.producer = producer
        self.leg = leg
        self.preferred = preferred
        self.paused = paused
        self.negotiated = False
        self._on_layer = on_layer
        self._spatial: int | None = None
        producer.attach(self)

    @property
    def active(self) -> bool:
        """Wants packets and can take them."""
        return not self.paused and self.negotiated and self.leg.ready

    def set_preferred(self, preferred: LayerSpec | None, now: float) -> None:
        self.preferred = preferred
        self.select(now)

    def pause(self) -> None:
        self.paused = True
        detach(self.leg)

    def resume(self, now: float) -> None:
        self.paused = False
        self.select(now)

    def select(self, now: float) -> None:
        """Aim the leg at the best encoding within the preference. Called on every change and on a tick."""
        if not self.active or self.producer.paused:
            return
        target = choose(
            self.producer.encodings, None if self.preferred is None else self.preferred.spatial, now
        )
        if target is not None:
            self.producer.aim(self.leg, target)

    def request_keyframe(self) -> None:
        """The receiver lost the picture (PLI, FIR)."""
        if self.leg.encoding is not None and self.leg.target is None:
            self.leg.encoding.request_keyframe()

    def handle_switch(self) -> None:
        encoding = self.leg.encoding
        if encoding is not None and encoding.spatial != self._spatial:
            self._spatial = encoding.spatial
            self._on_layer(self, encoding.spatial)

    def stats(self) -> dict[str, object]:
        leg = self.leg
        return {
            "consumer_id": self.id,
            "producer_id": self.producer.id,
            "paused": self.paused,
            "negotiated": self.negotiated,
            "spatial": leg.encoding.spatial if leg.encoding is not None else None,
            "waiting_for_keyframe": leg.target is not None,
            "packets": leg.packets,
            "bytes": leg.octets,
            "retransmitted": leg.retransmitted,
            "rtt": leg.rtt,
        }

    def close(self) -> None:
        self.producer.release(self)
