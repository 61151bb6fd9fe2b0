"""What a producer has to give: which of its layers can be had, what they cost, and which are wanted.

A layer that is being received is there to be had. So is one that is not, if it is because nobody wanted it:
its publisher is told to stop what nobody receives, and to go on as soon as somebody's allocation asks for it.
A layer that was wanted and did not come is its publisher's own choice (its uplink or its processor is at the
limit); it does not count for a while, so that nobody waits for it.

An encoding that has layers within offers them as well, each with its share of the whole.

Bitrates are what they were measured at last, also of layers that are off. They rise at once and fall slowly,
and are published only when they have moved by a tenth, so that receivers need not look at each wavering. A
layer is never priced by its silence: what it takes while it is being stopped, or in its first moments after,
is less than it will take, and who is on a narrow path would try it for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

from sfu.bandwidth.allocator import Available
from sfu.forwarding.encoding import Encoding
from sfu.layers import Layer

LOOK_INTERVAL = 0.1
"""Seconds between two looks at what is being received."""
MEASURE_INTERVAL = 0.5
PACKET_OVERHEAD = 36
"""Bytes of a packet beside its payload: RTP header, transport-wide number and seal. Estimates count as well
from above UDP."""
RECENT = 7
"""Intervals whose median is the price that a stopped layer keeps: those in which nobody received it."""
FALL = 0.25
"""Weight of a lower measurement; a higher one counts at once."""
WAVERING = 0.1
FIRST_GUESS = 100_000.0
"""Bits per second of the lowest of several encodings, before any was measured."""
STEP_GUESS = 3.5
"""How much more the next encoding takes, before it was measured."""
PATIENCE = 3.0
"""Seconds for which a wanted layer that does not come is waited for."""
RETRY_AFTER = 15.0
HOLD = 4.0
"""Seconds without a receiver, after which a layer is stopped at the publisher."""
WARM_UP = 3.0
"""Seconds after a layer came back in which a lower bitrate is not believed: encoders begin small."""


class _Row:
    """One encoding's measurements."""

    __slots__ = (
        "active",
        "available",
        "bitrate",
        "bytes",
        "encoding",
        "live",
        "packets",
        "previous",
        "published",
        "recent",
        "retry_at",
        "revision",
        "told",
        "unwanted_since",
        "wanted_since",
        "warm_at",
    )

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.live = False
        self.revision = 0
        """Of the encoding's layers."""
        self.available = True
        self.bitrate = 0.0
        self.previous = 0.0
        """What was measured before the last time."""
        self.recent: deque[float] = deque(maxlen=RECENT)
        """What was measured in the last intervals, as it was."""
        self.warm_at = float("-inf")
        """When lower bitrates are believed again."""
        self.published = 0.0
        self.told: float | None = None
        """Of a piped encoding: what its origin measured, which sees it whether it is carried or not."""
        self.bytes = encoding.stream.bytes
        self.packets = encoding.stream.packets
        self.wanted_since: float | None = None
        self.unwanted_since: float | None = None
        self.retry_at = float("-inf")
        self.active = True
        """What the publisher was told last; it begins with everything."""

    def look(self, now: float) -> None:
        live = self.encoding.is_live(now)
        if self.live and not live and self.active:
            # The last measurement saw it stop; what it took while it was sent is what it will take again.
            self.bitrate = max(self.bitrate, self.previous)
        elif live and not self.live and self.bitrate:
            self.warm_at = now + WARM_UP
        self.live = live
        self.revision = self.encoding.layers_revision
        wanted = self.encoding.wanted
        if not wanted:
            self.wanted_since = None
        elif self.wanted_since is None:
            self.wanted_since = now

    def judge(self, now: float) -> None:
        """Whether to count on this encoding, at a time when the publisher sends at least one."""
        if self.live:
            self.available = True
            self.retry_at = float("-inf")
        elif self.wanted_since is not None and now - self.wanted_since > PATIENCE:
            if self.available:
                self.retry_at = now + RETRY_AFTER
            self.available = False
        elif now >= self.retry_at:
            self.available = True

    def set_active(self, active: bool, now: float) -> None:  # noqa: FBT001
        """Note what its publisher is told. From being told to stop on, nothing is measured."""
        if active is self.active:
            return
        self.active = active
        if active:
            self.warm_at = now + WARM_UP if self.bitrate else self.warm_at
        elif len(self.recent) == RECENT:
            # It is to keep this price, so a peak that came last is not what it is judged by.
            self.bitrate = median(self.recent)
        self.recent.clear()

    def measure(self, elapsed: float, now: float) -> None:
        stream = self.encoding.stream
        if stream.packets < self.packets:
            # Another stream took over, which counts from zero.
            self.bytes = self.packets = 0
        octets = stream.bytes - self.bytes + PACKET_OVERHEAD * (stream.packets - self.packets)
        self.bytes, self.packets = stream.bytes, stream.packets
        if self.told is not None:
            self.bitrate = self.told
            return
        if not self.live or not self.active:
            return
        measured = octets * 8 / elapsed
        self.recent.append(measured)
        if not octets:
            return
        if measured < self.bitrate and now < self.warm_at:
            return
        self.previous = self.bitrate
        weight = 1.0 if measured > self.bitrate else FALL
        self.bitrate += (measured - self.bitrate) * weight


