"""A path with a bottleneck, a sender that fills what it is allowed to, and a receiver that reports: all in
simulated time, so that a minute takes a fraction of a second and every run is the same.

    sender: frames and audio, at the estimate --> Link: queue, rate, delay, loss, jitter --> receiver
        ^                                                                                      |
        +------------- BandwidthController <--- transport-wide feedback, delayed, lossy -------+
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sfu.bandwidth.controller import BandwidthController
from sfu.bandwidth.stalls import Stalls
from sfu.rtp.rtcp import build_transport_feedback

TICK = 0.005
POLL = 0.02
FRAME = 0.04
PACKET = 1100
AUDIO_INTERVAL, AUDIO_SIZE = 0.02, 120
OVERHEAD = 36
REORDER_BY = 0.02
CLOCK_AHEAD = 12_345.678
"""The receiver's clock runs on its own."""


@dataclass
class Link:
    """`rate` in bits per second, the rest in seconds or as a probability; `queue` is what it holds."""

    rate: float
    delay: float = 0.04
    queue: float = 0.3
    loss: float = 0.0
    jitter: float = 0.0
    in_order: bool = False
    """Whether jitter keeps the order, as queues on the way do."""
    reorder: float = 0.0
    """Of packets that are overtaken by those of the next `REORDER_BY`."""
    burst: int = 1
    """Packets that are lost in a row, where one is."""
    cross: float = 0.0
    """Bits per second of somebody else's traffic."""
    hiccup: float = 0.0
    """Seconds for which the receiver's machine stands still ..."""
    hiccup_every: float = 1.0
    """... in each so many: what comes meanwhile is taken for having come at the end."""
    free_at: float = 0.0
    arrived_at: float = 0.0
    doomed: int = 0
    dropped: int = 0

    def carry(self, octets: int, now: float, chance: random.Random) -> float | None:
        """When it arrives; None where it is lost."""
        start = max(now, self.free_at)
        if start - now > self.queue:
            self.dropped += 1
            return None
        self.free_at = start + 8 * octets / max(self.rate - self.cross, 1.0)
        if self.doomed == 0 and chance.random() < self.loss / self.burst:
            self.doomed = self.burst
        if self.doomed > 0:
            self.doomed -= 1
            self.dropped += 1
            return None
        arrival = self.free_at + self.delay + chance.random() * self.jitter
        if self.reorder > 0.0 and chance.random() < self.reorder:
            arrival += REORDER_BY
        elif self.in_order:
            self.arrived_at = arrival = max(arrival, self.arrived_at)
        return arrival + max(0.0, self.hiccup - arrival % self.hiccup_every)


