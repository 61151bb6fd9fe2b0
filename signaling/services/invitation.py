"""What a participant's token leads to, before its holder joins: enough to draw the page's setup screen.

A token travels in links, so it carries nothing personal. Whoever holds a good one may read here what a join
would tell them anyway, and joins nothing by it: no session starts, nobody is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.domain.permission import stage_access, stage_enabled
from signaling.domain.preset import Access, Preset, ViewType
from signaling.errors import InvalidTokenError, MeetingInactiveError, NotFoundError
from signaling.services.ports import LiveSessions, Tokens, UnitOfWorkFactory


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
    def __init__(self, units: UnitOfWorkFactory, live: LiveSessions, tokens: Tokens) -> None:
        self._units = units
        self._live = live
        self._tokens = tokens

    async def read(self, token: str) -> Invitation:
        """Refuses what a join refuses: raises `InvalidTokenError` (also when the meeting or the participant
        was removed), `MeetingInactiveError`, `NotFoundError` (the preset)."""
        meeting, participant, preset = await self._admissible(self._tokens.verify(token))
        session = await self._live.active(meeting.id)
        return Invitation(meeting, participant, preset, session.live_participants if session else 0)

    async def _admissible(self, claims: ParticipantClaims) -> tuple[Meeting, Participant, Preset]:
        organization_id, meeting_id = claims.organization_id, claims.meeting_id
        async with self._units() as uow:
            meeting = await uow.meetings.get(organization_id, meeting_id)
            participant = await uow.participants.get(organization_id, meeting_id, claims.participant_id)
            if meeting is None or participant is None:
                raise InvalidTokenError("The meeting or the participant of this token was removed.")
            if not meeting.active:
                raise MeetingInactiveError
            record = await uow.presets.by_name(organization_id, participant.preset_name)
        if record is None:
            raise NotFoundError.of("preset", participant.preset_name)
        return meeting, participant, record.preset