class Supply:
    """Of one producer. All who ask in one tick get the same answer; only the first one pays for it."""

    def __init__(self, encodings: Sequence[Encoding]) -> None:
        self.version = 0
        """Another number whenever `available` is something else."""
        self.available: tuple[Available, ...] = ()
        self._rows = [_Row(encoding) for encoding in encodings]
        self._looked_at = float("-inf")
        self._measured_at: float | None = None
        self._publish()

    def look(self, now: float) -> int:
        """Bring everything up to date, at most every `LOOK_INTERVAL`. Returns `version`."""
        if now - self._looked_at < LOOK_INTERVAL * 0.9:
            return self.version
        self._looked_at = now
        before = self._state()
        for row in self._rows:
            row.look(now)
        if any(row.live for row in self._rows):
            for row in self._rows:
                row.judge(now)
        changed = before != self._state()
        if self._measure(now) or changed:
            self._publish()
        return self.version

    def _state(self) -> list[tuple[bool, bool, int]]:
        return [(row.live, row.available, row.revision) for row in self._rows]

    def _measure(self, now: float) -> bool:
        """Whether a bitrate is so different from what was published that it matters."""
        if self._measured_at is None:
            self._measured_at = now
        elapsed = now - self._measured_at
        if elapsed < MEASURE_INTERVAL:
            return False
        self._measured_at = now
        for row in self._rows:
            row.measure(elapsed, now)
        return any(abs(row.bitrate - row.published) > WAVERING * row.published for row in self._rows)

    def bitrates(self) -> tuple[float, ...]:
        """By encoding: bits per second as measured last, 0 before the first time."""
        return tuple(row.bitrate for row in self._rows)

    def handle_told(self, spatial: int, bitrate: float) -> None:
        """The origin's measurement of a piped encoding."""
        self._rows[spatial].told = bitrate

    def touch(self) -> None:
        """The producer itself was muted, or is back."""
        self.version += 1

    @property
    def told(self) -> tuple[bool, ...]:
        """By encoding, what the publisher was told last to send; empty of audio."""
        return tuple(row.active for row in self._rows)

    def poll_wanted(self, now: float, *, expected: bool) -> tuple[bool, ...] | None:
        """By encoding, whether the publisher is to send it; None where that is what it was told last.

        `expected`: a receiver is on its way, which will want the lowest layer at least. That one is kept on
        for as long as any is wanted: it is what a receiver falls back to, without a round trip to here.
        """
        if not self._rows:
            return None
        rows = self._rows
        wanted = [row.encoding.wanted for row in rows]
        wanted[0] |= expected or any(wanted)
        before = [row.active for row in rows]
        for row, one in zip(rows, wanted, strict=True):
            if one:
                row.unwanted_since = None
                row.set_active(True, now)
            elif row.unwanted_since is None:
                row.unwanted_since = now
            elif now - row.unwanted_since >= HOLD:
                row.set_active(False, now)
        active = [row.active for row in rows]
        return tuple(active) if active != before else None

    def _publish(self) -> None:
        self.version += 1
        guess = FIRST_GUESS if len(self._rows) > 1 else 0.0
        available = []
        for spatial, row in enumerate(self._rows):
            row.published = row.bitrate
            bitrate = row.bitrate or guess
            guess = bitrate * STEP_GUESS
            if row.available or len(self._rows) == 1:
                available += _layers(row.encoding, spatial, bitrate, simulcast=len(self._rows) > 1)
        self.available = tuple(available)


def _layers(encoding: Encoding, spatial: int, bitrate: float, *, simulcast: bool) -> list[Available]:
    """What an encoding of that bitrate offers. Of a simulcast, its spatial layers are one."""
    rates, whole = encoding.rates, encoding.rate
    if simulcast:
        rates = tuple(rate for rate in rates if rate.layer.spatial == encoding.reader.top.spatial)
    if not rates or not whole:
        return [Available(Layer(spatial, 0), bitrate)]
    return [
        Available(
            Layer(spatial, rate.layer.temporal) if simulcast else rate.layer, bitrate * rate.bitrate / whole
        )
        for rate in rates
    ]
