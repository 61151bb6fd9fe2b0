"""Which sources of whom a moderator has blocked in a session.

By participant and not by peer: to come back, or to open another tab, lifts nothing. What is blocked of
everybody is blocked of those as well who come later, but for whom it was allowed again. It ends with the
session.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Final

BySomebody = tuple[tuple[str, frozenset[str]], ...]
"""Participant id, and sources."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """`each`: whose sources are blocked. `everybody`: what is blocked of all, but for the `excepted`."""

    each: BySomebody = ()
    everybody: frozenset[str] = frozenset()
    excepted: BySomebody = ()


NOTHING_BLOCKED: Final = Blocked()


class Censorship:
    def __init__(self, blocked: Blocked = NOTHING_BLOCKED) -> None:
        self._each = dict(blocked.each)
        self._everybody = blocked.everybody
        self._excepted = dict(blocked.excepted)

    @property
    def blocked(self) -> Blocked:
        return Blocked(tuple(self._each.items()), self._everybody, tuple(self._excepted.items()))

    def of(self, participant_id: str) -> frozenset[str]:
        """The sources that are blocked."""
        none: frozenset[str] = frozenset()
        of_all = self._everybody - self._excepted.get(participant_id, none)
        return self._each.get(participant_id, none) | of_all

    def block(self, participant_ids: Iterable[str], sources: Set[str]) -> None:
        for participant_id in participant_ids:
            _add(self._each, participant_id, sources)
            _take(self._excepted, participant_id, sources)

    def allow(self, participant_ids: Iterable[str], sources: Set[str]) -> None:
        for participant_id in participant_ids:
            _take(self._each, participant_id, sources)
            if self._everybody & sources:
                _add(self._excepted, participant_id, self._everybody & sources)

    def block_everybody(self, sources: Set[str], *, but: Iterable[str] = ()) -> None:
        """`but`: participant ids."""
        self._everybody |= sources
        self._forget_exceptions(sources)
        for participant_id in but:
            _add(self._excepted, participant_id, sources)

    def allow_everybody(self, sources: Set[str]) -> None:
        """What was blocked of everybody; what is blocked of somebody stays."""
        self._everybody -= sources
        self._forget_exceptions(sources)

    def _forget_exceptions(self, sources: Set[str]) -> None:
        for participant_id in list(self._excepted):
            _take(self._excepted, participant_id, sources)


def _add(of: dict[str, frozenset[str]], participant_id: str, sources: Set[str]) -> None:
    of[participant_id] = of.get(participant_id, frozenset()) | sources


def _take(of: dict[str, frozenset[str]], participant_id: str, sources: Set[str]) -> None:
    left = of.get(participant_id, frozenset()) - sources
    if left:
        of[participant_id] = left
    else:
        of.pop(participant_id, None)
