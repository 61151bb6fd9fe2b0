"""What left on one subscribe transport, and what its receiver says arrived of it.

The forwarding loop does one `append` to `sent` for each batch it sends; everything else waits until feedback
comes. What was sent together stays together: a batch is matched as a whole, because the packets of a batch
left at one moment, and what the estimator wants to know of them is when the first and the last arrived.

A packet that one message reports missing may have been overtaken, and the next message may still report it.
So it only counts as lost after another message came and did not. Feedback is untrusted: numbers that were
never sent match nothing, and what was reported once is not there for a second time.

The usual message says that all came, in order, from the first packet of a batch to the last one of another.
It is matched by adding up numbers and sizes, as a `Sweep`, from which its bursts can be had if anybody needs
them. Whatever else a message says is looked at batch by batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from sfu.rtp.arrivals import CLOCK_BITS, MISSING, Arrivals

MAX_BATCHES: Final = 4096
"""Batches kept for a receiver that sends no feedback."""
FORGET_AFTER: Final = 5.0
"""Seconds after which feedback on a packet is not expected any more."""
GROUP_SPAN: Final = 0.005
"""Seconds within which what leaves may be taken for one burst."""
FEW: Final = 12
"""Batches of a message that are so many bursts. Voices of a meeting are more, of one packet each."""
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


class Sweep(NamedTuple):
    """A message that reports whole batches, one after the other, of which every packet arrived in order.

    `groups` are its bursts or, where there are many, of all together that left within `GROUP_SPAN`.
    """

    first: int
    packets: int
    groups: list[Burst]
    batches: list[Departure]
    times: list[int]
    clock: int
    overhead: int

    @property
    def end(self) -> int:
        """The number after the last one reported."""
        return self.first + self.packets

    def bursts(self) -> list[Burst]:
        """One for each batch."""
        times, clock, overhead = self.times, self.clock, self.overhead
        bursts = []
        position = 0
        for first, sent_at, sizes in self.batches:
            count = len(sizes)
            arrival = (clock + times[position]) * TICK
            position += count
            last = (clock + times[position - 1]) * TICK
            bursts.append(_burst((first, count, sum(sizes) + count * overhead, sent_at, arrival, last)))
        return bursts


_sweep: Callable[[tuple[int, int, list[Burst], list[Departure], list[int], int, int]], Sweep] = partial(
    tuple.__new__, Sweep
)


def _group(batches: Sequence[Departure], times: Sequence[int], clock: int, overhead: int) -> list[Burst]:
    """See `Sweep.groups`."""
    span = GROUP_SPAN if len(batches) > FEW else 0.0
    groups: list[Burst] = []
    first, left_at, _ = batches[0]
    begin = position = octets = 0
    for _, sent_at, sizes in batches:
        if position and sent_at - left_at >= span:
            count = position - begin
            octets += count * overhead
            arrival, last = (clock + times[begin]) * TICK, (clock + times[position - 1]) * TICK
            groups.append(_burst((first + begin, count, octets, left_at, arrival, last)))
            begin, octets, left_at = position, 0, sent_at
        position += len(sizes)
        octets += sum(sizes)
    count = position - begin
    octets += count * overhead
    arrival, last = (clock + times[begin]) * TICK, (clock + times[-1]) * TICK
    groups.append(_burst((first + begin, count, octets, left_at, arrival, last)))
    return groups


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

    def unanswered(self, heard_at: float) -> float:
        """Seconds for which packets went out after `heard_at`, when the receiver was heard last."""
        sent = self.sent
        if not sent:
            return 0.0
        # What left before the last message that was read may be spoken of nowhere, if one was lost; it says
        # nothing. Of more than are kept, the first left soon after that message.
        first = heard_at if len(sent) == MAX_BATCHES else max(heard_at, sent[0][1])
        return max(0.0, sent[-1][1] - first)

    @property
    def newest_at(self) -> float | None:
        """When the last batch left that no message was read since; None if there is none."""
        return self.sent[-1][1] if self.sent else None

    def sweep(self, arrivals: Arrivals, now: float) -> Sweep | None:
        """Match one message, if it is of the usual kind and nothing is missing from before; else None, and
        nothing has changed: it is for `handle`."""
        if not arrivals.complete or self._missing or self._suspected:
            return None
        self._settle(now)
        waiting = self._open
        base, reference, times, _ = arrivals
        count = len(times)
        start = self._newest - ((self._newest - base) & 0xFFFF)
        begin = 0
        for first, _, _ in waiting:
            if first >= start:
                break
            begin += 1
        index, left = begin, count
        for _, _, sizes in islice(waiting, begin, None):
            index += 1
            left -= len(sizes)
            if left <= 0:
                break
        if left or index == begin or waiting[begin][0] != start:
            return None
        last, _, sizes = waiting[index - 1]
        if last + len(sizes) != start + count:
            # Something between them was reported before.
            return None
        batches = waiting[begin:index]
        del waiting[begin:index]
        clock, overhead = self._unwrap(reference), self.overhead
        groups = _group(batches, times, clock, overhead)
        return _sweep((start, count, groups, batches, times, clock, overhead))

    def handle(self, arrivals: Arrivals, now: float) -> Delivery:
        """Match one message of any kind with what was sent."""
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
