"""Sessions and attendances in the store, for looking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from signaling.domain.attendance import Attendance
from signaling.domain.listing import AttendanceFilter, AttendanceOrder, Page, SessionFilter, SessionOrder
from signaling.domain.session import SessionRecord
from signaling.domain.unit import Branch
from signaling.domain.usage import Span


class HistoryRepository(Protocol):
    async def session(self, organization_id: str, session_id: str) -> SessionRecord | None: ...

    async def sessions(
        self,
        organization_id: str,
        which: SessionFilter,
        page: Page,
        *,
        by: SessionOrder = SessionOrder.CREATED,
        descending: bool = True,
    ) -> tuple[Sequence[SessionRecord], int]:
        """A page and the total count."""
        ...

    async def running_in(self, organization_id: str, meeting_ids: Sequence[str]) -> Mapping[str, str]:
        """The session that has not ended, by meeting."""
        ...

    async def sessions_in(
        self, organization_id: str, meeting_ids: Sequence[str], *, each: int, branch: Branch | None = None
    ) -> Mapping[str, Sequence[SessionRecord]]:
        """The newest `each` sessions of every one of these meetings, newest first, by meeting."""
        ...

    async def attendances_in(
        self, organization_id: str, session_ids: Sequence[str], *, each: int
    ) -> Mapping[str, Sequence[Attendance]]:
        """The latest `each` of every one of these sessions, latest first, by session."""
        ...

    async def present(self, session_ids: Sequence[str]) -> Mapping[str, Sequence[datetime]]:
        """When those joined who are in these sessions and count, by session."""
        ...

    async def attendance(self, organization_id: str, peer_id: str) -> Attendance | None: ...

    async def attendances(
        self,
        organization_id: str,
        which: AttendanceFilter,
        page: Page,
        *,
        by: AttendanceOrder = AttendanceOrder.JOINED,
        descending: bool = True,
        now: datetime,
    ) -> tuple[Sequence[Attendance], int]:
        """A page and the total count. Who is in still, has been in until `now`."""
        ...

    async def attendances_of(
        self, organization_id: str, session_id: str, participant_id: str
    ) -> Sequence[Attendance]:
        """Of one participant in one session, in the order of joining."""
        ...

    async def spans_over(
        self, organization_id: str, moment: datetime, *, branch: Branch | None = None
    ) -> Sequence[Span]:
        """Of those who joined before that and were in then, as far as they count."""
        ...

    async def spans(
        self,
        organization_id: str,
        since: datetime,
        until: datetime,
        *,
        after: Span | None,
        limit: int,
        branch: Branch | None = None,
    ) -> Sequence[Span]:
        """The next of those who joined from then until then, in the order of joining, as far as they
        count."""
        ...
