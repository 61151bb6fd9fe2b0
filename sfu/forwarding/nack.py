"""Which packets of one incoming stream are missing, and when to ask for them (RFC 4585 section 6.2.1).

Sans-IO: the stream tells what came, a timer polls what to ask for now.
"""

from __future__ import annotations

REORDER_TOLERANCE = 0.01
"""Seconds a gap may stand before it is asked for: packets overtaken on the way need no repair."""
MAX_ATTEMPTS = 10
MAX_AGE = 2.0
MAX_MISSING = 512
"""Above this the stream is beyond repair by NACK and wants a key frame."""
MAX_WAITING = 64
"""The same for a node that dropped the packets itself, having too much to do: it asks for few of them."""


class NackGenerator:
    """Missing packets by extended sequence number: [first seen missing, last asked, times asked]."""

    __slots__ = ("_missing", "given_up", "overflowed", "repaired")

    def __init__(self) -> None:
        self._missing: dict[int, list[float]] = {}
        self.given_up = 0
        self.repaired = 0
        """Missing packets that came after all."""
        self.overflowed = False
        """Set when more was lost than NACK can heal; whoever acts on it clears it."""

    def __len__(self) -> int:
        return len(self._missing)

    def handle_gap(self, first: int, end: int, now: float) -> None:
        """The sequences from `first` up to but not including `end` were jumped over."""
        if end - first + len(self._missing) > MAX_MISSING:
            self.given_up += end - first + len(self._missing)
            self._missing.clear()
            self.overflowed = True
            return
        for sequence in range(first, end):
            self._missing[sequence] = [now, 0.0, 0.0]

    def handle_arrival(self, sequence: int) -> bool:
        """A late or repaired packet came. True when it was missing."""
        if self._missing.pop(sequence, None) is None:
            return False
        self.repaired += 1
        return True

    def wait(self) -> None:
        """Instead of `poll`, while the node drops media that it reads too late: what was dropped is missing,
        and to ask for it again would only make for more to read. When that is over, few are asked for."""
        if len(self._missing) > MAX_WAITING:
            self.given_up += len(self._missing)
            self._missing.clear()
            self.overflowed = True

    def poll(self, now: float, rtt: float) -> list[int]:
        """Extended sequences to ask for now; those past hope are forgotten and counted."""
        due: list[int] = []
        lost: list[int] = []
        for sequence, entry in self._missing.items():
            since, asked, attempts = entry
            if now - since > MAX_AGE or attempts >= MAX_ATTEMPTS:
                lost.append(sequence)
            elif (asked == 0.0 and now - since >= REORDER_TOLERANCE) or (asked and now - asked >= rtt):
                entry[1] = now
                entry[2] = attempts + 1
                due.append(sequence)
        for sequence in lost:
            del self._missing[sequence]
        if lost:
            self.given_up += len(lost)
            self.overflowed = True
        return due
