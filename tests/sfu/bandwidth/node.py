"""The node's own parts on a simulated path: what a publisher sends, through the fan-out, to a viewer.

    Publisher: stops and restarts layers when told --> Producer, Consumer, Downlink, probes, repairs
        ^                                                  |                           ^
        +---- layers wanted, key frames asked for        Link --> Viewer: shows, asks -+

Supply, allocation, layer switches, the ledger, probes and retransmissions are the real ones, and so are the
packets; only sockets and time are the test's. What an encoder does besides: it needs a moment until it does
what it is told, begins small, and makes a key frame several times as large as another frame.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from sfu.consumer import Consumer
from sfu.downlink import Downlink
from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.leg import HEADER_WITH_TWCC
from sfu.forwarding.retransmit import PADDING, pad
from sfu.producer import Producer
from sfu.rtp.parameters import Codec
from sfu.rtp.rtcp import Nack
from sfu.subscribe_feedback import SubscribeFeedback
from sfu.webrtc.srtp import OutboundSrtp
from tests.sfu.bandwidth.picture import WatchedWorld
from tests.sfu.bandwidth.world import OVERHEAD, PACKET, Link
from tests.sfu.forwarding.world import Received, Receiver

VP8 = Codec("video/VP8", 96, 90000, 1, (), ())
RIDS = ("q", "h", "f")
FRAME = 1 / 30
TURN = 0.1
"""Seconds between two ticks of the node's transports."""
TEMPORAL = ((0, 1.6), (2, 0.8), (1, 0.8), (2, 0.8))
"""Of each frame in four: its temporal layer, and its share of the usual size."""
KEY_FACTOR = 5.0
OBEYS_AFTER = 0.3
"""Seconds until a publisher does what it was told."""
KEY_AFTER = 0.1
RAMP = 1.0
"""Seconds until an encoder that begins takes all of its bitrate."""
SMALLEST = 0.3
"""Share of it that it begins with."""
NACK_AGAIN = 0.1
HELPLESS = 1.0
"""Seconds without a frame after which a viewer asks for a new picture."""


@dataclass
class _Layer:
    bitrate: float
    ssrc: int
    sequence: int = 0
    frame: int = 0
    tl0: int = 0
    active: bool = True
    begun_at: float = float("-inf")
    key_at: float = 0.0


class Publisher:
    """Of a camera in simulcast, each layer with three temporal ones."""

    def __init__(self, bitrates: tuple[float, ...], now: float) -> None:
        self.producer = Producer(
            producer_id="camera",
            transport_id="publisher",
            mid="0",
            source="camera",
            kind="video",
            codec=VP8,
            rids=RIDS[: len(bitrates)],
            ssrc=1,
            paused=False,
        )
        self.layers = [_Layer(bitrate, 100 + spatial) for spatial, bitrate in enumerate(bitrates)]
        for encoding, layer in zip(self.producer.encodings, self.layers, strict=True):
            encoding.stream.ssrc = layer.ssrc
        self.frames = 0
        self.stopped: set[int] = set()
        """Layers that it was told to stop at some time."""
        self._orders: list[tuple[float, tuple[bool, ...]]] = []
        self._frame_at = now

    def turn(self, now: float) -> None:
        """The node's tick: it asks for key frames, and says what it wants."""
        self.producer.measure(now)
        wanted = self.producer.poll_wanted(now)
        if wanted is not None:
            self._orders.append((now + OBEYS_AFTER, wanted))
            self.stopped |= {spatial for spatial, one in enumerate(wanted) if not one}
        for encoding, layer in zip(self.producer.encodings, self.layers, strict=True):
            if encoding.asks_keyframe and encoding.keyframes.poll(now):
                layer.key_at = min(layer.key_at, now + KEY_AFTER)

    def step(self, now: float, wavering: float) -> bool:
        """Send a frame of each layer if it is time; `wavering` is the factor by which it differs."""
        while self._orders and self._orders[0][0] <= now:
            self._obey(self._orders.pop(0)[1], now)
        if now < self._frame_at:
            return False
        self._frame_at += FRAME
        self.frames += 1
        for encoding, layer in zip(self.producer.encodings, self.layers, strict=True):
            if layer.active:
                for packet in self._packets(layer, now, wavering):
                    sequence, marker, timestamp, payload = packet
                    encoding.take(sequence, marker, timestamp, 1, PLAIN_TAIL, payload, now)
                encoding.flush(now)
        return True

    def _obey(self, wanted: tuple[bool, ...], now: float) -> None:
        for layer, active in zip(self.layers, wanted, strict=True):
            if active and not layer.active:
                layer.begun_at = layer.key_at = now
            layer.active = active

    def _packets(self, layer: _Layer, now: float, wavering: float) -> list[tuple[int, int, int, bytes]]:
        key = now >= layer.key_at
        if key:
            layer.key_at = float("inf")
            layer.frame = 0
        temporal, share = TEMPORAL[layer.frame % len(TEMPORAL)]
        layer.frame += 1
        layer.tl0 += temporal == 0
        ramp = min(1.0, SMALLEST + (1.0 - SMALLEST) * (now - layer.begun_at) / RAMP)
        octets = layer.bitrate * FRAME / 8 * wavering * ramp * (KEY_FACTOR if key else share)
        packets = []
        start = True
        while octets > 0 or start:
            size = int(min(PACKET, max(octets, 120.0)))
            octets -= size + OVERHEAD
            payload = _vp8(key=key, start=start, picture=self.frames, tl0=layer.tl0, temporal=temporal)
            marker = 0 if octets > 0 else 0x80
            packets.append((layer.sequence & 0xFFFF, marker, self.frames * 3000, payload + bytes(size)))
            layer.sequence += 1
            start = False
        return packets


