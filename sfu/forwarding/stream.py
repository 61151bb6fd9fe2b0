"""One incoming RTP stream: sequence, loss, jitter and clock (RFC 3550 appendix A).

Pure: packets and times go in, numbers come out.
"""

from __future__ import annotations

from sfu.forwarding.nack import NackGenerator
from sfu.rtp.rtcp import ReportBlock

FIRST_CYCLE = 1 << 16
"""Extended sequences start in the second cycle, so that a packet from before the first one is no negative."""
MAX_LATENESS = 1000
"""Packets further behind the newest than this are of no use any more."""


class ReceiveStream:
    """Bookkeeping of one SSRC. `accept` is called for each authenticated packet."""

    __slots__ = (
        "_base",
        "_previous_expected",
        "_previous_received",
        "_transit",
        "bytes",
        "clock_rate",
        "duplicates",
        "highest",
        "jitter",
        "last_arrival",
        "late",
        "nack",
        "packets",
        "sender_arrival",
        "sender_ntp",
        "sender_timestamp",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_rate: int, *, repair: bool) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.nack: NackGenerator | None = NackGenerator() if repair else None
        self.highest = -1
        self.packets = 0
        self.bytes = 0
        self.late = 0
        self.duplicates = 0
        self.jitter = 0.0
        """Interarrival jitter in timestamp units."""
        self.last_arrival = 0.0
        self.sender_ntp = 0
        """NTP time of the last sender report, 0 before the first."""
        self.sender_timestamp = 0
        self.sender_arrival = 0.0
        self._base = -1
        self._transit: float | None = None
        self._previous_expected = 0
        self._previous_received = 0

    def accept(self, sequence: int, timestamp: int, size: int, now: float) -> int:
        """The extended sequence of a packet, or -1 when it is too old to matter."""
        highest = self.highest
        step = (sequence - highest) & 0xFFFF
        if step == 1 and highest >= 0:
            extended = self.highest = highest + 1
        elif highest < 0:
            extended = self.highest = self._base = FIRST_CYCLE | sequence
        elif 0 < step < 0x8000:
            extended = self.highest = highest + step
            if self.nack is not None:
                self.nack.handle_gap(highest + 1, extended, now)
        else:
            extended = highest - (-step & 0xFFFF)
            if highest - extended > MAX_LATENESS:
                self.late += 1
                return -1
            if self.nack is not None:
                self.nack.handle_arrival(extended)
        self.packets += 1
        self.bytes += size
        self.last_arrival = now
        transit = now * self.clock_rate - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < self.clock_rate * 10:
                self.jitter += (change - self.jitter) / 16.0
        self._transit = transit
        return extended

    def jump(self, sequence: int) -> int:
        """The extended sequence of a packet after the newest that did not come but is known otherwise.

        It counts as lost, for lost it was: reports are about the network.
        """
        self.highest += (sequence - self.highest) & 0xFFFF
        return self.highest

    def handle_sender_report(self, ntp: int, timestamp: int, now: float) -> None:
        self.sender_ntp = ntp
        self.sender_timestamp = timestamp
        self.sender_arrival = now

    @property
    def expected(self) -> int:
        return self.highest - self._base + 1 if self.highest >= 0 else 0

    @property
    def lost(self) -> int:
        """Cumulative, net of duplicates and repairs, so it may be negative (RFC 3550 section 6.4.1)."""
        return self.expected - self.packets

    def report(self, now: float) -> ReportBlock:
        """A report block; the fraction lost is since the last call."""
        expected = self.expected - self._previous_expected
        received = self.packets - self._previous_received
        self._previous_expected = self.expected
        self._previous_received = self.packets
        lost = max(0, expected - received)
        fraction = min(255, (lost << 8) // expected) if expected > 0 else 0
        last_report = self.sender_ntp >> 16 & 0xFFFFFFFF
        delay = int((now - self.sender_arrival) * 65536) & 0xFFFFFFFF if last_report else 0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            lost=max(-0x800000, min(0x7FFFFF, self.lost)),
            highest=(self.highest - FIRST_CYCLE) & 0xFFFFFFFF if self.highest >= 0 else 0,
            jitter=int(self.jitter) & 0xFFFFFFFF,
            lsr=last_report,
            dlsr=delay,
        )
