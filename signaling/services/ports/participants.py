"""Participants in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.preset import PresetRecord


class ParticipantRepository(Protocol):
    async def get(self, organization_id: str, meeting_id: str, participant_id: str) -> Participant | None: ...
    async def with_its_own(
        self, organization_id: str, meeting_id: str, participant_id: str
    ) -> tuple[Participant, Meeting, PresetRecord | None] | None:
        """With its meeting and its preset, which may be gone: in one look."""
        ...

    async def with_meeting(
        self, organization_id: str, meeting_id: str, participant_id: str
    ) -> tuple[Participant, Meeting, bool] | None:
        """With its meeting, also a deleted one, and whether anybody above the meeting says anything of its
        configuration: in one look."""
        ...

    async def to_add(
        self, organization_id: str, meeting_id: str, preset_name: str
    ) -> tuple[Meeting, bool, bool] | None:
        """What is asked before one is added: the meeting, whether there is the preset, and whether anybody
        above the meeting says anything of its configuration; in one look. None: there is no such meeting."""
        ...

    async def add(self, participant: Participant) -> None: ...
    async def save(self, participant: Participant) -> None: ...
    async def remove(self, participant: Participant) -> None: ...
    async def known_as(
        self, organization_id: str, meeting_id: str, custom_participant_id: str
    ) -> Sequence[Participant]:
        """Those of the meeting with this custom id, the oldest first."""
        ...

    async def list(
        self, organization_id: str, meeting_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Participant], int]: ...
