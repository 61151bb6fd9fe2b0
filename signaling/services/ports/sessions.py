"""Sessions in the store, and who attended them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from signaling.domain.attendance import Attendance
from signaling.domain.session import SessionRecord


class SessionRepository(Protocol):
    """A session that has ended stays as it is, whoever believed to have it: a server that hung may come back
    to find that another one ended what it had."""

    async def add(self, session: SessionRecord) -> None:
        """Raises `ConflictError` when the meeting has another session that has not ended."""
        ...

    async def save(self, session: SessionRecord) -> bool:
        """False where it had ended already: nothing was written."""
        ...

    async def get(self, session_id: str) -> SessionRecord | None: ...
    async def active_for(self, meeting_id: str) -> SessionRecord | None: ...
    async def unfinished(self) -> Sequence[SessionRecord]:
        """Of all servers."""
        ...

    async def running_in(self, organization_id: str) -> Sequence[str]:
        """The ids of meetings of which a session has not ended."""
        ...

    async def count_unfinished(self, organization_id: str) -> int: ...
    async def add_attendance(self, attendance: Attendance) -> bool:
        """False where the session has ended: nothing was written."""
        ...

    async def save_attendance(self, attendance: Attendance) -> bool:
        """Somebody left. False where that is written already: nothing was changed."""
        ...

    async def settled(
        self, *, before: datetime, elsewhere: Collection[str], limit: int
    ) -> Sequence[SessionRecord]:
        """Those that ended before then and are not archived, of which the store waits for nothing: everybody
        who was in has left, and all webhooks about them were delivered or given up. Left out is what nobody
        was in, and what the servers `elsewhere` had. Those that ended first come first."""
        ...

    async def archive(self, session_ids: Collection[str], now: datetime) -> int:
        """How many of them were not archived before."""
        ...

    async def attendances(self, session_id: str) -> Sequence[Attendance]: ...
