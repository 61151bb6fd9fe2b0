"""Whether a receiver loses so much audio that its packets should carry earlier ones too. Pure.

           a report of START or more lost
    SHUT ---------------------------------> OPEN
         <---------------------------------
           nothing above STOP for HOLD seconds

Redundancy costs twice the bits of a voice, so it goes when it is not needed; but loss comes in spells, and a
receiver reports every few seconds, so it does not go at the first good report.
"""

from __future__ import annotations

from typing import Final

START: Final = 0.03
"""Fraction of packets lost, between two reports."""
STOP: Final = 0.01
HOLD: Final = 20.0


class LossGate:
    """Feed the receiver's reports, look at `open`."""

    __slots__ = ("_bad_at", "open")

    def __init__(self) -> None:
        self.open = False
        self._bad_at = float("-inf")

    def handle_report(self, fraction_lost: float, now: float) -> None:
        """`fraction_lost` is since the previous report, 0 to 1 (RFC 3550 section 6.4.1)."""
        if fraction_lost >= START:
            self.open = True
        if fraction_lost > STOP:
            self._bad_at = now
        elif now - self._bad_at >= HOLD:
            self.open = False
