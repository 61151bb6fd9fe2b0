"""Whether a worker that says nothing hangs, or had no core to answer on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sfu.client import CoreUse

MOST_PATIENCE: Final = 6
"""How many times as long a worker may be silent that had no core all the while: one that turns in circles
waits for a core as well where others want it."""


@dataclass(slots=True)
class Silence:
    """Of one worker, since it was last heard. Times in seconds.

    To end a worker that is starved helps nobody: another one costs more of what there is too little of, and
    everybody who was on it has to come back.
    """

    began: float = 0.0
    could_answer: float = 0.0
    """For how long it had a core, or slept."""
    _looked_at: float = 0.0
    _ran: float = 0.0

    def end(self, now: float, use: CoreUse | None) -> None:
        """It was heard."""
        self.began, self.could_answer = now, 0.0
        self._looked(now, use)

    def look(self, now: float, use: CoreUse | None) -> None:
        """Nothing was heard of it. Of the time since the last look, one that is ready to run now could have
        answered in as much as it ran; one that is not, and whatever is not known, in all of it."""
        passed = now - self._looked_at
        if use is not None and use.ready:
            self.could_answer += min(passed, use.ran - self._ran)
        else:
            self.could_answer += passed
        self._looked(now, use)

    def hangs(self, now: float, after: float) -> bool:
        """Whether it said nothing in `after` seconds in which it could have."""
        return self.could_answer > after or now - self.began > MOST_PATIENCE * after

    def _looked(self, now: float, use: CoreUse | None) -> None:
        self._looked_at = now
        if use is not None:
            self._ran = use.ran
