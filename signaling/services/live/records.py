"""What the store keeps of a running session: its row and who was in it when.

A join is written before it is answered, and refused when it cannot be. An ending is made true first (media
must stop even while the database is away); its rows wait here until they could be written, and a process that
dies before is covered by `end_unfinished` at the next start.

Where another server has ended the session meanwhile, since this one was silent for too long, nothing more is
written to it (`signaling.services.live.ownership`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from signaling.domain.attendance import Attendance, PeerEvent, PeerEventKind, attendance_of
from signaling.domain.configuration import EffectiveConfiguration
from signaling.domain.events import (
    Event,
    PeerDetached,
    PeerLeft,
    PeerResumed,
    SessionEnded,
    SessionStatusChanged,
    SocketReplaced,
)
from signaling.domain.peer import Peer
from signaling.domain.plan import check_room, limits_of
from signaling.domain.session_end import ended
from signaling.domain.session_status import EndOfAll, SessionEndReason, SessionRecord, SessionStatus
from signaling.domain.webhook_sessions import ParticipantOccurrence, SessionOccurrence
from signaling.errors import OutcomeUnknownError
from signaling.services.outbox import Outbox
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)


class EndedElsewhere(Exception):  # noqa: N818 - what happened, not a fault
    """Another server has ended the session."""


class SessionRecords:
    """The rows of one session."""

    def __init__(self, record: SessionRecord, uow: UnitOfWorkFactory, clock: Clock, outbox: Outbox) -> None:
        self.record = record
        self._uow = uow
        self._clock = clock
        self._outbox = outbox
        self._present: dict[str, Attendance] = {}
        self._unsaved: list[Attendance | SessionRecord] = []
        self._seconds_of_those_left = 0.0

    @property
    def behind(self) -> bool:
        """Whether rows wait to be written."""
        return bool(self._unsaved)

    def resume(self, attendances: Iterable[Attendance], present: Set[str]) -> None:
        """Instead of `add`: the books of another process are continued. `present` are peer ids; who is in
        the books as there and is not, left without having been noted."""
        now = self._clock.now()
        for one in attendances:
            if one.left_at is None and one.peer_id in present:
                self._present[one.peer_id] = one
                continue
            if one.left_at is None:
                one = one.left(SessionEndReason.SERVER_RESTARTED, now)
                self._unsaved.append(one)
            self._count(one, now)

    async def add(
        self, configuration: EffectiveConfiguration, *, instead_of: SessionRecord | None = None
    ) -> None:
        """`instead_of`: one that nobody runs. Raises `ConflictError` where the meeting has another, and
        `PlanLimitError` where the organization has as many at a time as its plan has room for."""

        async def work(uow: UnitOfWork) -> None:
            if instead_of is not None:
                await end_all(
                    uow, self._outbox, [instead_of], self.record.created_at, SessionEndReason.NOT_CONFIRMED
                )
            await _check_plan(uow, self.record.organization_id)
            await uow.sessions.add(self.record)
            await uow.configurations.add_snapshot(self.record.organization_id, self.record.id, configuration)

        await committed(self._uow, work)

    async def keep_configuration(self, configuration: EffectiveConfiguration) -> None:
        """What it runs with from now on. Where that cannot be written the session goes on all the same."""
        try:
            await committed(
                self._uow, lambda uow: uow.configurations.save_snapshot(self.record.id, configuration)
            )
        except Exception as error:  # whatever the store's adapter raises: it is a note, not the session
            log.warning("session.configuration_not_saved", session=self.record.id, error=repr(error))

    async def joined(self, peer: Peer, *, present: int) -> None:
        """Commits the attendance, with which the session is LIVE; `present` is how many count then. Raises
        `EndedElsewhere`, and what the store raises."""
        attendance = attendance_of(peer, self.record)
        changed = replace(
            self.record,
            status=SessionStatus.LIVE,
            started_at=self.record.started_at or attendance.joined_at,
            max_concurrent_participants=max(present, self.record.max_concurrent_participants),
        )
        if changed != self.record:
            changed = replace(changed, updated_at=self._clock.now())
        behind = list(self._unsaved)

        async def work(uow: UnitOfWork) -> SessionRecord:
            await self._save(behind, uow)
            if not await uow.sessions.add_attendance(attendance):
                raise EndedElsewhere
            record = await self._begun(uow, changed)
            await self._outbox.tell(uow, ParticipantOccurrence(record, attendance))
            if record != self.record:
                await uow.sessions.save(record)
            return record

        try:
            record = await committed(self._uow, work)
        except OutcomeUnknownError:
            # It is refused. Where it was written all the same, the books say so once they can be reached.
            self._unsaved.append(attendance.left(SessionEndReason.NOT_CONFIRMED, self._clock.now()))
            raise
        del self._unsaved[: len(behind)]
        self.record = record
        self._present[peer.id] = attendance

    async def _begun(self, uow: UnitOfWork, record: SessionRecord) -> SessionRecord:
        """With the first who is in it is told of; once, also where nobody knew whether that was written."""
        if self.record.started_at is not None:
            return record
        stored = await uow.sessions.get(record.id)
        if stored is not None and stored.started_at is not None:
            return replace(record, started_at=stored.started_at)
        await self._outbox.tell(uow, SessionOccurrence(record))
        return record

    async def keep(self, events: list[Event]) -> None:
        """Writes down who left, what the session became and that it ended; never raises."""
        now = self._clock.now()
        for event in events:
            match event:
                case PeerLeft(peer, reason):
                    attendance = self._present.pop(peer.id).left(reason, now)
                    self._unsaved.append(attendance)
                    self._count(attendance, now)
                case PeerDetached(peer):
                    self._note(peer, PeerEvent(PeerEventKind.DETACHED, now))
                case PeerResumed(peer, socket_id) | SocketReplaced(peer, socket_id):
                    self._note(peer, PeerEvent(PeerEventKind.RESUMED, now, socket_id))
                case SessionStatusChanged(status):
                    self.record = replace(self.record, status=status, updated_at=now)
                    self._unsaved.append(self.record)
                case SessionEnded(reason):
                    self.record = ended(self.record, reason, now)
                    self._unsaved.append(self.record)
                case _:
                    pass
        await self.flush()

    async def flush(self) -> None:
        """Tries to write what could not be written yet."""
        if not self._unsaved:
            return
        rows = list(self._unsaved)
        try:
            await committed(self._uow, partial(self._save, rows))
        except Exception as error:  # whatever the store's adapter raises: it is tried again
            log.warning("session.not_saved", session=self.record.id, rows=len(rows), error=repr(error))
            return
        del self._unsaved[: len(rows)]

    async def _save(self, rows: Sequence[Attendance | SessionRecord], uow: UnitOfWork) -> None:
        """Who hears of it hears of it in the order in which it happened."""
        for row in rows:
            if isinstance(row, Attendance):
                if await uow.sessions.save_attendance(row):
                    await self._outbox.tell(uow, ParticipantOccurrence(self.record, row))
            else:
                await _save_session(uow, self._outbox, row)

    def minutes_consumed(self) -> float:
        now = self._clock.now()
        present = sum(one.seconds(now) for one in self._present.values() if one.counted)
        return (self._seconds_of_those_left + present) / 60

    def _count(self, attendance: Attendance, now: datetime) -> None:
        if attendance.counted:
            self._seconds_of_those_left += attendance.seconds(now)

    def _note(self, peer: Peer, event: PeerEvent) -> None:
        """Written when the peer leaves."""
        self._present[peer.id] = self._present[peer.id].noted(event)


async def end_unfinished(
    units: UnitOfWorkFactory,
    outbox: Outbox,
    clock: Clock,
    server_id: str,
    *,
    alone: bool,
    going_on: Set[str] = frozenset(),
) -> int:
    """Ends the sessions that the server's former self left behind, but for those ids, which it has from now
    on; returns how many. `alone`: nobody else can have any."""
    now = clock.now()

    async def work(uow: UnitOfWork) -> int:
        unfinished = await uow.sessions.unfinished()
        for one in unfinished:
            if one.id in going_on and one.server_id != server_id:
                await uow.sessions.save(replace(one, server_id=server_id))
        left = [
            one
            for one in unfinished
            if one.id not in going_on and (alone or one.server_id in (server_id, None))
        ]
        await end_all(uow, outbox, left, now, SessionEndReason.SERVER_RESTARTED)
        return len(left)

    return await committed(units, work)


async def end_all(
    uow: UnitOfWork, outbox: Outbox, sessions: Iterable[SessionRecord], now: datetime, reason: EndOfAll
) -> None:
    """Those that nobody runs any more, with whoever was in them."""
    for record in sessions:
        over = ended(record, reason, now)
        if not await uow.sessions.save(over):
            continue
        for attendance in await uow.sessions.attendances(record.id):
            if attendance.left_at is None:
                gone = attendance.left(reason, now)
                await uow.sessions.save_attendance(gone)
                await outbox.tell(uow, ParticipantOccurrence(record, gone))
        await _tell_end(uow, outbox, over)


async def _save_session(uow: UnitOfWork, outbox: Outbox, row: SessionRecord) -> None:
    if row.ended_at is not None and row.started_at is None:
        stored = await uow.sessions.get(row.id)
        if stored is not None and stored.started_at is not None:  # it was written after all, and nobody knew
            row = replace(row, started_at=stored.started_at)
            assert row.end_reason is not None and row.ended_at is not None, "they are said together"
            row = ended(row, row.end_reason, row.ended_at)
    if await uow.sessions.save(row):
        await _tell_end(uow, outbox, row)


async def _tell_end(uow: UnitOfWork, outbox: Outbox, record: SessionRecord) -> None:
    """Of what nobody was told that it began nobody is told that it ended."""
    if record.ended_at is not None and record.started_at is not None:
        await outbox.tell(uow, SessionOccurrence(record))


async def _check_plan(uow: UnitOfWork, organization_id: str) -> None:
    """Raises `PlanLimitError`.

    The organization is read here again, though its plan was asked for the configuration already: that was
    before the media had a place, in another transaction. What is counted and what it may come to are seen at
    the same moment, and anew where the transaction is tried again; else another plan could come between.
    """
    organization = await uow.organizations.get(organization_id)
    limit = None if organization is None else limits_of(organization).concurrent_sessions
    if limit is not None:
        check_room("sessions at a time", await uow.sessions.count_unfinished(organization_id), limit)
