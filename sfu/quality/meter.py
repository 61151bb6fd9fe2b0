"""What a stream did over the last seconds, from counters that only rise. Read on a tick, never per packet.

A producer and a consumer have a meter each. It is polled with every turn of their transport, for freezes, and
settled every `INTERVAL`: then it has new `Figures`, and a score where that is worth telling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sfu.quality.score import BEST, Gauge, Kind, Sample

if TYPE_CHECKING:
    from sfu.consumer import Consumer
    from sfu.forwarding.cut import Cut
    from sfu.forwarding.encoding import Encoding
    from sfu.producer import Producer

INTERVAL: Final = 2.0
"""Seconds over which figures are taken."""
AUDIO_FREEZE: Final = 2.0
"""Seconds without a packet that count as a freeze. Opus sends one every 400 ms of silence, ..."""
SCREEN_FREEZE: Final = 5.0
"""... browsers one picture a second of a screen on which nothing moves, ..."""
VIDEO_FREEZE: Final = 0.5
"""... and cameras never pause."""
NORMAL_WEIGHT: Final = 0.05
"""Of a measurement in what an encoding normally takes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates are per second, bitrates in bits of payload; shares 0 to 1. `rtt` is None where unknown."""

    bitrate: float = 0.0
    packet_rate: float = 0.0
    frame_rate: float | None = None
    """None of audio, and where it could not be counted."""
    loss: float = 0.0
    repaired: float = 0.0
    jitter: float = 0.0
    """Seconds."""
    rtt: float | None = None
    """Seconds."""
    frozen: float = 0.0
    freezes: int = 0
    """Since the beginning."""
    score: int = BEST


class Passed(NamedTuple):
    """What passed of a stream since somebody looked last, for reports over longer than `INTERVAL`. `lost` are
    packets that never came, as far as that is known: of what a receiver reports, a fraction. `frozen` is in
    seconds."""

    packets: int
    octets: int
    lost: float
    frozen: float


class FreezeWatch:
    """How often and how long nothing came that should have. Pure."""

    __slots__ = ("_expected_since", "_polled_at", "after", "count", "frozen", "seconds")

    def __init__(self, after: float) -> None:
        self.after = after
        self.count = 0
        self.seconds = 0.0
        self.frozen = False
        self._expected_since: float | None = None
        self._polled_at: float | None = None

    def poll(self, last: float, now: float, *, expected: bool) -> None:
        """`last` is when something came; `expected`, whether more should have since the last poll."""
        elapsed = 0.0 if self._polled_at is None else now - self._polled_at
        self._polled_at = now
        if not expected:
            self._expected_since = None
            self.frozen = False
            return
        if self._expected_since is None:
            self._expected_since = now
        frozen = now - max(last, self._expected_since) > self.after
        if frozen:
            self.count += not self.frozen
            self.seconds += elapsed
        self.frozen = frozen

    def goes_on(self, last: float, now: float) -> bool:
        """Instead of `poll` where more is expected as before: whether it comes as before, too, so that there
        is nothing to find out. If not, poll."""
        if self.frozen or self._expected_since is None or now - last > self.after:
            return False
        self._polled_at = now
        return True


class _Meter:
    """When figures are taken, and what froze between two times. `freeze`: see `FreezeWatch`."""

    def __init__(self, freeze: float) -> None:
        self.figures = Figures()
        self.settled_at: float | None = None
        """When `figures` were taken."""
        self.freezes_begun = 0
        """Between the last two times."""
        self._gauge = Gauge()
        self._freezes = FreezeWatch(freeze)
        self._frozen_before = 0.0
        self._freezes_before = 0

    def _elapsed(self, now: float) -> float | None:
        """Seconds since figures were taken, where it is time to take others."""
        if self.settled_at is None:
            self.settled_at = now
        elapsed = now - self.settled_at
        if elapsed < INTERVAL:
            return None
        self.settled_at = now
        self.freezes_begun = self._freezes.count - self._freezes_before
        self._freezes_before = self._freezes.count
        return elapsed

    def _frozen(self, elapsed: float) -> float:
        """Share of that time."""
        frozen = min(1.0, (self._freezes.seconds - self._frozen_before) / elapsed)
        self._frozen_before = self._freezes.seconds
        return frozen


class ProducerMeter(_Meter):
    """What arrives of one producer, all its encodings together; the frame rate is the best one's."""

    def __init__(self, producer: Producer) -> None:
        super().__init__(_freeze_of(producer))
        self._producer = producer
        self._before: list[_Received] = [_Received.of(one) for one in producer.encodings]
        self._normal = 0.0
        self._told = self._before
        self._told_frozen = 0.0
        """As of the last `poll_passed`."""

    def poll_passed(self) -> Passed:
        """Since the last call."""
        after = [_Received.of(one) for one in self._producer.encodings]
        steps = [one.since(before) for one, before in zip(after, self._told, strict=True)]
        frozen, self._told_frozen = self._freezes.seconds - self._told_frozen, self._freezes.seconds
        self._told = after
        return Passed(
            sum(step.packets for step in steps),
            sum(step.bytes for step in steps),
            float(sum(step.lost for step in steps)),
            frozen,
        )

    def poll(self, now: float) -> int | None:
        """With every turn of its transport. A score to tell, None for none."""
        producer = self._producer
        encodings = producer.encodings
        began = any(one.stream.packets for one in encodings)
        expected = (
            began and not producer.paused and not producer.withheld and any(one.wanted for one in encodings)
        )
        last = max(one.stream.last_arrival for one in encodings)
        self._freezes.poll(last, now, expected=expected)
        elapsed = self._elapsed(now)
        return None if elapsed is None else self._settle(elapsed, expected=expected)

    def _settle(self, elapsed: float, *, expected: bool) -> int | None:
        producer = self._producer
        after = [_Received.of(one) for one in producer.encodings]
        steps = [one.since(before) for one, before in zip(after, self._before, strict=True)]
        self._before = after
        packets = sum(step.packets for step in steps)
        gone = sum(step.lost for step in steps)
        frozen = self._frozen(elapsed)
        bitrate = 8 * sum(step.bytes for step in steps) / elapsed
        loss = min(1.0, gone / (packets + gone)) if packets + gone else 0.0
        repaired = min(1.0, sum(step.repaired for step in steps) / packets) if packets else 0.0
        jitter = _jitter(producer.encodings, steps)
        told = None
        if expected:
            fill = bitrate / self._normal if self._normal and producer.source == "camera" else 1.0
            rtt = producer.rtt or 0.0
            sample = Sample(producer.kind, loss, repaired, jitter, rtt, min(1.0, fill), frozen)
            told = self._gauge.handle(sample, elapsed)
            if not frozen:
                weight = NORMAL_WEIGHT if self._normal else 1.0
                self._normal += (bitrate - self._normal) * weight
        frames = max((step.frames for step in steps), default=0) / elapsed
        self.figures = Figures(
            bitrate=bitrate,
            packet_rate=packets / elapsed,
            frame_rate=frames if producer.kind == "video" else None,
            loss=loss,
            repaired=repaired,
            jitter=jitter,
            rtt=producer.rtt,
            frozen=frozen,
            freezes=self._freezes.count,
            score=self._gauge.told,
        )
        return told