def _vp8(*, key: bool, start: bool, picture: int, tl0: int, temporal: int) -> bytes:
    head = bytes((0x90 if start else 0x80, 0xE0, 0x80 | picture >> 8 & 0x7F, picture & 0xFF, tl0 & 0xFF))
    return head + bytes((temporal << 6 | 0x20, 0x10 if key else 0x11))


class Viewer:
    """Shows frames that are whole, in their order; asks for what is missing, in the end for a new picture."""

    def __init__(self, ssrc: int, *, nacks: bool = True) -> None:
        self.shown: list[float] = []
        self.late: list[tuple[float, float]] = []
        """When a frame was whole, and how many seconds after it was made."""
        self.helpless = 0
        """How often it asked for a new picture."""
        self._ssrc = ssrc
        self._nacks = nacks
        self._packets: dict[int, bool] = {}
        """By extended number: whether a frame ends with it."""
        self._made_at: dict[int, float] = {}
        self._keys: list[int] = []
        """Numbers with which key frames begin."""
        self._next: int | None = None
        self._highest = 0
        self._ask_at: dict[int, float] = {}
        self._stuck_since = 0.0

    def take(self, packet: Received, now: float) -> None:
        if packet.ssrc == self._ssrc:
            self._put(packet.sequence, packet.marker, packet.payload, packet.timestamp / 90_000)
        elif packet.ssrc == self._ssrc + 1 and packet.payload != PADDING:
            number = int.from_bytes(packet.payload[:2], "big")
            self._put(number, packet.marker, packet.payload[2:], packet.timestamp / 90_000)
        self._show(now)

    def poll(self, now: float, again: float) -> tuple[int, ...]:
        """The numbers to ask for now; each `again` after so many seconds."""
        if self._next is None or not self._nacks:
            return ()
        missing = [number for number in range(self._next, self._highest) if number not in self._packets]
        due = [number for number in missing if now >= self._ask_at.get(number, 0.0)]
        self._ask_at = {number: self._ask_at.get(number, 0.0) for number in missing}
        self._ask_at |= dict.fromkeys(due, now + again)
        return tuple(number & 0xFFFF for number in due)

    def needs_picture(self, now: float) -> bool:
        waits = self._next is None or self._highest >= self._next
        if not waits or now - self._stuck_since < HELPLESS:
            return False
        self._stuck_since = now
        self.helpless += 1
        return True

    def _put(self, sequence: int, marker: bool, payload: bytes, made_at: float) -> None:
        number = self._highest + ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        key = payload[0] == 0x90 and payload[6] == 0x10
        if self._next is None:
            if not key:
                return
            self._next = self._highest = number = sequence
        if number < self._next or number in self._packets:
            return
        self._packets[number] = marker
        self._made_at[number] = made_at
        self._highest = max(self._highest, number)
        if key:
            self._keys.append(number)

    def _show(self, now: float) -> None:
        if self._next is None:
            return
        for key in self._keys:
            # A key frame that is whole needs nothing of what comes before it.
            if key > self._next and self._is_whole(key):
                self._next = key
        begun = self._next
        while self._next in self._packets and self._is_whole(self._next):
            self.late.append((now, now - self._made_at[self._next]))
            while not self._packets.pop(self._next):
                self._next += 1
            self._next += 1
            self.shown.append(now)
        if self._next != begun:
            self._stuck_since = now
            self._keys = [key for key in self._keys if key >= self._next]
            self._packets = {n: ends for n, ends in self._packets.items() if n >= self._next}
            self._made_at = {n: at for n, at in self._made_at.items() if n >= self._next}

    def _is_whole(self, number: int) -> bool:
        while number in self._packets:
            if self._packets[number]:
                return True
            number += 1
        return False


