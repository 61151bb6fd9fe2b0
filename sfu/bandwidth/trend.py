"""Whether a queue grows on the way: the trend of the one-way delay against a threshold that adapts.

As in draft-ietf-rmcat-gcc-02 section 5 with the line fit that replaced its Kalman filter: the delay of each
burst is smoothed, a line is laid through the last ones, and its slope says how much slower packets come out
of the path than they go in. The threshold rises where delays are noisy and falls where they are steady, so
that jitter is no alarm and competing with loss-based flows does not end in starvation.

The delay of a burst is that of its first packet. It is what the burst found in the queue; the last packet's
would also contain the burst's own length, and frames differ in length.

While there is no queue there is no trend to look for, whatever the line says. So of messages that say so by
their last burst no more is taken in (`pass_over`), and as soon as one says otherwise, those bursts that the
line goes through are taken in after all, so that it begins where it would have begun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final

from sfu.bandwidth.twcc import GROUP_SPAN, Burst

WINDOW: Final = 20
"""Points that the line is laid through."""
SMOOTHING: Final = 0.9
GAIN: Final = 4.0
MAX_WEIGHT: Final = 60
START_THRESHOLD, MIN_THRESHOLD, MAX_THRESHOLD = 12.5, 6.0, 600.0
RISE, FALL = 0.0087, 0.039
"""How fast the threshold follows, per millisecond, upwards and downwards."""
OUTLIER: Final = 15.0
"""The threshold does not follow a trend this far above it: that is a step, no noise."""
MAX_ELAPSED: Final = 100.0
CLOCK_JUMP: Final = 3.0
RECENT: Final = 0.2
"""Seconds, as the receiver counts them, of which the least delay counts: a queue delays every packet, a
hiccup of somebody only some."""
QUIET: Final = 0.012
"""With less of a queue than this no trend is looked for: there is nothing yet to grow from."""
CALM: Final = QUIET / 2
"""A message whose last burst waited for less is not looked into. It is half, because the least delay may be
known less well from last bursts than from all of them."""
STANDING: Final = 0.08
"""Seconds of queue that are too many even when they do not grow: a full queue does not."""
STANDING_FOR: Final = 0.4
BASE_PERIOD: Final = 15.0
"""Seconds after which the least delay is looked for anew, as routes and clocks change."""


class Usage(Enum):
    UNDER = "under"
    NORMAL = "normal"
    OVER = "over"


class DelayTrend:
    """Fed with bursts in the order they were reported. `queue`: seconds that even the luckiest of the
    last packets waited longer than the luckiest of the last while."""

    __slots__ = (
        "_alarms",
        "_count",
        "_group_at",
        "_last_arrival",
        "_last_sent",
        "_least",
        "_least_since",
        "_low_at",
        "_offset",
        "_origin",
        "_passed",
        "_passed_count",
        "_points",
        "_previous_trend",
        "_recent",
        "_smoothed",
        "_updated_at",
        "queue",
        "threshold",
    )

    def __init__(self) -> None:
        self.queue = 0.0
        self.threshold = START_THRESHOLD
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._recent: deque[tuple[float, float]] = deque()
        """When each arrived, and its delay: of the last ones, those that were faster than all after them. So
        the first is the fastest."""
        self._count = 0
        self._offset = 0.0
        self._origin = 0.0
        self._smoothed = 0.0
        self._last_sent = float("-inf")
        self._last_arrival = float("-inf")
        self._group_at = float("-inf")
        self._least = [float("inf"), float("inf")]
        self._least_since = 0.0
        self._alarms = 0
        self._previous_trend = 0.0
        self._low_at = float("-inf")
        self._updated_at: float | None = None
        self._passed: deque[Burst] = deque(maxlen=WINDOW)
        """The last bursts that were passed over and not taken in since."""
        self._passed_count = 0

    @property
    def least(self) -> float | None:
        """The least delay lately, in seconds from our clock to the receiver's; None before any burst."""
        return None if self._count == 0 else self._offset + min(self._least)

    def handle(self, bursts: Sequence[Burst], now: float) -> Usage:
        """What the bursts of one message say. Those that left before one already seen are passed over."""
        if self._passed:
            self._catch_up()
        self._add(bursts)
        if len(self._points) < 2:
            return Usage.NORMAL
        if self.queue < QUIET:
            self._alarms = 0
            self._previous_trend = 0.0
            self._low_at = self._updated_at = now
            return Usage.NORMAL
        usage = self._judge(min(self._count, MAX_WEIGHT) * self._slope() * GAIN, now)
        if self.queue < STANDING or usage is not Usage.NORMAL:
            self._low_at = now
        elif now - self._low_at > STANDING_FOR:
            self._low_at = now
            return Usage.OVER
        return usage

    def pass_over(self, bursts: Sequence[Burst], now: float) -> bool:
        """Whether `handle` would find no queue after these, by the last one of them, and so nothing to judge;
        then they are not for it."""
        if self._count == 0:
            return False
        _, _, _, sent_at, arrival, _ = bursts[-1]
        delay = arrival - sent_at - self._offset
        newer, older = self._least
        queue = delay - (newer if newer < older else older)
        if not -CLOCK_JUMP <= queue < CALM:
            return False
        passed = self._passed
        before = passed[-1][3] if passed else self._last_sent
        if not 0.0 <= sent_at - before <= BASE_PERIOD:
            return False
        if delay < newer or sent_at - self._least_since > BASE_PERIOD / 2:
            self._note_least(delay, sent_at)
        passed.extend(bursts)
        self._passed_count += len(bursts)
        self.queue = queue if queue > 0.0 else 0.0
        self._low_at = self._updated_at = now
        return True

    def _catch_up(self) -> None:
        """Take in the last of those that were passed over."""
        dropped = self._passed_count - len(self._passed)
        if dropped > 0:
            # What was seen before them is too long ago to be on one line with these.
            _, _, _, sent_at, arrival, _ = self._passed[0]
            self._count += dropped
            self._last_sent = sent_at
            self._points.clear()
            self._smoothed = arrival - sent_at - self._offset
        self._add(self._passed)
        self._passed.clear()
        self._passed_count = 0
        self._alarms = 0
        self._previous_trend = 0.0

    def _add(self, bursts: Sequence[Burst]) -> None:
        """All in one loop, for audio comes in many bursts of one packet."""
        recent = self._recent
        last_sent = self._last_sent
        least = min(self._least)
        sent_at = None
        for burst in bursts:
            if burst[3] < last_sent:
                continue
            _, _, _, sent_at, arrival, _ = burst
            delay = arrival - sent_at
            offset = self._offset
            away = sent_at - last_sent > BASE_PERIOD
            last_sent = sent_at
            if away or self._count == 0 or not -CLOCK_JUMP <= delay - offset - least <= CLOCK_JUMP:
                self._restart(burst, delay)
                offset = delay
                least = 0.0
            delay -= offset
            if delay < self._least[0] or sent_at - self._least_since > BASE_PERIOD / 2:
                self._note_least(delay, sent_at)
                least = min(self._least)
            while recent and recent[-1][1] >= delay:
                recent.pop()
            if arrival > self._last_arrival:
                self._last_arrival = arrival
            recent.append((arrival, delay))
            if sent_at - self._group_at >= GROUP_SPAN:
                self._group_at = sent_at
                self._count += 1
                self._smoothed = SMOOTHING * self._smoothed + (1 - SMOOTHING) * delay
                self._points.append((arrival - self._origin, self._smoothed))
        if sent_at is None:
            return
        self._last_sent = last_sent
        begin = self._last_arrival - RECENT
        while len(recent) > 1 and recent[0][0] < begin:
            recent.popleft()
        self.queue = max(0.0, recent[0][1] - least)

    def _restart(self, burst: Burst, delay: float) -> None:
        """The first burst, also after a long while, or a clock that jumped: nothing of before compares."""
        self._points.clear()
        self._recent.clear()
        self._count = 0
        self._offset = delay
        self._origin = self._last_arrival = burst.first_arrival
        self._smoothed = 0.0
        self._least = [0.0, 0.0]
        self._least_since = burst.sent_at

    def _note_least(self, delay: float, at: float) -> None:
        if at - self._least_since > BASE_PERIOD / 2:
            self._least = [delay, self._least[0]]
            self._least_since = at
        elif delay < self._least[0]:
            self._least[0] = delay

    def _slope(self) -> float:
        """Seconds of delay gained per second, by least squares."""
        points = self._points
        count = len(points)
        times, delays = zip(*points, strict=True)
        mean_time, mean_delay = sum(times) / count, sum(delays) / count
        spread = sum([(time - mean_time) ** 2 for time in times])
        if spread <= 0.0:
            return 0.0
        covariance = sum([(time - mean_time) * (delay - mean_delay) for time, delay in points])
        return float(covariance / spread)

    def _judge(self, trend: float, now: float) -> Usage:
        usage = Usage.NORMAL
        if trend > self.threshold:
            self._alarms += 1
            if (self._alarms > 1 or trend > 2 * self.threshold) and trend >= self._previous_trend:
                usage = Usage.OVER
        else:
            self._alarms = 0
            if trend < -self.threshold:
                usage = Usage.UNDER
        self._previous_trend = trend
        self._adapt(abs(trend), now)
        return usage

    def _adapt(self, trend: float, now: float) -> None:
        elapsed = 0.0 if self._updated_at is None else min((now - self._updated_at) * 1000.0, MAX_ELAPSED)
        self._updated_at = now
        if trend > self.threshold + OUTLIER:
            return
        speed = RISE if trend > self.threshold else FALL
        moved = self.threshold + speed * (trend - self.threshold) * elapsed
        self.threshold = min(max(moved, MIN_THRESHOLD), MAX_THRESHOLD)
