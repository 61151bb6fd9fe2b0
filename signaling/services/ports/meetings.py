"""Meetings in the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from signaling.domain.meeting import Meeting, MeetingStatus
from signaling.domain.reach import EVERYTHING_SEEN, Sight
from signaling.domain.time_range import ANY_TIME, TimeRange


class MeetingRepository(Protocol):
    """Deleted meetings are not found. `add` and `save` raise `ValidationFailedError` where the unique name is
    taken."""

    async def get(self, organization_id: str, meeting_id: str) -> Meeting | None: ...
    async def find(self, organization_id: str, name: str) -> Meeting | None:
        """By its unique name, else by its short id."""
        ...

    async def by_short(self, short: str) -> Meeting | None:
        """In whatever organization: for links, of which whoever has one may know where they lead."""
        ...

    async def add(self, meeting: Meeting) -> None: ...
    async def save(self, meeting: Meeting) -> None: ...
    async def list(
        self,
        organization_id: str,
        *,
        search: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        status: MeetingStatus | None = None,
        unit_id: str | None = None,
        unique_name: str | None = None,
        created: TimeRange = ANY_TIME,
        updated: TimeRange = ANY_TIME,
        sight: Sight = EVERYTHING_SEEN,
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[Sequence[Meeting], int]:
        """A page, newest first, and the total count."""
        ...
