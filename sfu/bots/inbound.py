"""One stream that a bot receives: how its headers are read, and what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sfu.bots import feedback
from sfu.bots.tally import StreamTally


@dataclass(eq=False, slots=True)
class InboundStream:
    """One received SSRC and how to read its headers."""

    tally: StreamTally
    kind: str
    payload_type: int
    rtx: bool = False
    mid: str | None = None
    packet_types: frozenset[int] = frozenset()
    """The second byte of its packets: the payload type, without and with marker."""
    feedback_offset: int = 0
    """Where the transport-wide sequence number was in the last packet, 0 where there was none."""
    last_arrival_ns: int = 0
    """CLOCK_REALTIME, by the kernel where that tells: not when it was read."""
    nacked: dict[int, int] = field(default_factory=dict)
    """Extended sequence number -> times asked for."""
    reported_highest: int = -1
    reported_packets: int = 0
    """Of those that came by themselves, without being asked for."""
    last_report: int = 0
    """The middle of the time in the last sender report, 0 before the first."""
    reported_at: float = 0.0

    def next_report(self, now: float) -> feedback.ReceptionReport:
        """What a receiver says of it, losses counted since the last time."""
        tally = self.tally
        came = tally.packets - tally.repaired
        expected = tally.highest - self.reported_highest if self.reported_highest >= 0 else 0
        received = came - self.reported_packets if came >= self.reported_packets else expected
        lost = max(0, expected - received)
        self.reported_highest, self.reported_packets = tally.highest, came
        return feedback.ReceptionReport(
            tally.ssrc,
            min(255, 256 * lost // expected) if expected else 0,
            len(tally.missing),
            tally.highest,
            last_report=self.last_report,
            delay=int((now - self.reported_at) * 65536) if self.last_report else 0,
        )