class ConsumerMeter(_Meter):
    """What leaves for one receiver, and what its reports say of it."""

    def __init__(self, consumer: Consumer) -> None:
        super().__init__(_freeze_of(consumer.producer))
        self._consumer = consumer
        self._before = (0, 0, 0, 0)
        self._lost = 0.0
        """Packets, since the beginning; of the reports there are only shares."""
        self._told = (0, 0, 0.0, 0.0)
        """As of the last `poll_passed`."""
        self._still = False
        """Nothing left and nothing should have, so `figures` are those of silence."""
        self._frames: tuple[Cut | None, int] = (None, 0)

    def poll_passed(self) -> Passed:
        """Since the last call."""
        leg, before = self._consumer.leg, self._told
        self._told = (leg.packets, leg.octets, self._lost, self._freezes.seconds)
        packets, octets, lost, frozen = (
            max(0, new - old) for new, old in zip(self._told, before, strict=True)
        )
        return Passed(int(packets), int(octets), lost, frozen)

    def poll(self, now: float) -> int | None:
        """With every turn of its transport. A score to tell, None for none."""
        consumer = self._consumer
        leg, settled_at = consumer.leg, self.settled_at
        if (
            # What is in the fan-out is expected.
            leg.carried
            and settled_at is not None
            and now - settled_at < INTERVAL
            and self._freezes.goes_on(leg.last_sent_at, now)
        ):
            return None
        expected = consumer.expects_packets
        self._freezes.poll(consumer.leg.last_sent_at, now, expected=expected)
        elapsed = self._elapsed(now)
        return None if elapsed is None else self._settle(elapsed, expected=expected)

    def _settle(self, elapsed: float, *, expected: bool) -> int | None:
        consumer, leg = self._consumer, self._consumer.leg
        before = self._before
        self._before = (leg.packets, leg.octets, leg.retransmitted, consumer.pictures_lost)
        still = self._before == before and not expected
        if still and self._still and consumer.rtt == self.figures.rtt:
            return None
        self._still = still and self._freezes.seconds == self._frozen_before
        packets, octets, resent, pictures = (
            max(0, new - old) for new, old in zip(self._before, before, strict=True)
        )
        frozen = self._frozen(elapsed)
        # What was sent again on request arrived, as far as anybody knows.
        lost = consumer.fraction_lost if packets else 0.0
        repaired = min(lost, resent / packets) if packets else 0.0
        if lost:
            self._lost += (lost - repaired) * packets
        told = None
        if expected:
            sample = Sample(
                consumer.producer.kind,
                lost - repaired,
                repaired,
                consumer.jitter,
                consumer.rtt or 0.0,
                1.0,
                frozen,
                pictures / elapsed,
            )
            told = self._gauge.handle(sample, elapsed)
        self.figures = Figures(
            bitrate=8 * octets / elapsed,
            packet_rate=packets / elapsed,
            frame_rate=self._frame_rate(elapsed),
            loss=lost - repaired,
            repaired=repaired,
            jitter=consumer.jitter,
            rtt=consumer.rtt,
            frozen=frozen,
            freezes=self._freezes.count,
            score=self._gauge.told,
        )
        return told

    def _frame_rate(self, elapsed: float) -> float | None:
        """Of the cut it is on, if it was on it all the time."""
        if self._consumer.producer.kind == "audio":
            return None
        cut, (before, counted) = self._consumer.leg.cut, self._frames
        frames = 0 if cut is None else cut.frames
        self._frames = (cut, frames)
        return (frames - counted) / elapsed if cut is before and cut is not None else None


