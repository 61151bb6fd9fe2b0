"""Transport-wide feedback to a publisher: when each of its packets arrived (transport-wide-cc-01)."""

from __future__ import annotations

from sfu.rtp.rtcp import build_transport_feedback
from sfu.rtp.sequence import extend

INTERVAL = 0.1
"""Seconds between two feedback packets."""
MAX_PENDING = 4096


class ArrivalRecorder:
    """Collects arrivals by append; settled into feedback packets on a tick."""

    __slots__ = ("_arrivals", "_base", "_count", "_due", "_highest", "dropped")

    def __init__(self) -> None:
        self._arrivals: list[tuple[int, float]] = []
        self._highest: int | None = None
        self._base: int | None = None
        """The number after the last one reported, so that no loss falls between two packets of feedback."""
        self._count = 0
        self._due = 0.0
        self.dropped = 0

    def record(self, sequence: int, now: float) -> None:
        """`sequence` is the 16-bit transport-wide number, `now` in seconds."""
        self._arrivals.append((sequence, now))

    def poll(self, now: float, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets to send now; empty while nothing is due or nothing arrived."""
        if not self._arrivals or now < self._due:
            return []
        self._due = now + INTERVAL
        arrivals, self._arrivals = self._arrivals, []
        if len(arrivals) > MAX_PENDING:
            self.dropped += len(arrivals) - MAX_PENDING
            del arrivals[:-MAX_PENDING]
        packets = build_transport_feedback(
            sender_ssrc, media_ssrc, self._count, self._extend(arrivals), base=self._base
        )
        self._base = None if self._highest is None else self._highest + 1
        self._count = (self._count + len(packets)) & 0xFF
        return packets

    def _extend(self, arrivals: list[tuple[int, float]]) -> list[tuple[int, int]]:
        """(extended number, microseconds), by number; of a number that came twice the first arrival."""
        first = arrivals[0][0]
        begin = first if self._highest is None else extend(first, self._highest)
        numbers = range(begin, begin + len(arrivals))
        in_order = self._highest is None or begin > self._highest
        if in_order and [sequence for sequence, _ in arrivals] == [number & 0xFFFF for number in numbers]:
            self._highest = numbers[-1]
            return list(zip(numbers, [int(at * 1_000_000) for _, at in arrivals], strict=True))
        extended: dict[int, int] = {}
        for sequence, at in arrivals:
            number = sequence if self._highest is None else extend(sequence, self._highest)
            if self._highest is None or number > self._highest:
                self._highest = number
            extended.setdefault(number, int(at * 1_000_000))
        return sorted(extended.items())
