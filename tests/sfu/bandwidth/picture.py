"""A picture in simulcast layers on its way over a simulated path, and what its viewer sees of it.

What `World` lacks to ask how a person experiences a narrow path: the allocator that gives a layer up, the key
frame that has to come before another one can follow, frames that need all their packets and the frame before
them, and lost packets that are asked for and sent again at the pace of `RepairPacer`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sfu.bandwidth.allocator import Available, Demand, Memory, allocate, least
from sfu.bandwidth.pacer import RepairPacer
from sfu.downlink import BEGINNING, ENOUGH, OVERFULL
from sfu.layers import Layer
from tests.sfu.bandwidth.world import AUDIO_INTERVAL, AUDIO_SIZE, OVERHEAD, PACKET, TICK, Link, World

FRAME = 1 / 30
DIVIDE_INTERVAL = 0.1
KEY_FACTOR = 6.0
"""How many times the usual frame a key frame takes."""
KEY_DELAY = 0.12
"""Seconds until a key frame that was asked for comes from its publisher."""
ASK_AGAIN = 0.1
HELPLESS = 1.0
"""Seconds without a new frame after which the viewer asks for a key frame."""
STREAM = 1
AUDIO = 8 * (AUDIO_SIZE + OVERHEAD) / AUDIO_INTERVAL


@dataclass(slots=True)
class Picture:
    """One frame. `missing`: its packets that have not arrived, by number; `arrived_at`: when the last did."""

    key: bool
    missing: set[int] = field(default_factory=set)
    arrived_at: float = 0.0


@dataclass(slots=True)
class _Packet:
    number: int
    size: int
    picture: Picture


class WatchedWorld(World):
    """`shown`: when frames were decoded; `moves`: when which layer was put on the wire, None for a pause."""

    shown: list[float]
    moves: list[tuple[float, int | None]]

    def gaps(self, start: float, end: float) -> list[float]:
        """Seconds between two frames that were seen, the ends of the stretch included."""
        times = [start, *(at for at in self.shown if start < at < end), end]
        return [after - before for before, after in pairwise(times)]

    def settled_on(self, layer: int | None, start: float, end: float) -> float | None:
        """Seconds after `start` at which this layer (or a pause) was on the wire, to stay until `end`."""
        before = [what for at, what in self.moves if at < start]
        within = [(at, what) for at, what in self.moves if start <= at < end]
        last = within[-1] if within else (start, before[-1] if before else None)
        return last[0] - start if last[1] == layer else None


class PictureWorld(WatchedWorld):
    """`layers`: bits per second of each. `pace`: bits per second at which the publisher lets a frame out."""

    def __init__(
        self,
        link: Link,
        *,
        layers: Sequence[float] = (150_000.0, 1_000_000.0),
        pace: float = 4e6,
        seed: int = 1,
        repair: bool = True,
    ) -> None:
        super().__init__(link, wanted=lambda now: self._wanted, seed=seed)
        self.shown = []
        self.moves = []
        self.layer: int | None = None
        self._demands = (
            Demand("audio", "audio", "microphone", (Available(Layer(0, 0), AUDIO),)),
            Demand(
                "video",
                "video",
                "camera",
                tuple(Available(Layer(spatial, 0), rate) for spatial, rate in enumerate(layers)),
            ),
        )
        self._layers = layers
        self._pace = pace
        self._repair = repair
        self._wanted = 0
        self._memory = Memory()
        self._divide_at = self.now
        self._target: int | None = 0
        self._key_at = self.now
        self._pictures: deque[Picture] = deque()
        self._leaving: deque[_Packet] = deque()
        self._number = 0
        self._let_out_at = self.now
        self._repairs = RepairPacer()
        self._lost: dict[int, _Packet] = {}
        self._asks: list[tuple[float, int]] = []
        self._landing: list[tuple[float, _Packet]] = []

    def _step(self) -> None:
        if self.now >= self._divide_at:
            self._divide_at += DIVIDE_INTERVAL
            self._divide()
        super()._step()
        self._let_out()
        self._mend()
        self._show()

    def _divide(self) -> None:
        limit = float(self.controller.estimate)
        if self.time < BEGINNING:
            limit = max(limit, least(self._demands))
        allocation = allocate(limit, self._demands, self._memory)
        self._memory = allocation.memory
        self._wanted = int(allocation.wanted * (ENOUGH if allocation.deficient else 1.0))
        granted = allocation.grants["video"].layer
        target = None if granted is None else granted.spatial
        on_wire = 0.0 if self.layer is None else AUDIO + self._layers[self.layer]
        falls = self.layer is not None and target is not None and target < self.layer
        if falls and self.controller.crowded and on_wire > OVERFULL * limit:
            self._put_on(None)
        if target == self._target:
            return
        self._target = target
        if target is None:
            self._put_on(None)
        elif target != self.layer:
            self._key_at = min(self._key_at, self.now + KEY_DELAY)
        else:
            self._key_at = float("inf")

    def _put_on(self, layer: int | None) -> None:
        if layer != self.layer:
            self.layer = layer
            self.moves.append((self.time, layer))

    def _send_frame(self) -> None:
        self._frame_at += FRAME - 0.04
        key = self.now >= self._key_at and self._target is not None
        if key:
            self._key_at = float("inf")
            if self.controller.crowded:
                self._lost.clear()
            self._put_on(self._target)
        if self.layer is None:
            return
        octets = self._layers[self.layer] * FRAME / 8 * self.chance.uniform(0.8, 1.2)
        if key:
            octets *= KEY_FACTOR
        picture = Picture(key)
        self._pictures.append(picture)
        while octets > 0:
            size = int(min(PACKET, max(octets, 150.0)))
            octets -= size + OVERHEAD
            picture.missing.add(self._number)
            self._leaving.append(_Packet(self._number, size, picture))
            self._number += 1

    def _let_out(self) -> None:
        budget = self._pace * (self.now - self._let_out_at) / 8
        self._let_out_at = self.now
        batch = []
        while self._leaving and budget > 0:
            packet = self._leaving.popleft()
            budget -= packet.size + OVERHEAD
            batch.append(packet)
        if batch:
            self._leave(batch)

    def _leave(self, batch: list[_Packet]) -> None:
        arrivals = self._send([packet.size for packet in batch])
        for packet, arrival in zip(batch, arrivals, strict=True):
            if arrival is not None:
                self._landing.append((arrival, packet))
            else:
                self._lost[packet.number] = packet
                waits = max(0.0, self.link.free_at - self.now)
                self._asks.append((self.now + waits + 2 * self.link.delay + TICK, packet.number))

    def _mend(self) -> None:
        due = [number for at, number in self._asks if at <= self.now]
        self._asks = [(at, number) for at, number in self._asks if at > self.now]
        if self._repair:
            self._repairs.ask(STREAM, (number for number in due if number in self._lost), self.now)
        for number in self._repairs.take(self.now, self.controller.estimate).get(STREAM, ()):
            packet = self._lost.pop(number, None)
            if packet is not None:
                self._leave([packet])
        if self._repair:
            waiting = {number for _, number in self._asks}
            again = [number for number in self._lost if number not in waiting and number in due]
            self._asks += [(self.now + ASK_AGAIN, number) for number in again]

    def _show(self) -> None:
        came = [(at, packet) for at, packet in self._landing if at <= self.now]
        self._landing = [(at, packet) for at, packet in self._landing if at > self.now]
        for at, packet in came:
            packet.picture.missing.discard(packet.number)
            packet.picture.arrived_at = max(packet.picture.arrived_at, at)
        pictures = self._pictures
        while pictures:
            # A key frame that is whole needs nothing of what comes before it.
            skip = next((n for n, one in enumerate(pictures) if one.key and not one.missing), 0)
            for _ in range(skip):
                pictures.popleft()
            if pictures[0].missing:
                break
            pictures.popleft()
            self.shown.append(self.time)
        stuck = self.time - (self.shown[-1] if self.shown else 0.0)
        if pictures and stuck > HELPLESS and self._key_at > self.now + KEY_DELAY:
            self._key_at = self.now + KEY_DELAY