@dataclass
class World:
    """`run` lets time pass; `estimates` holds (time, estimate) of each poll."""

    link: Link
    wanted: Callable[[float], int] = lambda now: 50_000_000
    sends: Callable[[float, int], float] | None = None
    """What is really sent (bits per second) at a time under an estimate; as much as is allowed otherwise."""
    seed: int = 1
    feedback_interval: float = 0.06
    feedback_loss: float = 0.0
    feedback_jitter: float = 0.0
    feedback_duplicates: float = 0.0
    padding: bool = True
    unread: float = 0.0
    """Share of feedback that is dropped by us, for want of time to read it."""
    now: float = 100.0
    estimates: list[tuple[float, int]] = field(default_factory=list)
    queued: list[tuple[float, float]] = field(default_factory=list)
    padding_octets: int = 0
    media_octets: int = 0

    def __post_init__(self) -> None:
        self.begun = self.now
        self.chance = random.Random(self.seed)
        self.stalls = Stalls()
        self.controller = BandwidthController(self.now, stalls=self.stalls)
        self.controller.expects_feedback = True
        self.controller.ledger.overhead = OVERHEAD
        self._sequence = 0
        self._arrivals: list[tuple[float, int]] = []
        self._to_come: list[tuple[float, int, bytes]] = []
        self._frame_at = self._audio_at = self._poll_at = self._feedback_at = self.now
        self._late = 0.0
        self._credit = 0.0
        self._base: int | None = None
        self._number = 0

    @property
    def time(self) -> float:
        return self.now - self.begun

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self._step()
            self.now += TICK

    def stall(self, seconds: float) -> None:
        """The sender's machine stands still, in the middle of a turn: what it sends in that turn leaves at
        the end, and what comes meanwhile waits. The path and the receiver go on."""
        self._late = seconds
        self._step()
        self._late = 0.0
        until = self.now + seconds
        while self.now < until:
            self.now += TICK
            self._receive()

    def pause(self) -> None:
        """No media from now on."""
        self._audio_at = self._frame_at = float("inf")

    def between(self, start: float, end: float) -> list[int]:
        """The estimates from `start` to `end` seconds of the world's life."""
        return [value for at, value in self.estimates if start <= at < end]

    def _step(self) -> None:
        while self._to_come and self._to_come[0][0] <= self.now:
            _, _, message = heapq.heappop(self._to_come)
            self._handle_feedback(message)
        if self.now >= self._audio_at:
            self._audio_at += AUDIO_INTERVAL
            self._send([AUDIO_SIZE])
        if self.now >= self._frame_at:
            self._frame_at += FRAME
            self._send_frame()
        if self.now >= self._poll_at:
            self._poll_at = self.now + POLL
            self.stalls.handle_tick(self.now, self._poll_at)
            self._poll()
        self._receive()

    def _handle_feedback(self, message: bytes) -> None:
        if self.unread and self.chance.random() < self.unread:
            self.controller.handle_unread(self.now)
        else:
            self.controller.handle_feedback(message, self.now)

    def _receive(self) -> None:
        if self.now >= self._feedback_at:
            self._feedback_at += self.feedback_interval
            self._report()

    def _send_frame(self) -> None:
        estimate = self.controller.estimate
        rate = self.sends(self.time, estimate) if self.sends else min(estimate, self.wanted(self.time))
        audio = 8 * (AUDIO_SIZE + OVERHEAD) / AUDIO_INTERVAL
        octets = max(0.0, rate - audio) * FRAME / 8 + self._credit
        sizes = []
        while octets >= OVERHEAD + 100:
            size = min(PACKET, int(octets) - OVERHEAD)
            sizes.append(size)
            octets -= size + OVERHEAD
        self._credit = octets
        self.media_octets += sum(sizes)
        if sizes:
            self._send(sizes)

    def _send(self, sizes: list[int]) -> list[float | None]:
        """When each arrives; None for those that are lost."""
        self.controller.ledger.sent.append((self._sequence, self.now, sizes))
        arrivals = [self.link.carry(size + OVERHEAD, self.now + self._late, self.chance) for size in sizes]
        for arrival in arrivals:
            if arrival is not None:
                heapq.heappush(self._arrivals, (arrival, self._sequence))
            self._sequence += 1
        return arrivals

    def _poll(self) -> None:
        octets = self.controller.poll(self.now, self.wanted(self.time))
        if octets and self.padding:
            first = self._sequence
            self.padding_octets += octets
            while octets > 0:
                self._send([min(PACKET, octets)])
                octets -= PACKET + OVERHEAD
            self.controller.note_padding(first, self._sequence)
        self.estimates.append((self.time, self.controller.estimate))
        self.queued.append((self.time, max(0.0, self.link.free_at - self.now)))

    def _report(self) -> None:
        """As a browser does: what came since the last message, from the next expected or a late one on."""
        came: list[tuple[int, int]] = []
        while self._arrivals and self._arrivals[0][0] <= self.now:
            arrival, sequence = heapq.heappop(self._arrivals)
            came.append((sequence, int((arrival + CLOCK_AHEAD) * 1e6)))
        if not came:
            return
        came.sort()
        base = self._base if self._base is not None and self._base <= came[0][0] else None
        for message in build_transport_feedback(1, 2, self._number, came, base=base):
            self._number += 1
            copies = 2 if self.chance.random() < self.feedback_duplicates else 1
            for _ in range(copies):
                if self.chance.random() >= self.feedback_loss:
                    at = self.now + self.link.delay + self.chance.random() * self.feedback_jitter
                    heapq.heappush(self._to_come, (at, self._number, message))
        self._base = max(self._base or 0, came[-1][0] + 1)
