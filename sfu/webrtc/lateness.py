"""What waited too long in a socket to be of use, in the order in which it is missed least. Pure.

    all that is young enough --- some of it was late ---> the younger limits --- the queue is short ---> ...

Transport-wide feedback and requests for repairs, which speak of what is past, go first: every receiver sends
them, so that a worker with many of them can be kept busy by them alone, and each picture that is dropped
makes all who miss it ask for it. Then pictures; voices last.

A worker that dropped only what is too old would keep a queue just as long as is allowed, for as long as it is
asked for too much. So once some was dropped, what is younger is dropped as well, until the queue is short:
pictures down to the age of feedback, for without those that were dropped they cannot be shown anyway.
"""

from __future__ import annotations

from typing import Final

LATE_AFTER: Final = 0.5
"""Seconds that a voice may have waited in the socket: later it is of no use."""
FEEDBACK, PICTURES = 0.1, 0.6
"""Shares of that for transport-layer feedback and for pictures."""
PICTURES_THEN, VOICES_THEN = FEEDBACK, 0.5
"""Shares of that once some were late, until the queue is short."""


class Lateness:
    """Of one socket. All times are seconds that a datagram waited in it.

    `short`: up to that, a datagram waited in no queue to speak of, and everything is taken. While `shedding`,
    whoever reads one that waited for no longer, or finds the socket empty, says `handle_short_queue`.
    """

    __slots__ = ("_allowed", "_pictures", "_usual", "_voices", "shedding", "short")

    def __init__(self, late_after: float = LATE_AFTER) -> None:
        self.short = FEEDBACK * late_after
        self.shedding = False
        """Whether some media was dropped since the queue was short last."""
        self._allowed = late_after
        self._usual = PICTURES * late_after, late_after
        self._pictures, self._voices = self._usual

    def judge(self, age: float) -> tuple[bool, bool]:
        """Of media that waited so long: whether pictures, and whether voices are to be forwarded still."""
        for_picture, for_voice = age <= self._pictures, age <= self._voices
        if not for_picture:
            self._pictures = PICTURES_THEN * self._allowed
            self.shedding = True
        if not for_voice:
            self._voices = VOICES_THEN * self._allowed
        return for_picture, for_voice

    def handle_short_queue(self) -> None:
        self.shedding = False
        self._pictures, self._voices = self._usual
