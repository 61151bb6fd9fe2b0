"""What a participant's token leads to, before its holder joins: enough to draw the page's setup screen.

A token travels in links, so it carries nothing personal. Whoever holds a good one may read here what a join
would tell them anyway, and joins nothing by it: no session starts, nobody is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.permission import stage_access, stage_enabled
from signaling.domain.preset import Access, Preset, ViewType
from signaling.errors import ServerUnreachableError
from signaling.services.admission import admit
from signaling.services.levels import House, effective_for
from signaling.services.ports import Clock, LiveSessions, Tokens, UnitOfWorkFactory
from signaling.services.token_participants import preview


@dataclass(frozen=True, slots=True)
class Invitation:
    """`live_participants` are the peers in the active session; 0 where none runs."""

    meeting: Meeting
    participant: Participant
    preset: Preset
    live_participants: int

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
        try:
            session = await self._live.active(admission.meeting.id)
        except ServerUnreachableError:
            session = None  # the setup screen needs no number
        return Invitation(
            admission.meeting,
            admission.participant,
            admission.preset,
            live_participants=session.live_participants if session else 0,
        )
