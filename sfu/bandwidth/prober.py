"""Finding out whether the path would carry more than is sent: short clusters of padding above the estimate.

A cluster is three chunks, one a tick apart, which with the media between them make up the probed rate. What
the receiver reports of everything in that stretch of sequence numbers gives the rate at which it came out of
the path. If it kept up, the path carries that much, and the next cluster doubles it at once; if it did not,
the rate it came out with is the capacity.

Nothing is probed unless somebody would use it: never beyond `wanted` with some headroom. Between attempts
that found nothing lies a pause, so that a receiver at its limit is not disturbed for much of the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sfu.bandwidth.twcc import Burst

CHUNKS: Final = 3
CHUNK_SPAN: Final = 0.02
"""Seconds of the probed rate that a chunk holds, and the tick they are sent on."""
AT_ONCE: Final = 0.002
"""Seconds between packets of one chunk, at most."""
MIN_CHUNK: Final = 1_500
MAX_CHUNK: Final = 80_000
"""Bytes of padding sent at one moment."""
MIN_PACKETS: Final = 5
FIRST_FACTOR, FACTOR = 5.0, 2.0
ENOUGH, HEADROOM = 1.25, 1.6
"""How much more than wanted suffices, so that the allocator's hysteresis has room, and is tried at most."""
GOOD, KEPT_UP = 0.7, 0.9
SAFE: Final = 0.95
"""Share of a measured capacity that is gone on with."""
MIN_RECEIVED: Final = 0.8
RETRY, LONGEST_RETRY, BACKOFF = 4.0, 7.0, 1.5
"""Seconds between attempts: at first, at most, and how much longer after each that showed the limit. Somebody
who waits for a better picture on a path that got wider sees it within 10 seconds."""
RETRY_UNHEARD: Final = 1.0
"""The same after one of which nothing was reported at all: the path may be away for a moment."""
SOON: Final = 0.5
PATIENCE: Final = 1.5
"""Seconds to wait for feedback on a cluster."""


@dataclass(slots=True)
class _Cluster:
    """One attempt: the sequence numbers from `first` to before `end` belong to it, media's included."""

    rate: float
    started_at: float
    chunks: int = 0
    chunk_at: float = float("-inf")
    first: int | None = None
    end: int = 0
    count: int = 0
    bursts: list[Burst] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.chunks == CHUNKS

    def outcome(self, least: float | None, loss: float) -> tuple[float, bool] | None:
        """The rate it came through with, and whether it kept up; None where too little arrived to say, also
        for a path that loses the share `loss`.

        `least`: the least delay of the path, by which the first packet is taken to have come. If it came
        later, somebody's hiccup held it up, and what is left of the cluster's time would be too short.
        """
        bursts = self.bursts
        received = sum(burst.packets for burst in bursts)
        if received < max(MIN_PACKETS, MIN_RECEIVED * (1.0 - loss) * (self.end - (self.first or 0))):
            return None
        octets = sum(burst.octets for burst in bursts)
        head = min(bursts, key=lambda burst: burst.first_arrival)
        tail = max(bursts, key=lambda burst: burst.sent_at)
        leaving = tail.sent_at - min(burst.sent_at for burst in bursts)
        begun = head.first_arrival if least is None else min(head.first_arrival, head.sent_at + least)
        arriving = max(burst.last_arrival for burst in bursts) - begun
        if leaving <= 0.0:
            return None
        # The last chunk ends the time that the others took; it may be reported packet by packet.
        last = sum(burst.octets for burst in bursts if tail.sent_at - burst.sent_at < AT_ONCE)
        sent = 8 * (octets - last) / leaving
        if arriving <= 0.0:
            return sent, True
        arrived = 8 * (octets - head.octets / head.packets) / arriving
        return min(sent, arrived), arrived >= KEPT_UP * sent


