"""What left on one subscribe transport, and what its receiver says arrived of it.

The forwarding loop does one `append` to `sent` for each batch it sends; everything else waits until feedback
comes. What was sent together stays together: a batch is matched as a whole, because the packets of a batch
left at one moment, and what the estimator wants to know of them is when the first and the last arrived.

A packet that one message reports missing may have been overtaken, and the next message may still report it.
So it only counts as lost after another message came and did not. Feedback is untrusted: numbers that were
never sent match nothing, and what was reported once is not there for a second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from sfu.rtp.arrivals import CLOCK_BITS, MISSING, Arrivals

MAX_BATCHES: Final = 4096
"""Batches kept for a receiver that sends no feedback."""
FORGET_AFTER: Final = 5.0
"""Seconds after which feedback on a packet is not expected any more."""
TICK: Final = 250e-6
HALF_CLOCK: Final = 1 << CLOCK_BITS - 1
CLOCK_MASK: Final = (1 << CLOCK_BITS) - 1
MAX_MISSING: Final = 4096

Departure = tuple[int, float, Sequence[int]]
"""(transport-wide sequence number of the first packet, never wrapping; when they left; bytes of each)."""


class Burst(NamedTuple):
    """Packets that left together and arrived.

    `first` is the number of the first one; `octets` all they took on the wire above UDP; the times are
    seconds, `sent_at` on our clock, the others on the receiver's.
    """

    first: int
    packets: int
    octets: int
    sent_at: float
    first_arrival: float
    last_arrival: float


_burst: Callable[[tuple[int, int, int, float, float, float]], Burst] = partial(tuple.__new__, Burst)
"""A burst from its fields, without the call to Python's code that naming them would be."""


class Delivery(NamedTuple):
    """What one message brought to light. `lost` packets are given up; `end` follows the last one reported."""

    bursts: list[Burst]
    lost: int
    end: int


class Ledger:
    """`overhead`: bytes a packet has on the wire beyond its prepared size (headers and authentication)."""

    __slots__ = ("_clock", "_missing", "_newest", "_open", "_suspected", "overhead", "sent")

    def __init__(self) -> None:
        self.sent: deque[Departure] = deque(maxlen=MAX_BATCHES)
        self.overhead = 0
        self._open: list[Departure] = []
        self._newest = -1
        self._clock: int | None = None
        self._missing: dict[int, tuple[float, int]] = {}
        """Reported missing by the last message: when each left, and its bytes."""
        self._suspected: dict[int, tuple[float, int]] = {}
        """Reported missing by the one before, and not reported since."""

    @property
    def waiting_since(self) -> float | None:
        """When the oldest batch left that feedback has not spoken of; None if there is none."""
        if self._open:
            return self._open[0][1]
        return self.sent[0][1] if self.sent else None

    def handle(self, arrivals: Arrivals, now: float) -> Delivery:
        """Match one message with what was sent."""
        self._settle(now)
        base, reference, times, complete = arrivals
        start = self._newest - ((self._newest - base) & 0xFFFF)
        length = len(times)
        end = start + length
        bursts: list[Burst] = []
        clock = self._unwrap(reference)
        kept: list[Departure] = []
        lost = self._give_up()
        if self._suspected:
            self._find_late(start, times, clock, bursts)
        overhead = self.overhead
        for index, departure in enumerate(self._open):
            first, sent_at, sizes = departure
            position = first - start
            count = len(sizes)
            after = position + count
            if position < 0 or after > length:
                if first >= end:
                    # They are in order: of the rest, nothing was reported either.
                    kept += self._open[index:]
                    break
                self._match_part(departure, start, times, clock, bursts, kept)
                continue
            if count == 1:
                earliest = latest = times[position]
                octets = sizes[0] + overhead
            else:
                if complete:
                    earliest, latest = times[position], times[after - 1]
                else:
                    arrived = times[position:after]
                    earliest, latest = min(arrived), max(arrived)
                octets = sum(sizes) + count * overhead
            if not complete and earliest <= MISSING:
                self._match_part(departure, start, times, clock, bursts, kept)
                continue
            arrival = (clock + earliest) * TICK
            last = arrival if latest == earliest else (clock + latest) * TICK
            bursts.append(_burst((first, count, octets, sent_at, arrival, last)))
        self._open = kept
        return Delivery(bursts, lost, min(end, self._newest + 1))

    def _match_part(
        self,
        departure: Departure,
        start: int,
        times: list[int],
        clock: int,
        bursts: list[Burst],
        kept: list[Departure],
    ) -> None:
        """A batch that was not reported as a whole, or of which something is missing."""
        first, sent_at, sizes = departure
        end = start + len(times)
        if first + len(sizes) <= start or not times:
            kept.append(departure)
            return
        if first < start:
            kept.append((first, sent_at, sizes[: start - first]))
            sizes = sizes[start - first :]
            first = start
        if first + len(sizes) > end:
            kept.append((end, sent_at, sizes[end - first :]))
            sizes = sizes[: end - first]
        arrived = times[first - start : first - start + len(sizes)]
        if min(arrived) <= MISSING:
            sizes = self._note_missing(first, sent_at, sizes, arrived)
            arrived = [time for time in arrived if time > MISSING]
            if not arrived:
                return
        octets = sum(sizes) + len(arrived) * self.overhead
        earliest, latest = (clock + min(arrived)) * TICK, (clock + max(arrived)) * TICK
        bursts.append(Burst(first, len(arrived), octets, sent_at, earliest, latest))

    def _settle(self, now: float) -> None:
        sent = self.sent
        if sent:
            last = sent[-1]
            self._open += sent
            sent.clear()
            self._newest = max(self._newest, last[0] + len(last[2]) - 1)
        oldest = now - FORGET_AFTER
        if self._open and self._open[0][1] < oldest:
            self._open = [departure for departure in self._open if departure[1] >= oldest]

    def _unwrap(self, reference: int) -> int:
        """The receiver's clock as one that does not wrap, as near as possible to where it was."""
        if self._clock is None:
            self._clock = reference + 2 * HALF_CLOCK
        else:
            self._clock += ((reference - self._clock + HALF_CLOCK) & CLOCK_MASK) - HALF_CLOCK
        return self._clock

    def _note_missing(
        self, first: int, sent_at: float, sizes: Sequence[int], arrived: list[int]
    ) -> list[int]:
        """Remember those that did not arrive; the sizes of those that did."""
        there = []
        for number, (size, time) in enumerate(zip(sizes, arrived, strict=True), first):
            if time > MISSING:
                there.append(size)
            elif len(self._missing) < MAX_MISSING:
                self._missing[number] = (sent_at, size)
        return there

    def _give_up(self) -> int:
        """Another message is here: what the one before the last missed is lost, the last one's suspected.

        They get one more chance in the message that is being read.
        """
        lost = len(self._suspected)
        self._suspected = self._missing
        self._missing = {}
        return lost

    def _find_late(self, start: int, times: list[int], clock: int, bursts: list[Burst]) -> None:
        end = start + len(times)
        for number in [number for number in self._suspected if start <= number < end]:
            time = times[number - start]
            if time > MISSING:
                sent_at, size = self._suspected.pop(number)
                arrival = (clock + time) * TICK
                bursts.append(Burst(number, 1, size + self.overhead, sent_at, arrival, arrival))
