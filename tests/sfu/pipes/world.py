"""A recorded camera, piped to another node and received there: no sockets, and the recording's own time.

The two pipe ends are the real ones. Between them is a wire that counts, and may lose packets.
"""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sfu.codecs.layering import reader_for
from sfu.consumer import Consumer
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.numbers import find_descriptor
from sfu.layers import Layer
from sfu.pipes.pipe import Pipe
from sfu.producer import Producer
from sfu.rtp.parameters import Codec
from sfu.speakers import SpeakerDetector
from sfu.webrtc.plain import PlainInbound, PlainOutbound
from tests.sfu.forwarding.decoding import decode, pictures
from tests.sfu.forwarding.test_recorded import capture, choices, digest, feed, reference, turns, unfinished
from tests.sfu.forwarding.world import Received, Receiver
from tests.vectors.rtp import Recorded

FIRST = 60000
"""The sequence number that a watcher's packets begin with."""
TICK = 0.02
SLOW_TICK = 0.1
HEADER = 20
"""Bytes of an RTP header with a transport-wide number, up to what is forwarded of the extensions."""
STARTING = 0.5
"""Seconds in which a browser may begin anew, with more layers."""
PAYLOAD_TYPES = range(192, 224)
"""Of RTCP, in the second byte (RFC 5761 section 4)."""


class Wire:
    """One direction: what an end sends arrives at `to` when that is told to look."""

    reliable = False
    address = ("192.0.2.1", 1)

    def __init__(self, to: Pipe, *, loss: float, seed: int) -> None:
        self.to = to
        self.octets = 0
        """Bytes of media that were sent so far."""
        self.lost = 0
        self._loss = loss
        self._chance = random.Random(seed)

    def send(self, data: bytes) -> None:
        if data[1] in PAYLOAD_TYPES:
            self.to.rtcp_in.append(data)
            return
        self.octets += len(data)
        if self._chance.random() < self._loss:
            self.lost += 1
            return
        self.to.rtp_in.append(data)

    def sendto(self, data: bytes, _address: Any) -> int:
        self.send(data)
        return len(data)

    def sendmsg(self, buffers: list[bytes], control: list[Any], _flags: int, _address: Any) -> int:
        data = b"".join(buffers)
        size = struct.unpack("=H", control[0][2])[0] if control else len(data)
        for start in range(0, len(data), size):
            self.send(data[start : start + size])
        return len(data)


@lru_cache
def played(name: str, times: int) -> tuple[Recorded, ...]:
    """A recording so many times over, on and on, each time from a key frame of all its layers on."""
    begin = max(at for at in _key_frames(name, capture(name).packets) if at < STARTING)
    packets = [one for one in capture(name).packets if one.at >= begin]
    duration = packets[-1].at - begin + 1 / 30
    span = max(one.sequence - packets[0].sequence & 0xFFFF for one in packets) + 1
    return tuple(
        one._replace(
            sequence=one.sequence + round_ * span & 0xFFFF,
            timestamp=one.timestamp + round(round_ * duration * 90_000) & 0xFFFFFFFF,
            at=one.at - begin + round_ * duration,
        )
        for round_ in range(times)
        for one in packets
    )


def _key_frames(name: str, packets: Sequence[Recorded]) -> list[float]:
    reader = reader_for(capture(name).mime, find_descriptor)
    begun: dict[int, float] = {}
    for one in packets:
        if reader.read(one.timestamp, 0x80 * one.marker, one.tail, one.payload).key:
            begun.setdefault(one.timestamp, one.at)
    return sorted(begun.values())


@dataclass
class Watcher:
    """Somebody at the far node, and the most that it is to get."""

    consumer: Consumer
    receiver: Receiver
    limit: Layer
    got: list[Received] = field(default_factory=list)


