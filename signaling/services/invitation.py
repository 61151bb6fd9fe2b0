"""What a participant's token leads to, before its holder joins: enough to draw the page's setup screen.

A token travels in links, so it carries nothing personal. Whoever holds a good one may read here what a join
would tell them anyway, and joins nothing by it: no session starts, nobody is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.permission import stage_access, stage_enabled
from signaling.domain.preset import Access, Preset, ViewType
from signaling.domain.waiting_room import must_wait
from signaling.errors import ServerUnreachableError
from signaling.services.admission import Admission, admit
from signaling.services.levels import House, effective_for
from signaling.services.ports import Clock, LiveSessions, Outlook, PresentView, Tokens, UnitOfWorkFactory
from signaling.services.token_participants import preview

MAX_NAMES: Final = 12
"""Of those who are in."""
_NOBODY: Final = Outlook(0, (), lobby=False, moderated=False, admitted=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """`live_participants` are the peers in the active session; 0 where none runs. `present`: the first of
    them, for those who may see who takes part and would not have to wait. `waits`: whether somebody has to
    admit them."""

    meeting: Meeting
    participant: Participant
    preset: Preset
    live_participants: int
    present: Sequence[PresentView] = ()
    waits: bool = False

    @property
    def view_type(self) -> ViewType:
        return self.preset.config.view_type

    @property
    def stage_enabled(self) -> bool:
        return stage_enabled(self.preset)

    @property
    def stage_access(self) -> Access:
        return stage_access(self.preset)


class InvitationService:
    def __init__(
        self, units: UnitOfWorkFactory, live: LiveSessions, tokens: Tokens, clock: Clock, house: House
    ) -> None:
        self._units = units
        self._live = live
        self._tokens = tokens
        self._clock = clock
        self._house = house

    async def read(self, token: str) -> Invitation:
        """Refuses what a join refuses: raises `InvalidTokenError` (also when the meeting or the participant
        was removed), `MeetingInactiveError`, `NotFoundError` (the preset, the meeting), `JoinRefusedError`.
        (Whether it is open, and has room, may change until then.)"""
        claims = self._tokens.verify(token)
        guest = None if claims.guest is None else await preview(self._units, self._clock, claims.guest)
        admission = guest or await admit(self._units, claims)
        async with self._units(reading=True) as uow:
            configuration = await effective_for(uow, self._house.system, admission.meeting)
        admission.check_join(configuration.values)
        found = await self._outlook(admission) or replace(
            _NOBODY, lobby=bool(configuration.values.lobby_enabled)
        )
        preset = configuration.values.laid_over(admission.preset)
        waits = must_wait(preset, lobby=found.lobby, moderated=found.moderated, admitted=found.admitted)
        return Invitation(
            admission.meeting,
            admission.participant,
            preset,
            live_participants=found.live_participants,
            present=found.present if preset.permissions.show_participant_list and not waits else (),
            waits=waits,
        )

    async def _outlook(self, admission: Admission) -> Outlook | None:
        try:
            return await self._live.outlook(admission.meeting.id, admission.participant.id, names=MAX_NAMES)
        except ServerUnreachableError:
            return None  # the setup screen can do without