@dataclass(frozen=True, slots=True)
class _Received:
    """An encoding's counters."""

    ssrc: int
    packets: int
    bytes: int
    lost: int
    repaired: int
    frames: int

    @classmethod
    def of(cls, encoding: Encoding) -> _Received:
        stream = encoding.stream
        nack = stream.nack
        return cls(
            stream.ssrc,
            stream.packets,
            stream.bytes,
            stream.lost if nack is None else nack.given_up,
            encoding.recovered if nack is None else nack.repaired,
            encoding.frames,
        )

    def since(self, before: _Received) -> _Received:
        """What was added. An encoding that goes on under another SSRC counts from zero."""
        if self.ssrc != before.ssrc or self.packets < before.packets:
            return _Received(self.ssrc, self.packets, self.bytes, 0, 0, 0)
        return _Received(
            self.ssrc,
            self.packets - before.packets,
            self.bytes - before.bytes,
            max(0, self.lost - before.lost),
            max(0, self.repaired - before.repaired),
            max(0, self.frames - before.frames),
        )


def _jitter(encodings: Sequence[Encoding], steps: Sequence[_Received]) -> float:
    """The worst of those that came, in seconds."""
    return max(
        (
            encoding.stream.jitter / encoding.stream.clock_rate
            for encoding, step in zip(encodings, steps, strict=True)
            if step.packets
        ),
        default=0.0,
    )


def _freeze_of(producer: Producer) -> float:
    if producer.kind == "audio":
        return AUDIO_FREEZE
    return SCREEN_FREEZE if producer.source == "screen" else VIDEO_FREEZE


__all__ = ["INTERVAL", "ConsumerMeter", "Figures", "FreezeWatch", "Kind", "ProducerMeter"]
