"""The numbered events of one peer: kept for as long as a resume may ask for them.

Every event of a peer gets the next number, whether a socket is there to carry it or not. The latest are
kept, bounded by count and by size; a socket that attaches says which number it saw last and gets the rest.
A join is the same thing with the number of its result. An event that fell out of the bounds cannot be
replayed: the peer joins afresh.
"""

from __future__ import annotations

from collections import deque

from signaling.errors import ResumeRefusedError

MAX_EVENTS = 1000
MAX_CHARACTERS = 4 * 1024 * 1024


class Mailbox:
    """`put` numbers and keeps an event's text; `since` gives what came after a number, oldest first."""

    def __init__(
        self, after_seq: int = 0, max_events: int = MAX_EVENTS, max_characters: int = MAX_CHARACTERS
    ) -> None:
        self._kept: deque[str] = deque()
        self._size = 0
        self._seq = after_seq
        self._max_events = max_events
        self._max_characters = max_characters

    @property
    def seq(self) -> int:
        """The number of the latest event; before the first one, the number that it follows."""
        return self._seq

    def put(self, text: str) -> int:
        self._seq += 1
        self._kept.append(text)
        self._size += len(text)
        while len(self._kept) > self._max_events or self._size > self._max_characters:
            self._size -= len(self._kept.popleft())
        return self._seq

    def since(self, seq: int) -> list[tuple[int, str]]:
        """Raises `ResumeRefusedError` when they are not all there any more, or `seq` is from the future."""
        missed = self._seq - seq
        if missed < 0 or missed > len(self._kept):
            raise ResumeRefusedError("the missed events are not available any more: join afresh")
        first = len(self._kept) - missed
        return [(seq + 1 + i, self._kept[first + i]) for i in range(missed)]
