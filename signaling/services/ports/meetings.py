"""Meetings in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.listing import EVERY_MEETING, FIRST_PAGE, MeetingFilter, Page
from signaling.domain.meeting import Meeting
from signaling.domain.reach import EVERYTHING_SEEN, Sight


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
        which: MeetingFilter = EVERY_MEETING,
        page: Page = FIRST_PAGE,
        *,
        sight: Sight = EVERYTHING_SEEN,
    ) -> tuple[Sequence[Meeting], int]:
        """A page, newest first, and the total count."""
        ...
