"""How far somebody sees among an organization's meetings. Pure.

Whoever is limited to a unit (a key, a unit's admin) reaches the meetings of this unit and of those below it,
and with each its participants and sessions. In lists, and by themselves, they see `PUBLIC` meetings of other
units too, but for where these send what (`outline`), and can do nothing to them. Who may only look does not
see `PRIVATE` meetings in lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from signaling.domain.caller import Caller, Scope
from signaling.domain.join_policy import ListPolicy
from signaling.domain.meeting import Meeting
from signaling.domain.unit import may_touch


@dataclass(frozen=True, slots=True)
class Sight:
    """Of lists. `within`: a unit, beyond which only `PUBLIC` meetings are seen; None: all of them. `private`:
    whether `PRIVATE` ones are."""

    within: str | None = None
    private: bool = True

    @classmethod
    def of(cls, caller: Caller) -> Sight:
        return cls(caller.unit_id, caller.may(Scope.MEETINGS_WRITE))


EVERYTHING_SEEN: Final = Sight()


def reaches(caller: Caller, meeting: Meeting, unit_path: Sequence[str], *, only_looks: bool) -> bool:
    """Whether a meeting, whose unit is at this path, is there for the caller; `only_looks`: at the meeting
    itself."""
    own = may_touch(caller, tuple(unit_path) or None)
    return own or (only_looks and meeting.list_policy is ListPolicy.PUBLIC)


def outline(meeting: Meeting) -> Meeting:
    """What is shown of it beyond its unit: an address that something is sent to may have a secret in it."""
    return replace(
        meeting,
        webhook_event_url=None,
        webhook_event_failover_url=None,
        configuration=meeting.configuration.model_copy(update={"recording_config": None}),
    )
