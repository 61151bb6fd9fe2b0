"""Round trips measured by whoever only receives (RFC 3611 sections 4.4 and 4.5). Pure.

A receiver says what time it is (RRTR). The sender says with its next report how long ago it heard that
(DLRR), and what remains of the time between is the round trip. `Asker` is the receiver's side, `Answerer` the
sender's.

Browsers answer whoever asks, whether it was negotiated or not, and others skip extended reports they do not
know, so every publisher is asked. Of one that never answers, the round trip stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sfu.rtp.rtcp_reports import XrDlrr, XrRrtr

LONGEST: Final = 10.0
"""Seconds; a round trip that would be longer is not believed."""
MAX_ASKERS: Final = 32
"""SSRCs of one client that are answered: a browser asks with one for each stream it receives."""
STALE_AFTER: Final = 30.0
"""Seconds after which a question is not answered any more. 16 bits of delay hold more than that."""
UNITS: Final = 65536
"""Of a delay, in a second."""


class Asker:
    """`base`: seconds to add to our clock before it is told, so that it says nothing of this machine."""

    def __init__(self, ssrc: int, base: int) -> None:
        self.rtt: float | None = None
        """Seconds, by the last answer; None before the first."""
        self._ssrc = ssrc
        self._base = base
        self._asked: tuple[int, float] | None = None

    def ask(self, now: float) -> XrRrtr:
        ntp = int((self._base + now) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
        self._asked = (_middle(ntp), now)
        return XrRrtr(self._ssrc, ntp)

    def handle(self, reports: Sequence[tuple[int, int, int]], now: float) -> None:
        """An answer, the parts of `XrDlrr`. One to a question that was not the last says nothing."""
        if self._asked is None:
            return
        asked, asked_at = self._asked
        for ssrc, last, delay in reports:
            rtt = now - asked_at - delay / UNITS
            if ssrc == self._ssrc and last == asked and 0.0 <= rtt <= LONGEST:
                self.rtt = rtt


class Answerer:
    """What was asked since the last answer, by SSRC."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[int, float]] = {}

    def handle(self, question: XrRrtr, now: float) -> None:
        self._asked.pop(question.sender_ssrc, None)
        if len(self._asked) >= MAX_ASKERS:
            del self._asked[next(iter(self._asked))]
        self._asked[question.sender_ssrc] = (_middle(question.ntp), now)

    def answer(self, ssrc: int, now: float) -> XrDlrr | None:
        """From our `ssrc`, to everything that was asked; None where nothing was."""
        asked, self._asked = self._asked, {}
        reports = tuple(
            (asker, last, int((now - at) * UNITS))
            for asker, (last, at) in asked.items()
            if now - at < STALE_AFTER
        )
        return XrDlrr(ssrc, reports) if reports else None


def _middle(ntp: int) -> int:
    """The 32 bits in the middle of a time of 64: what delays are told against."""
    return ntp >> 16 & 0xFFFFFFFF
