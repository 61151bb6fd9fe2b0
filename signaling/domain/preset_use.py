"""Who goes by the name of a preset, and so stands in the way of its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULTS: Final = ("default_guest_preset", "default_member_preset")
"""The keys of a configuration that name a preset."""


@dataclass(frozen=True, slots=True)
class PresetUse:
    """Who goes by the name of a preset in an organization. `participants` are of `meetings`, of which
    `meeting_id` is one: deleted ones do not count, nobody gets in there. It is a default of
    `defaulting_meetings`, and of so many `levels`: of the organization and its units."""

    participants: int = 0
    meetings: int = 0
    meeting_id: str | None = None
    defaulting_meetings: int = 0
    levels: int = 0

    def __str__(self) -> str:
        """Empty: nobody does."""
        told = []
        if self.participants:
            of_meetings = f"{_number_of(self.meetings, 'meeting')} ({self.meeting_id})"
            if self.meetings > 1:
                of_meetings = f"{self.meetings} meetings (one is {self.meeting_id})"
            has = "has" if self.participants == 1 else "have"
            told.append(f"{_number_of(self.participants, 'participant')} of {of_meetings} {has} it")
        places = []
        if self.defaulting_meetings:
            places.append(_number_of(self.defaulting_meetings, "meeting"))
        if self.levels:
            places.append(_number_of(self.levels, "configuration") + " of the organization and its units")
        if places:
            told.append(f"it is a default of {' and of '.join(places)}")
        return ", and ".join(told)


def _number_of(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
