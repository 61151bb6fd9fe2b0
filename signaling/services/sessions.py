"""Sessions and who was in them, while they last and afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from signaling.domain.attendance import Attendance
from signaling.domain.caller import Caller
from signaling.domain.listing import (
    EVERY_SESSION,
    FIRST_PAGE,
    AttendanceFilter,
    AttendanceOrder,
    Page,
    SessionFilter,
    SessionOrder,
)
from signaling.domain.peer_report import PeerReport
from signaling.domain.session import SessionRecord
from signaling.errors import NotFoundError
from signaling.services.ports import (
    Clock,
    CurrentReports,
    LiveSessions,
    NoCurrentReports,
    UnitOfWork,
    UnitOfWorkFactory,
)
from signaling.services.units import branch_of, touches

MAX_INCLUDED: Final = 100
"""That are shown with what they belong to; the lists have them all."""
_ALL: Final = Page(0, 100_000)
"""Attendances of one session that are looked at to put those of each participant together."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with its figures as of now."""

    record: SessionRecord
    live_participants: int
    max_concurrent_participants: int
    minutes_consumed: float
    """Sum over all who count, those that left included, of their time in the session."""


@dataclass(frozen=True, slots=True)
class AttendanceView:
    """How long one peer was in, or has been."""

    attendance: Attendance
    minutes: float


class SessionService:
    """Every method that names a session or a peer raises `NotFoundError` for one that is not the
    organization's. `caller`: who sees what is of their unit and of those below it; None: sees everything."""

    def __init__(
        self,
        units: UnitOfWorkFactory,
        live: LiveSessions,
        clock: Clock,
        reports: CurrentReports | None = None,
    ) -> None:
        self._units = units
        self._live = live
        self._clock = clock
        self._reports = reports or NoCurrentReports()

    async def list(
        self,
        organization_id: str,
        which: SessionFilter = EVERY_SESSION,
        page: Page = FIRST_PAGE,
        *,
        caller: Caller | None = None,
        unit_id: str | None = None,
        alone: bool = True,
        by: SessionOrder = SessionOrder.CREATED,
        descending: bool = True,
    ) -> tuple[Sequence[SessionView], int]:
        """A page and the total; of one unit only, `alone` or with those below it. Raises `NotFoundError` for
        a unit that is not there for the caller."""
        async with self._units(reading=True) as uow:
            if caller is not None:
                which = replace(which, branch=await branch_of(uow, caller, unit_id, alone=alone))
            found, total = await uow.history.sessions(
                organization_id, which, page, by=by, descending=descending
            )
            return await self._views(uow, found), total

    async def get(self, organization_id: str, session_id: str) -> SessionView:
        async with self._units(reading=True) as uow:
            (view,) = await self._views(uow, [await _load(uow, organization_id, session_id)])
        return view

    async def running_in(self, organization_id: str, meeting_ids: Sequence[str]) -> Mapping[str, str]:
        """The id of the session that has not ended, by meeting."""
        async with self._units(reading=True) as uow:
            return await uow.history.running_in(organization_id, meeting_ids)

    async def newest_in(
        self, caller: Caller, meeting_ids: Sequence[str]
    ) -> Mapping[str, Sequence[SessionRecord]]:
        """At most `MAX_INCLUDED` sessions of each meeting, newest first, by meeting."""
        async with self._units(reading=True) as uow:
            return await uow.history.sessions_in(
                caller.organization_id,
                meeting_ids,
                each=MAX_INCLUDED,
                branch=await branch_of(uow, caller),
            )

    async def latest_of(
        self, organization_id: str, session_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Attendance]]:
        """At most `MAX_INCLUDED` attendances of each session, latest first, by session."""
        async with self._units(reading=True) as uow:
            return await uow.history.attendances_in(organization_id, session_ids, each=MAX_INCLUDED)

    async def participants(
        self,
        organization_id: str,
        which: AttendanceFilter,
        page: Page = FIRST_PAGE,
        *,
        caller: Caller | None = None,
        by: AttendanceOrder = AttendanceOrder.JOINED,
        descending: bool = True,
    ) -> tuple[Sequence[AttendanceView], int]:
        """Every time that somebody was in, of a session or of all of them; a page and the total."""
        now = self._clock.now()
        async with self._units(reading=True) as uow:
            if which.session_id is not None:
                session = await _load(uow, organization_id, which.session_id)
                if caller is not None and not await touches(uow, caller, session.unit_id):
                    raise NotFoundError.of("session", session.id)
            elif caller is not None:
                which = replace(which, branch=await branch_of(uow, caller))
            found, total = await uow.history.attendances(
                organization_id, which, page, by=by, descending=descending, now=now
            )
        return [_view(one, now) for one in found], total

    async def consolidated(
        self,
        organization_id: str,
        session_id: str,
        page: Page = FIRST_PAGE,
        *,
        search: str | None = None,
        by: AttendanceOrder = AttendanceOrder.JOINED,
        descending: bool = True,
    ) -> tuple[Sequence[AttendanceView], int]:
        """The same of one session, but each participant once: from the first join to the last leave, with all
        of the time between that they were in."""
        views, _ = await self.participants(
            organization_id, AttendanceFilter(session_id=session_id, search=search), _ALL, descending=False
        )
        of_each: dict[str, list[AttendanceView]] = defaultdict(list)
        for view in views:
            of_each[view.attendance.participant_id].append(view)
        once = [_put_together(those) for those in of_each.values()]
        if by is AttendanceOrder.DURATION:
            once.sort(key=lambda view: (view.minutes, view.attendance.peer_id), reverse=descending)
        elif descending:
            once.reverse()
        return once[page.offset : page.offset + page.limit], len(once)

    async def participant(self, organization_id: str, session_id: str, one: str) -> AttendanceView:
        """By the id of the peer, or of the participant, whose latest peer in the session it is then."""
        async with self._units(reading=True) as uow:
            await _load(uow, organization_id, session_id)
            found = await uow.history.attendance(organization_id, one)
            if found is None or found.session_id != session_id:
                those = await uow.history.attendances_of(organization_id, session_id, one)
                found = those[-1] if those else None
        if found is None:
            raise NotFoundError.of("participant", one)
        return _view(found, self._clock.now())

    async def peer(self, organization_id: str, peer_id: str) -> AttendanceView:
        async with self._units(reading=True) as uow:
            found = await uow.history.attendance(organization_id, peer_id)
        if found is None:
            raise NotFoundError.of("peer", peer_id)
        return _view(found, self._clock.now())

    async def report(self, organization_id: str, peer_id: str) -> PeerReport:
        """What was measured of the peer, as far as anything was: as of now where it is in a session of this
        server, else as it was written last."""
        async with self._units(reading=True) as uow:
            stored = await uow.peer_reports.of(organization_id, [peer_id])
        if (current := self._reports.current(peer_id)) is not None:
            return current
        return stored[0].report if stored else PeerReport()

    async def _views(self, uow: UnitOfWork, records: Sequence[SessionRecord]) -> Sequence[SessionView]:
        """Of one that runs here its process knows best; of others the store knows what was written."""
        now = self._clock.now()
        views = {one.id: _of_store(one, (), now) for one in records}
        elsewhere = []
        for record in records:
            if record.ended_at is not None:
                continue
            here = await self._live.active(record.meeting_id)
            if here is None or here.id != record.id:
                elsewhere.append(record)
                continue
            views[record.id] = SessionView(
                record, here.live_participants, here.max_concurrent_participants, here.minutes_consumed
            )
        if elsewhere:
            present = await uow.history.present([one.id for one in elsewhere])
            views |= {one.id: _of_store(one, present.get(one.id, ()), now) for one in elsewhere}
        return [views[one.id] for one in records]


