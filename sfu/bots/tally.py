"""Counting one received stream: what came, what is missing, what came late, and how long it took.

Sequence numbers are counted from the RTP header, which SRTP leaves readable; only packets that are opened (a
sample, or all) yield a stamp. A stamp ties sequence numbers to the sender's own counter, so that the count
can be held against what was sent although the server numbers packets its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_MISSING = 20_000
"""Beyond so many, the oldest missing numbers are given up."""
MAX_GAP = 3000
"""A larger jump of the sequence number is taken for a restart of the numbering."""


@dataclass(slots=True)
class StreamTally:
    """One SSRC. Counters may be reset by `begin_window`; the sequence state goes on."""

    ssrc: int
    stream_id: int | None = None
    packets: int = 0
    """Distinct packets, repaired ones included."""
    duplicates: int = 0
    reordered: int = 0
    repaired: int = 0
    """Of `packets`, those that came by RTX."""
    unneeded: int = 0
    """Packets that came by RTX and were not missing: a probe's padding, or a repair that was too late."""
    padding: int = 0
    """Of `packets`, those without a payload."""
    restarts: int = 0
    """How often the server's numbering jumped against the sender's (a layer switch, a pause)."""
    withheld: int = 0
    """Packets of the sender's that the server passed over without a gap: it paused the stream, or a layer."""
    opened: int = 0
    rejected: int = 0
    """Opened without success: not authentic, or without a stamp."""
    delays_ns: list[int] = field(default_factory=list)
    """Of opened packets, from their stamp to their being read."""
    added_ns: list[int] = field(default_factory=list)
    """Of opened packets, from their being given to the kernel to their arrival at the receiver's."""
    missing: set[int] = field(default_factory=set)
    """Extended sequence numbers that were skipped and have not come since."""
    highest: int = -1
    """The highest extended sequence number, -1 before the first packet."""
    offset: int | None = None
    """A packet's counter minus its extended sequence number."""
    first: int | None = None
    """The sender's counter of the first packet that was opened."""

    @property
    def last(self) -> int | None:
        """The sender's counter of the latest packet."""
        return None if self.offset is None else self.highest + self.offset

    def handle_sequence(self, sequence: int) -> int:
        """Count a packet by its 16-bit sequence number. Returns the extended one, -1 for a duplicate."""
        highest = self.highest
        if highest < 0:
            self.highest = sequence + 0x10000
            self.packets += 1
            return self.highest
        delta = ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        extended = highest + delta
        if delta == 1:
            self.highest = extended
            self.packets += 1
            return extended
        if delta > 1:
            return self._handle_gap(extended, delta)
        if extended in self.missing:
            self.missing.discard(extended)
            self.reordered += 1
            self.packets += 1
            return extended
        self.duplicates += 1
        return -1

    def handle_stamp(self, extended: int, stream_id: int, counter: int, delay_ns: int) -> None:
        """Take what an opened packet says; `extended` is its extended sequence number."""
        self.opened += 1
        offset = counter - extended
        if self.offset is not None and self.offset != offset:
            self.restarts += 1
            if stream_id == self.stream_id:
                self.withheld += max(0, offset - self.offset)
        self.stream_id = stream_id
        self.offset = offset
        if self.first is None:
            self.first = counter
        self.delays_ns.append(delay_ns)

    def handle_repair(self, sequence: int) -> bool:
        """Count a packet that came by RTX. False when it was not missing."""
        delta = ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000
        extended = self.highest + delta
        if extended not in self.missing:
            self.unneeded += 1
            return False
        self.missing.discard(extended)
        self.packets += 1
        self.repaired += 1
        return True

    def begin_window(self) -> None:
        """Forget the counts so far."""
        self.packets = self.duplicates = self.reordered = self.repaired = self.restarts = 0
        self.unneeded = self.withheld = self.opened = self.rejected = self.padding = 0
        self.delays_ns, self.added_ns = [], []
        self.missing.clear()

    def _handle_gap(self, extended: int, delta: int) -> int:
        if delta > MAX_GAP:
            self.restarts += 1
            self.missing.clear()
        else:
            self.missing.update(range(self.highest + 1, extended))
            if len(self.missing) > MAX_MISSING:
                self.missing = set(sorted(self.missing)[-MAX_MISSING // 2 :])
        self.highest = extended
        self.packets += 1
        return extended