class PipedCamera:
    def __init__(self, name: str, *, seconds: float, loss: float = 0.0) -> None:
        self.name = name
        times = self._times = math.ceil(seconds / played(name, 1)[-1].at)
        self.now = 0.0
        self._turns = [list(one) for one in turns(played(name, times))]
        self.here = _producer(capture(name).mime)
        self.origin, self.far = Pipe("pipe", lambda event: None), Pipe("pipe", lambda event: None)
        self.wire = Wire(self.far, loss=loss, seed=1)
        back = Wire(self.origin, loss=loss, seed=2)
        for end, wire in ((self.origin, self.wire), (self.far, back)):
            end.connect(wire, (wire.sendto, wire.sendmsg), PlainInbound(), PlainOutbound(), 0.0)
        spec = self.origin.send(self.here)
        self.there = self.far.receive(spec, "r", SpeakerDetector()).producer
        self.watchers: list[Watcher] = []
        self._ticks = 0

    @property
    def source(self) -> Encoding:
        return self.here.encodings[0]

    @property
    def carried(self) -> Layer | None:
        """The layer that the pipe is on."""
        (one,) = self.origin.sending["pr"].legs.values()
        return one.leg.cut.layer if one.leg.carried and one.leg.cut is not None else None

    @property
    def offered(self) -> list[Layer]:
        """What the far node's allocation may choose from."""
        self.there.supply.look(self.now)
        return [one.layer for one in self.there.supply.available]

    def takes(self, layer: Layer | None, since: float, end: float) -> int:
        """Bytes that the recording has of a layer, or of all, between two of its seconds, with headers."""
        reader = reader_for(capture(self.name).mime, find_descriptor)
        taken = 0
        for one in played(self.name, self._times):
            mark = reader.read(one.timestamp, 0x80 * one.marker, one.tail, one.payload)
            if since <= one.at < end and (layer is None or mark.needed >> layer.bit & 1):
                taken += len(one.payload) + len(one.tail) + HEADER
        return taken

    def key_frames(self) -> list[float]:
        """When they begin."""
        return _key_frames(self.name, played(self.name, self._times))

    def watch(self, limit: Layer, *, described: bool = True) -> Watcher:
        """`described`: who takes the dependency descriptor, of codecs that have one."""
        receiver = Receiver()
        leg = receiver.leg(1000 + 10 * len(self.watchers), first_index=FIRST)
        leg.wide = described and self.there.encodings[0].is_wide
        consumer = Consumer(
            consumer_id=f"cs_{len(self.watchers)}",
            transport_id="ts",
            producer=self.there,
            leg=leg,
            preferred=None,
            paused=False,
            on_layer=lambda consumer, layer: None,
        )
        watcher = Watcher(consumer, receiver, limit)
        self.watchers.append(watcher)
        consumer.set_target(limit, self.now)
        consumer.handle_negotiated(96, 97, 0, self.now)
        return watcher

    def play_until(self, end: float) -> int:
        """Go on to that second of the recording. Returns how many bytes of media the pipe took."""
        before = self.wire.octets
        while self._turns and self._turns[0][0].at < end:
            turn = self._turns.pop(0)
            self._tick_until(turn[-1].at)
            feed(self.source, turn)
            self._arrive()
        self._tick_until(end)
        return self.wire.octets - before

    def _arrive(self) -> None:
        for pipe in (self.far, self.origin):
            pipe.handle_batch(self.now)

    def _tick_until(self, end: float) -> None:
        while (self._ticks + 1) * TICK <= end:
            self._ticks += 1
            self.now = self._ticks * TICK
            slow = self._ticks % round(SLOW_TICK / TICK) == 0
            if slow:
                self.source.measure(self.now)
                self.there.supply.look(self.now)
                for watcher in self.watchers:
                    watcher.consumer.set_target(watcher.limit, self.now)
            for pipe in (self.far, self.origin):
                if slow or pipe.busy:
                    pipe.tick(self.now)
                self._arrive()
        self.now = end

    # --- what was received ---------------------------------------------------------------------------

    def shown(self, watcher: Watcher) -> list[tuple[float, Layer]]:
        """Each picture of what it got: when it was sent, and which layer's it is.

        Fails where a packet is missing, where a picture cannot be decoded from those before, and where one is
        not what its encoder meant it to be.
        """
        watcher.got += watcher.receiver.receive()
        got = sorted(watcher.got, key=lambda one: (one.sequence - FIRST) & 0xFFFF)  # late ones were repaired
        assert [one.sequence for one in got] == [(FIRST + n) & 0xFFFF for n in range(len(got))], "a gap"
        got = [one for one in got if one.payload]  # others stand for what is left out
        return [
            (self._origin(group[0].timestamp).at, self._layer_of(group[0].timestamp, frame))
            for group, frame in zip(*self._decoded(got), strict=True)
        ]

    def _decoded(self, got: list[Received]) -> tuple[list[list[Received]], list[str]]:
        mime = capture(self.name).mime
        unended = {stamp for stamp in self._origins() if self._first_stamp(stamp) in unfinished(self.name)}
        return pictures(got, unended), [digest(frame) for frame in decode(mime, got, unended)]

    def _layer_of(self, stamp: int, frame: str) -> Layer:
        first = self._first_stamp(stamp)
        for choice in choices(self.name):
            if reference(self.name, choice).get(first) == frame:
                return choice[1]
        raise AssertionError(f"the picture at {self._origin(stamp).at:.2f} s is no layer's")

    def _origin(self, stamp: int) -> Recorded:
        return self._origins()[stamp]

    def _first_stamp(self, stamp: int) -> int:
        """The timestamp of the same picture when it was played first."""
        return _first_stamps(self.name, self._times)[stamp]

    def _origins(self) -> dict[int, Recorded]:
        return _origins(self.name, self._times)


@lru_cache
def _origins(name: str, times: int) -> dict[int, Recorded]:
    return {one.timestamp: one for one in reversed(played(name, times))}


@lru_cache
def _first_stamps(name: str, times: int) -> dict[int, int]:
    originals = itertools.cycle(one.timestamp for one in played(name, 1))
    return {one.timestamp: first for one, first in zip(played(name, times), originals, strict=False)}


_PARAMETERS = {"video/H264": (("packetization-mode", "1"), ("profile-level-id", "42e01f"))}


def _producer(mime: str) -> Producer:
    return Producer(
        producer_id="pr",
        transport_id="tp",
        mid="0",
        source="camera",
        kind="video",
        codec=Codec(mime, 96, 90000, parameters=_PARAMETERS.get(mime, ())),
        rids=(),
        ssrc=1,
        paused=False,
    )
