"""How one peer's media did over a while: what it sent as it arrived, and what it received as its reports say.

Readings of one track add up: two of them that follow each other make one over both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Heading = Literal["sent", "received"]
"""As the peer sees it."""
Medium = Literal["audio", "video", "screen_audio", "screen"]

HEADINGS: Final[tuple[Heading, ...]] = ("sent", "received")
MEDIA: Final[tuple[Medium, ...]] = ("audio", "video", "screen_audio", "screen")
BEST_SCORE: Final = 10.0


class Track(NamedTuple):
    heading: Heading
    medium: Medium


@dataclass(frozen=True, slots=True)
class Reading:
    """All streams of one track over `seconds` in which something passed, or should have. Times in seconds,
    scores from 0 to 10; `streams` is how many there were on average. `rtt` and `frame_rate` are None where
    nothing is known of them."""

    seconds: float
    streams: float
    packets: float
    octets: float
    """Of payload."""
    lost: float
    """Packets that never came."""
    jitter: float
    rtt: float | None
    frame_rate: float | None
    """The best stream's."""
    frozen: float
    """The seconds, of these, in which the stream that stood still for longest did."""
    score: float
    worst: float
    """The least score that a stream had."""

    @property
    def bitrate(self) -> float:
        return 8 * self.octets / self.seconds if self.seconds else 0.0

    @property
    def loss(self) -> float:
        """Share of the packets, 0 to 1."""
        return min(1.0, self.lost / (self.packets + self.lost)) if self.packets + self.lost > 0 else 0.0

    @property
    def mos(self) -> float:
        return mos_of(self.score)

    def followed_by(self, later: Reading) -> Reading:
        return Reading(
            seconds=self.seconds + later.seconds,
            streams=_mean(self, later, self.streams, later.streams),
            packets=self.packets + later.packets,
            octets=self.octets + later.octets,
            lost=self.lost + later.lost,
            jitter=_mean(self, later, self.jitter, later.jitter),
            rtt=_mean_known(self, later, self.rtt, later.rtt),
            frame_rate=_mean_known(self, later, self.frame_rate, later.frame_rate),
            frozen=self.frozen + later.frozen,
            score=_mean(self, later, self.score, later.score),
            worst=min(self.worst, later.worst),
        )


def mos_of(score: float) -> float:
    """A score on the scale of opinions from 1 (bad) to 5 (excellent) of ITU-T P.800."""
    return 1.0 + 4.0 * max(0.0, min(BEST_SCORE, score)) / BEST_SCORE


def together(first: Reading | None, later: Reading | None) -> Reading | None:
    if first is None or later is None:
        return later if first is None else first
    return first.followed_by(later)


def _mean(first: Reading, later: Reading, one: float, other: float) -> float:
    seconds = first.seconds + later.seconds
    return (one * first.seconds + other * later.seconds) / seconds if seconds else other


def _mean_known(first: Reading, later: Reading, one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return _mean(first, later, one, other)