class Prober:
    """`poll` says how much padding to send now, `handle` what came of it."""

    __slots__ = (
        "_cluster",
        "_factor",
        "_next_at",
        "_retry",
        "_sent_enough",
        "_wanted",
        "clusters",
    )

    def __init__(self) -> None:
        self.clusters = 0
        self._cluster: _Cluster | None = None
        self._next_at = 0.0
        self._factor = FIRST_FACTOR
        self._retry = RETRY
        self._wanted = 0.0
        self._sent_enough = True
        """Together with the media; if the last cluster was too thin, the media stopped meanwhile."""

    @property
    def active(self) -> bool:
        """A cluster is being sent: `poll` wants to be called every 20 milliseconds."""
        return self._cluster is not None and not self._cluster.complete

    @property
    def watching(self) -> bool:
        """A cluster is under way, or its report."""
        return self._cluster is not None

    @property
    def rate(self) -> float:
        """The rate being probed, 0 between clusters."""
        return self._cluster.rate if self._cluster is not None and not self._cluster.complete else 0.0

    def poll(self, now: float, *, estimate: float, wanted: float, offered: float, steady: bool) -> int:
        """Bytes of padding to send now; all rates in bits per second.

        `offered` is what media takes up by itself. No cluster begins while the path is not `steady`.
        """
        if wanted > 1.2 * self._wanted:
            self._next_at = min(self._next_at, now + SOON)
            self._retry = RETRY
        self._wanted = wanted
        cluster = self._cluster
        if cluster is not None and now - cluster.started_at > PATIENCE:
            self._give_up(now)
            cluster = None
        if cluster is None:
            if not steady or ENOUGH * wanted <= estimate or now < self._next_at:
                return 0
            cluster = self._begin(now, estimate, wanted)
        if cluster.complete or now - cluster.chunk_at < 0.75 * CHUNK_SPAN:
            return 0
        span = CHUNK_SPAN if cluster.chunks == 0 else min(now - cluster.chunk_at, 2 * CHUNK_SPAN)
        cluster.chunk_at = now
        cluster.chunks += 1
        missing = cluster.rate - (offered if self._sent_enough else 0.0)
        return int(min(max(missing * span / 8, MIN_CHUNK), MAX_CHUNK))

    def note_sent(self, first: int, end: int) -> None:
        """The padding just asked for went out under these transport-wide sequence numbers."""
        cluster = self._cluster
        if cluster is None:
            return
        if end == first and cluster.first is None:
            # There is nothing to pad with.
            self._cluster = None
            return
        if cluster.first is None:
            cluster.first = first
        cluster.end = end

    def handle(
        self,
        bursts: Iterable[Burst],
        reported: int,
        now: float,
        *,
        least: float | None = None,
        loss: float = 0.0,
    ) -> float | None:
        """Take what a message reported, up to sequence number `reported`; the rate proved, if that is all.

        `least`: the least delay of the path lately, on the clocks of the bursts; `loss`: the share of packets
        that it loses.
        """
        cluster = self._cluster
        if cluster is None or cluster.first is None:
            return None
        cluster.bursts += [burst for burst in bursts if cluster.first <= burst.first < cluster.end]
        if not cluster.complete or reported < cluster.end:
            return None
        outcome = cluster.outcome(least, loss)
        if outcome is None:
            self._give_up(now)
            return None
        rate, kept_up = outcome
        self._cluster = None
        self._factor = FACTOR
        self._sent_enough = rate > GOOD * cluster.rate or not kept_up
        if kept_up:
            self._retry = RETRY
            self._next_at = now
        else:
            self._next_at = now + self._retry
            self._retry = min(BACKOFF * self._retry, LONGEST_RETRY)
        return rate if kept_up else SAFE * rate

    def hasten(self, now: float) -> None:
        """There is reason to try now."""
        self._next_at = min(self._next_at, now)

    def abandon(self, now: float) -> None:
        """The path showed its limit by itself."""
        if self._cluster is not None:
            self._give_up(now)
        self._next_at = max(self._next_at, now + RETRY / 2)

    def _begin(self, now: float, estimate: float, wanted: float) -> _Cluster:
        self.clusters += 1
        rate = min(self._factor * estimate, HEADROOM * wanted)
        self._cluster = cluster = _Cluster(max(rate, 1.1 * estimate), now)
        return cluster

    def _give_up(self, now: float) -> None:
        unheard = self._cluster is not None and not self._cluster.bursts
        self._cluster = None
        self._factor = FACTOR
        self._next_at = now + (RETRY_UNHEARD if unheard else RETRY)