def _of_store(record: SessionRecord, joined: Sequence[datetime], now: datetime) -> SessionView:
    seconds = record.seconds_consumed + sum((now - one).total_seconds() for one in joined)
    return SessionView(record, len(joined), record.max_concurrent_participants, seconds / 60)


def _view(attendance: Attendance, now: datetime) -> AttendanceView:
    return AttendanceView(attendance, attendance.seconds(now) / 60)


def _put_together(views: Sequence[AttendanceView]) -> AttendanceView:
    """Of one participant, in the order of joining: the latest, since the first, until the last to leave."""
    those = [view.attendance for view in views]
    last = those[-1]
    there = next((one for one in those if one.left_at is None), None)
    gone = None if there else max(those, key=lambda one: one.left_at or one.joined_at)
    whole = replace(
        there or last,
        joined_at=those[0].joined_at,
        opened_at=those[0].created_at,
        left_at=None if gone is None else gone.left_at,
        leave_reason=None if gone is None else gone.leave_reason,
        updated_at=max(one.updated_at for one in those),
    )
    return AttendanceView(whole, sum(view.minutes for view in views))


async def _load(uow: UnitOfWork, organization_id: str, session_id: str) -> SessionRecord:
    found = await uow.history.session(organization_id, session_id)
    if found is None:
        raise NotFoundError.of("session", session_id)
    return found