class NodeWorld(WatchedWorld):
    """`layers`: bits per second of each. `tries`: when the node wanted which of them on the wire."""

    def __init__(
        self,
        link: Link,
        *,
        layers: tuple[float, ...] = (150_000.0, 1_000_000.0),
        seed: int = 1,
        nacks: bool = True,
    ) -> None:
        super().__init__(link, seed=seed)
        self.moves = []
        self.tries: list[tuple[float, int | None]] = []
        self.publisher = Publisher(layers, self.now)
        self.receiver = Receiver()
        egress = self.receiver.egress
        assert isinstance(egress.outbound, OutboundSrtp)
        egress.sent = self.controller.ledger.sent
        self.controller.ledger.overhead = HEADER_WITH_TWCC + egress.outbound.overhead
        self.consumer = Consumer(
            consumer_id="watched",
            transport_id="viewer",
            producer=self.publisher.producer,
            leg=self.receiver.leg(),
            preferred=None,
            paused=False,
            on_layer=lambda consumer, layer: None,
        )
        self.consumer.negotiated = True
        self.consumers = {"watched": self.consumer}
        self.downlink = Downlink(self.controller, on_paused=lambda _: None, on_resumed=lambda _: None)
        self.feedback = SubscribeFeedback(self.controller)
        self.feedback.add(self.consumer)
        self.viewer = Viewer(self.consumer.leg.ssrc, nacks=nacks)
        self.shown = self.viewer.shown
        self._frame_at = float("inf")
        self._turn_at = self.now
        self._landing: list[tuple[float, int, bytes]] = []
        self._asking: list[tuple[float, tuple[int, ...]]] = []

    def _step(self) -> None:
        super()._step()
        if self.now >= self._turn_at:
            self._turn_at += TURN
            self.publisher.turn(self.now)
            self._divide()
        if self.publisher.step(self.now, self.chance.uniform(0.8, 1.2)):
            self._drain()
        self._watch()
        self._note()

    def _handle_feedback(self, message: bytes) -> None:
        if self.controller.handle_feedback(message, self.now):
            self.downlink.touch()
            self._divide()

    def _divide(self) -> None:
        self.downlink.poll(self.now, self.consumers)
        self._drain()

    def _poll(self) -> None:
        egress = self.receiver.egress
        if self.feedback.repairing:
            self.feedback.repair(self.now)
            self._drain()
        octets = self.controller.poll(self.now, int(self.downlink.wanted))
        if octets:
            first = egress.transport_sequence
            self.padding_octets += octets
            pad(self.consumer.leg, octets, self.now)
            self._drain()
            self.controller.note_padding(first, egress.transport_sequence)
        self.estimates.append((self.time, self.controller.estimate))
        self.queued.append((self.time, max(0.0, self.link.free_at - self.now)))

    def _send(self, sizes: list[int]) -> list[float | None]:
        """Audio, which shares the numbers of the fan-out's packets."""
        arrivals = super()._send(sizes)
        self.receiver.egress.transport_sequence = self._sequence
        return arrivals

    def _drain(self) -> None:
        """What the node handed to its socket goes onto the path."""
        datagrams, self.receiver.datagrams = self.receiver.datagrams, []
        for data in datagrams:
            arrival = self.link.carry(len(data), self.now + self._late, self.chance)
            if arrival is not None:
                heapq.heappush(self._arrivals, (arrival, self._sequence))
                heapq.heappush(self._landing, (arrival, self._sequence, data))
            self._sequence += 1
        assert self._sequence == self.receiver.egress.transport_sequence

    def _watch(self) -> None:
        while self._landing and self._landing[0][0] <= self.now:
            self.receiver.datagrams = [heapq.heappop(self._landing)[2]]
            for packet in self.receiver.receive():
                self.viewer.take(packet, self.time)
        lost = self.viewer.poll(self.time, max(NACK_AGAIN, 2 * self.link.delay))
        if lost:
            self._asking.append((self.now + self.link.delay, lost))
        while self._asking and self._asking[0][0] <= self.now:
            leg = self.consumer.leg
            self.feedback.handle(Nack(1, leg.ssrc, self._asking.pop(0)[1]).to_bytes(), self.now)
            self._drain()
        if self.viewer.needs_picture(self.time):
            self.consumer.request_keyframe()

    def _note(self) -> None:
        current = self.consumer.current
        layer = current.spatial if current is not None and self.consumer.leg.carried else None
        if layer != (self.moves[-1][1] if self.moves else None):
            self.moves.append((self.time, layer))
        limit = self.consumer.limit
        wanted = None if limit is None else limit.spatial
        if wanted != (self.tries[-1][1] if self.tries else None):
            self.tries.append((self.time, wanted))
