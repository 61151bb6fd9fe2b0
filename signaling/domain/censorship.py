"""Which sources of whom a moderator has blocked in a session.

By participant and not by peer: to come back, or to open another tab, lifts nothing. It ends with the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Set


class Censorship:
    def __init__(self, blocked: Iterable[tuple[str, frozenset[str]]] = ()) -> None:
        self._blocked = dict(blocked)

    @property
    def blocked(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Participant id, and the sources that are blocked."""
        return tuple(self._blocked.items())

    def of(self, participant_id: str) -> frozenset[str]:
        """The sources that are blocked."""
        return self._blocked.get(participant_id, frozenset())

    def block(self, participant_ids: Iterable[str], sources: Set[str]) -> None:
        for participant_id in participant_ids:
            self._blocked[participant_id] = self.of(participant_id) | sources

    def allow(self, participant_ids: Iterable[str], sources: Set[str]) -> None:
        for participant_id in participant_ids:
            left = self.of(participant_id) - sources
            if left:
                self._blocked[participant_id] = left
            else:
                self._blocked.pop(participant_id, None)
