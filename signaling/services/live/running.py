"""The sessions of this process by their meetings.

At most one session per meeting is active: the first join begins it, whoever comes meanwhile waits for the
same beginning, and a new one begins only after the old one was ended in the store. Between servers the store
decides whose beginning counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Final

import structlog

from signaling.domain.configuration import EffectiveConfiguration
from signaling.domain.meeting import Meeting
from signaling.domain.session import Session, SessionRecord, SessionStatus
from signaling.errors import ConflictError, UnavailableError
from signaling.ids import new_uuid
from signaling.services.live.records import SessionRecords
from signaling.services.live.session import LiveSession
from signaling.services.live.surroundings import Surroundings

log = structlog.get_logger(__name__)

_TRIES: Final = 4
"""To begin a session of a meeting of which others begin one at the same time."""


class RunningSessions:
    """Each is here until its end is in the store. `on_left` is told the id of every peer that left one,
    `on_admitted` of every one that has waited and is in, whose resume token it gives."""

    def __init__(
        self,
        around: Surroundings,
        *,
        on_left: Callable[[str], None],
        on_admitted: Callable[[LiveSession, str], str],
    ) -> None:
        self._around = around
        self._on_left = on_left
        self._on_admitted = on_admitted
        self._running: dict[str, LiveSession] = {}
        """By meeting id."""
        self._starting: dict[str, asyncio.Task[LiveSession]] = {}
        self._behind: dict[str, SessionRecords] = {}
        """By meeting id: of sessions whose end could not be written yet."""
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
        if live.records.behind:
            self._behind[live.meeting.id] = live.records

    async def catch_up(self, meeting_id: str | None = None) -> None:
        """Writes the ends that could not be written: of that meeting, or all."""
        for one in [meeting_id] if meeting_id is not None else list(self._behind):
            records = self._behind.get(one)
            if records is not None:
                await records.flush()
                if not records.behind and self._behind.get(one) is records:
                    del self._behind[one]

    async def of(
        self, meeting: Meeting, configuration: EffectiveConfiguration, *, wait: float | None = None
    ) -> LiveSession:
        """The running session, or the one that is being started, or a new one with this configuration. Raises
        `MisdirectedError` where another server has one, or is to have it. `wait`: seconds for which a new one
        waits for the first to join, if that is longer than it would outlive the last."""
        if self._closing:
            raise UnavailableError("The server is going down. Connect again in some seconds.")
        running = self._running.get(meeting.id)
        if running is not None:
            return running
        starting = self._starting.get(meeting.id)
        if starting is None:
            starting = asyncio.create_task(
                self._start(meeting, configuration, wait), name=f"start {meeting.id}", context=Context()
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

    async def _start(
        self, meeting: Meeting, configuration: EffectiveConfiguration, wait: float | None
    ) -> LiveSession:
        try:
            await self.catch_up(meeting.id)
            for _ in range(_TRIES - 1):
                try:
                    return await self._begin(meeting, configuration, wait)
                except ConflictError:
                    log.info("session.begun_elsewhere", meeting=meeting.id)  # between our look and our word
            return await self._begin(meeting, configuration, wait)
        finally:
            del self._starting[meeting.id]

    async def _begin(
        self, meeting: Meeting, configuration: EffectiveConfiguration, wait: float | None
    ) -> LiveSession:
        left_behind = await self._around.servers.free(meeting.id)
        await self._around.servers.check_region(meeting)
        now = self._around.clock.now()
        record = SessionRecord(
            id=new_uuid(),
            meeting_id=meeting.id,
            organization_id=meeting.organization_id,
            status=SessionStatus.READY,
            created_at=now,
            updated_at=now,
            meeting_title=meeting.title,
            unit_id=meeting.unit_id,
            server_id=self._around.servers.id,
        )
        live = LiveSession(
            Session(record.id, meeting.id, meeting.organization_id),
            SessionRecords(record, self._around.uow, self._around.clock, self._around.outbox),
            meeting,
            configuration,
            self._around,
            wait=wait,
            on_left=self._on_left,
            on_admitted=self._on_admitted,
            on_ended=self.forget,
        )
        await live.start(instead_of=left_behind)
        self._running[meeting.id] = live
        return live
