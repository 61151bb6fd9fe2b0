"""A real receiver behind an impaired path, and everything that is to be seen of it, ten times a second.

One headless Chromium publishes a busy picture in two simulcast layers to a node in this process, and receives
it from there through `tests.support.relay`. Publishing is not impaired. Stopping and resuming layers at the
publisher is on, as in a meeting, so what is measured contains the time in which a browser brings one back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import mean
from typing import Any

from sfu.subscribe_transport import SubscribeTransport
from tests.support.chromium_media import ChromiumMedia, chromium_media
from tests.support.relay import Impairment, UdpRelay
from tests.support.wait import wait_until

LAYERS = (
    {"rid": "q", "scaleResolutionDownBy": 2, "maxBitrate": 150_000},
    {"rid": "h", "scaleResolutionDownBy": 1, "maxBitrate": 1_000_000},
)
BEST = len(LAYERS) - 1
FREEZE = 0.15
"""Seconds beyond the usual gap between frames that make it a freeze, as `freezeCount` of getStats has it."""
START_WITHIN = 30.0
FULL = 0.8
"""Share of the best layer's bitrate from which its encoder counts as warm; that may take 20 seconds."""
INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` in seconds since the first one; rates in bits per second. `layer` is the one on the wire, None for
    a video that is paused; `backlog` the seconds that the relay's line holds; `wanted` what the path is
    probed for; `due` how many frames the viewer should have seen since the sample before."""

    at: float
    estimate: int
    arrived: float
    layer: int | None
    backlog: float
    truth: float | None
    wanted: float
    due: float


@dataclass(frozen=True, slots=True)
class Freezes:
    """Of the frames in a stretch of time; durations in seconds."""

    frame_rate: float
    count: int
    longest: float
    total: float

    @classmethod
    def among(cls, frames: list[float], begin: float, end: float) -> Freezes:
        """`begin` and `end` count as frames: nothing may be missed at either side."""
        times = [begin, *(at for at in frames if begin < at < end), end]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        usual = mean(gaps)
        frozen = [gap for gap in gaps if gap > max(3 * usual, usual + FREEZE)]
        return cls((len(times) - 2) / (end - begin), len(frozen), max(gaps), sum(frozen))


@dataclass(slots=True)
class Watching:
    """A receiver that sees the best layer; `samples` and `frames` grow as it goes on."""

    media: ChromiumMedia
    relay: UdpRelay
    transport: SubscribeTransport
    samples: list[Sample] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    begun_at: float = field(default_factory=time.time)
    begun_with: dict[str, Any] = field(default_factory=dict)
    """What the browser had counted of received media by then."""
    _octets: int = 0
    _counts: list[int] = field(default_factory=list)
    _sampled_at: float = 0.0

    @property
    def layer(self) -> int | None:
        """On the wire."""
        consumer = self.transport.consumers["cs"]
        current = consumer.current
        return None if current is None or consumer.limit is None else current.spatial

    @property
    def is_full(self) -> bool:
        """Whether the best layer is on the wire, and its encoder makes of it what it will."""
        producer = self.media.producer
        full = FULL * float(LAYERS[BEST]["maxBitrate"])
        return self.layer == BEST and producer is not None and producer.supply.bitrates()[BEST] >= full

    async def go_on(self, seconds: float) -> None:
        end = time.time() + seconds
        while (left := end - time.time()) > 0:
            await asyncio.sleep(min(INTERVAL, left))
            self._sample()
        self.frames += await self.media.frame_times()

    async def completed(self) -> int:
        """Frames of which the browser has had every packet since the first sample."""
        return int(self._since(await self.media.received(), "framesReceived"))

    async def buffered(self) -> float:
        """Seconds from a frame's arrival until it was decoded, on average since the first sample."""
        now = await self.media.received()
        frames = self._since(now, "jitterBufferEmittedCount")
        return self._since(now, "jitterBufferDelay") / frames if frames else 0.0

    def _since(self, now: dict[str, Any], name: str) -> float:
        return float(now.get(name, 0)) - float(self.begun_with.get(name, 0))

    def freezes(self, begin: float, end: float) -> Freezes:
        """Between two times, in seconds since the first sample."""
        return Freezes.among(self.frames, self.begun_at + begin, self.begun_at + end)

    def between(self, begin: float, end: float) -> list[Sample]:
        return [sample for sample in self.samples if begin <= sample.at < end]

    def _sample(self) -> None:
        now = time.time()
        line = self.relay.down
        elapsed = now - (self._sampled_at or self.begun_at)
        arrived = 8 * (line.octets - self._octets) / elapsed if self._sampled_at else 0.0
        self._octets, self._sampled_at = line.octets, now
        self.samples.append(
            Sample(
                at=now - self.begun_at,
                estimate=self.transport.bandwidth.estimate,
                arrived=arrived,
                layer=self.layer,
                backlog=line.backlog(asyncio.get_running_loop().time()),
                truth=line.impairment.rate,
                wanted=self.transport.downlink.wanted,
                due=self._due(),
            )
        )

    def _due(self) -> float:
        """Frames that were sent of the encoding on the wire, less what the temporal layer leaves out."""
        producer = self.media.producer
        assert producer is not None
        counts = [encoding.frames for encoding in producer.encodings]
        before, self._counts = self._counts or counts, counts
        current = self.transport.consumers["cs"].current
        if self.layer is None or current is None:
            return 0.0
        top = producer.encodings[current.spatial].reader.top.temporal
        return (counts[current.spatial] - before[current.spatial]) / 2 ** (top - current.temporal)


@asynccontextmanager
async def watching(
    impairment: Impairment, *, seed: int, waits: bool = True, warm: float = 5.0
) -> AsyncIterator[Watching]:
    """Ready when the best layer has been seen in full for `warm` seconds, or could not be had in
    `START_WITHIN`. It `waits` for repairs as the web client does, or shows what there is."""
    async with chromium_media() as media:
        media.follow_wanted()
        await media.publish("video/VP8", list(LAYERS), busy=True)
        relay = UdpRelay.open(("127.0.0.1", media.link.node.ports.number), seed=seed, down=impairment)
        try:
            await media.subscribe(through=relay.rewrite)
            if waits:
                await media.keep_playout_delay()
            transport = media.link.node.transports["ts"]
            assert isinstance(transport, SubscribeTransport)
            await media.watch()
            seen = Watching(media, relay, transport)
            try:
                await wait_until(lambda: seen.is_full, "the best layer, in full", timeout=START_WITHIN)
            except AssertionError:
                # A path that cannot have it is a result like any other.
                pass
            await asyncio.sleep(warm)
            await media.frame_times()
            seen.begun_with = await media.received()
            seen.begun_at = time.time()
            yield seen
        finally:
            relay.close()
