"""The sessions of this process by their meetings.

At most one session per meeting is active: the first join begins it, whoever comes meanwhile waits for the
same beginning, and a new one begins only after the old one was ended in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import Context

from signaling.domain.meeting import Meeting
from signaling.domain.session import Session, SessionRecord, SessionStatus
from signaling.errors import OutcomeUnknownError, UnavailableError
from signaling.ids import new_uuid
from signaling.services.live.records import SessionRecords
from signaling.services.live.session import LiveSession
from signaling.services.live.surroundings import Surroundings


class RunningSessions:
    """Each is here until its end is in the store. `on_left` is told the id of every peer that left one."""

    def __init__(self, around: Surroundings, *, on_left: Callable[[str], None]) -> None:
        self._around = around
        self._on_left = on_left
        self._running: dict[str, LiveSession] = {}
        """By meeting id."""
        self._starting: dict[str, asyncio.Task[LiveSession]] = {}
        self._unsure: dict[str, SessionRecord] = {}
        """By meeting id: begun while the database went away, and refused. Where it was written all the same,
        it would keep the meeting from another one."""
        self._closing = False

    @property
    def closing(self) -> bool:
        return self._closing

    def __iter__(self) -> Iterator[LiveSession]:
        return iter(self._running.values())

    def __contains__(self, meeting_id: str) -> bool:
        return meeting_id in self._running

    def get(self, meeting_id: str) -> LiveSession | None:
        return self._running.get(meeting_id)

    def put(self, live: LiveSession) -> None:
        """One that was begun elsewhere."""
        self._running[live.meeting.id] = live

    def forget(self, live: LiveSession) -> None:
        self._running.pop(live.meeting.id, None)

    async def of(self, meeting: Meeting) -> LiveSession:
        """The running session, or the one that is being started, or a new one."""
        if self._closing:
            raise UnavailableError("The server is going down. Connect again in some seconds.")
        running = self._running.get(meeting.id)
        if running is not None:
            return running
        starting = self._starting.get(meeting.id)
        if starting is None:
            starting = asyncio.create_task(
                self._start(meeting), name=f"start {meeting.id}", context=Context()
            )
            self._starting[meeting.id] = starting
        return await asyncio.shield(starting)

    def close(self) -> None:
        """None begins from now on."""
        self._closing = True

    async def settled(self) -> list[LiveSession]:
        """All that run once those have begun, or failed, that were about to."""
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        return list(self._running.values())

    async def _start(self, meeting: Meeting) -> LiveSession:
        try:
            now = self._around.clock.now()
            record = SessionRecord(
                id=new_uuid(),
                meeting_id=meeting.id,
                organization_id=meeting.organization_id,
                status=SessionStatus.LIVE,
                created_at=now,
                updated_at=now,
                started_at=now,
                meeting_title=meeting.title,
                unit_id=meeting.unit_id,
            )
            live = LiveSession(
                Session(record.id, meeting.id, meeting.organization_id),
                SessionRecords(record, self._around.uow, self._around.clock),
                meeting,
                self._around,
                on_left=self._on_left,
                on_ended=self.forget,
            )
            try:
                await live.start(instead_of=self._unsure.get(meeting.id))
            except OutcomeUnknownError:
                self._unsure[meeting.id] = record
                raise
            self._unsure.pop(meeting.id, None)
            self._running[meeting.id] = live
            return live
        finally:
            del self._starting[meeting.id]
