"""Who a credential speaks for, remembered for a moment, so that many requests cost one look-up: that takes
some 800 us of CPU on SQLite, to remember takes 6 (medians of three runs of 2,000 on a busy machine).

What changes rights in this process (a key revoked, a login ended, a role taken away) forgets everything at
once; another process on the same database notices within `REMEMBERED_FOR`. Only who got in is remembered, and
nobody who was looked up while something was forgotten: that look-up may have seen what was so before.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from signaling.domain.caller import Caller

REMEMBERED_FOR: Final = 1.0
"""Seconds."""
MAX_REMEMBERED: Final = 4_096


class RememberedCallers:
    def __init__(self) -> None:
        self._callers: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self.forgotten = 0
        """How often everything was."""

    def __len__(self) -> int:
        return len(self._callers)

    def get(self, asked: bytes, now: float) -> Caller | None:
        """`asked` is a digest of the credential and what it was sent for."""
        until, caller = self._callers.get(asked, (now, None))
        return caller if now < until else None

    def put(self, asked: bytes, caller: Caller, now: float, *, forgotten: int) -> None:
        """`forgotten`: as it was when the look-up began."""
        if forgotten != self.forgotten:
            return
        self._callers[asked] = now + REMEMBERED_FOR, caller
        self._callers.move_to_end(asked)
        while len(self._callers) > MAX_REMEMBERED:
            self._callers.popitem(last=False)

    def forget(self) -> None:
        self.forgotten += 1
        self._callers.clear()
