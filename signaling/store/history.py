"""Sessions and attendances as they are looked up afterwards, and while they last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Float,
    Select,
    bindparam,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from signaling.domain.attendance import Attendance
from signaling.domain.listing import AttendanceFilter, AttendanceOrder, Page, SessionFilter, SessionOrder
from signaling.domain.session import SessionRecord
from signaling.domain.unit import Branch
from signaling.domain.usage import Span
from signaling.store.attendances import context_hash, read_attendance
from signaling.store.connection import Statements
from signaling.store.listing import Condition, Listing, matching, within
from signaling.store.sessions import read_session
from signaling.store.tables import attendances, sessions
from signaling.store.tables.columns import UtcDateTime
from signaling.store.units import in_branch

T = TypeVar("T")

SESSIONS: Final = Listing(sessions, sessions.c.id, read_session)
ATTENDANCES: Final = Listing(attendances, attendances.c.peer_id, read_attendance)

_SESSION = select(sessions).where(
    sessions.c.organization_id == bindparam("organization"), sessions.c.id == bindparam("session")
)
_ATTENDANCE = select(attendances).where(
    attendances.c.organization_id == bindparam("organization"), attendances.c.peer_id == bindparam("peer")
)

_SPANS = (
    select(
        attendances.c.peer_id,
        attendances.c.session_id,
        sessions.c.unit_id,
        attendances.c.joined_at,
        attendances.c.left_at,
    )
    .join(sessions, sessions.c.id == attendances.c.session_id)
    .where(attendances.c.counted)
)


class SqlHistory:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def session(self, organization_id: str, session_id: str) -> SessionRecord | None:
        wanted = {"organization": organization_id, "session": session_id}
        row = (await self._db.execute(_SESSION, wanted)).mappings().first()
        return None if row is None else read_session(row)

    async def sessions(
        self,
        organization_id: str,
        which: SessionFilter,
        page: Page,
        *,
        by: SessionOrder = SessionOrder.CREATED,
        descending: bool = True,
    ) -> tuple[Sequence[SessionRecord], int]:
        return await SESSIONS.page(
            self._db,
            sessions_where(organization_id, which),
            sessions_by(by),
            page,
            descending=descending,
        )

    async def running_in(self, organization_id: str, meeting_ids: Sequence[str]) -> Mapping[str, str]:
        query = select(sessions.c.meeting_id, sessions.c.id).where(
            sessions.c.organization_id == organization_id,
            sessions.c.meeting_id.in_(meeting_ids),
            sessions.c.ended_at.is_(None),
        )
        return {row.meeting_id: row.id for row in await self._db.execute(query)}

    async def sessions_in(
        self, organization_id: str, meeting_ids: Sequence[str], *, each: int, branch: Branch | None = None
    ) -> Mapping[str, Sequence[SessionRecord]]:
        of_these = [
            sessions.c.meeting_id.in_(meeting_ids),
            *sessions_where(organization_id, SessionFilter(branch=branch)),
        ]
        by = sessions.c.created_at
        found = await SESSIONS.of_each(self._db, of_these, sessions.c.meeting_id, by, each=each)
        return _grouped(found, lambda one: one.meeting_id)

    async def attendances_in(
        self, organization_id: str, session_ids: Sequence[str], *, each: int
    ) -> Mapping[str, Sequence[Attendance]]:
        of_these = (
            attendances.c.organization_id == organization_id,
            attendances.c.session_id.in_(session_ids),
        )
        by = attendances.c.joined_at
        found = await ATTENDANCES.of_each(self._db, of_these, attendances.c.session_id, by, each=each)
        return _grouped(found, lambda one: one.session_id)

    async def present(self, session_ids: Sequence[str]) -> Mapping[str, Sequence[datetime]]:
        """When those joined who are in these sessions and count, by session."""
        query = select(attendances.c.session_id, attendances.c.joined_at).where(
            attendances.c.session_id.in_(session_ids),
            attendances.c.left_at.is_(None),
            attendances.c.counted,
        )
        found: dict[str, list[datetime]] = defaultdict(list)
        for session_id, joined_at in await self._db.execute(query):
            found[session_id].append(joined_at)
        return found

    async def attendance(self, organization_id: str, peer_id: str) -> Attendance | None:
        wanted = {"organization": organization_id, "peer": peer_id}
        row = (await self._db.execute(_ATTENDANCE, wanted)).mappings().first()
        return None if row is None else read_attendance(row)

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
        return await ATTENDANCES.page(
            self._db,
            attendances_where(organization_id, which),
            attendances_by(by, now),
            page,
            descending=descending,
        )

    async def attendances_of(
        self, organization_id: str, session_id: str, participant_id: str
    ) -> Sequence[Attendance]:
        """Of one participant in one session, in the order of joining."""
        query = (
            select(attendances)
            .where(
                attendances.c.organization_id == organization_id,
                attendances.c.session_id == session_id,
                attendances.c.participant_id == participant_id,
            )
            .order_by(attendances.c.joined_at, attendances.c.peer_id)
        )
        return [read_attendance(row) for row in (await self._db.execute(query)).mappings()]

    async def spans_over(
        self, organization_id: str, moment: datetime, *, branch: Branch | None = None
    ) -> Sequence[Span]:
        query = spans_over(organization_id, moment, branch)
        return [Span(*row) for row in await self._db.execute(query)]

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
        query = spans(organization_id, since, until, after, branch).limit(limit)
        return [Span(*row) for row in await self._db.execute(query)]


def _grouped(found: Iterable[T], key: Callable[[T], str]) -> Mapping[str, Sequence[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    return groups


def spans_over(organization_id: str, moment: datetime, branch: Branch | None) -> CompoundSelect[Any]:
    in_then = _SPANS.where(
        sessions.c.organization_id == organization_id,
        sessions.c.created_at < moment,
        attendances.c.joined_at < moment,
        or_(attendances.c.left_at.is_(None), attendances.c.left_at > moment),
        *_of_branch(organization_id, branch),
    )
    ended_later = in_then.where(sessions.c.ended_at > moment)
    return union_all(ended_later, in_then.where(sessions.c.ended_at.is_(None)))


def spans(
    organization_id: str, since: datetime, until: datetime, after: Span | None, branch: Branch | None
) -> Select[Any]:
    query = _SPANS.where(
        attendances.c.organization_id == organization_id,
        attendances.c.joined_at >= (since if after is None else after.joined_at),
        attendances.c.joined_at < until,
        *_of_branch(organization_id, branch),
    )
    if after is not None:
        query = query.where(
            or_(attendances.c.joined_at > after.joined_at, attendances.c.peer_id > after.peer_id)
        )
    return query.order_by(attendances.c.joined_at, attendances.c.peer_id)


def _of_branch(organization_id: str, branch: Branch | None) -> Iterator[Condition]:
    if branch is not None:
        yield in_branch(sessions.c.unit_id, organization_id, branch)


def sessions_where(organization_id: str, which: SessionFilter) -> Iterator[Condition]:
    yield sessions.c.organization_id == organization_id
    if which.live is not None:
        yield sessions.c.ended_at.is_(None) if which.live else sessions.c.ended_at.is_not(None)
    if which.status is not None:
        yield sessions.c.status == which.status
    if which.meeting_id is not None:
        yield sessions.c.meeting_id == which.meeting_id
    if which.search:
        yield matching(
            which.search,
            part_of=sessions.c.meeting_title,
            equal_to=(sessions.c.id, sessions.c.meeting_id),
        )
    if which.participants:
        of_them = select(attendances.c.session_id).where(attendances.c.organization_id == organization_id)
        yield sessions.c.id.in_(
            union(
                of_them.where(attendances.c.participant_id.in_(which.participants)),
                of_them.where(attendances.c.custom_participant_id.in_(which.participants)),
            )
        )
    yield from _of_branch(organization_id, which.branch)
    yield from within(sessions.c.created_at, which.created)
    yield from within(sessions.c.updated_at, which.updated)
    yield from within(sessions.c.ended_at, which.ended)


def sessions_by(order: SessionOrder) -> ColumnElement[Any]:
    return sessions.c.seconds_consumed if order is SessionOrder.CONSUMED else sessions.c.created_at


def attendances_where(organization_id: str, which: AttendanceFilter) -> Iterator[Condition]:
    yield attendances.c.organization_id == organization_id
    if which.session_id is not None:
        yield attendances.c.session_id == which.session_id
    if which.search:
        yield matching(
            which.search,
            part_of=attendances.c.name,
            equal_to=(
                attendances.c.peer_id,
                attendances.c.participant_id,
                attendances.c.custom_participant_id,
            ),
        )
    if which.context is not None:
        yield attendances.c.context_hash == context_hash(which.context)
    if which.branch is not None:
        of_units = sessions_where(organization_id, SessionFilter(branch=which.branch))
        yield attendances.c.session_id.in_(select(sessions.c.id).where(*of_units))
    yield from within(attendances.c.joined_at, which.joined)
    yield from within(attendances.c.updated_at, which.updated)
    yield from within(attendances.c.left_at, which.left)


def attendances_by(order: AttendanceOrder, now: datetime) -> ColumnElement[Any]:
    if order is AttendanceOrder.JOINED:
        return attendances.c.joined_at
    until = func.coalesce(attendances.c.left_at, literal(now, UtcDateTime))
    return _SecondsBetween(attendances.c.joined_at, until)


class _SecondsBetween(FunctionElement[float]):
    type = Float()
    inherit_cache = True


@compiles(_SecondsBetween, "sqlite")
def _on_sqlite(element: _SecondsBetween, compiler: SQLCompiler, **options: Any) -> str:
    since, until = (compiler.process(one, **options) for one in element.clauses)
    return f"(julianday({until}) - julianday({since})) * 86400.0"


@compiles(_SecondsBetween, "postgresql")
def _on_postgresql(element: _SecondsBetween, compiler: SQLCompiler, **options: Any) -> str:
    since, until = (compiler.process(one, **options) for one in element.clauses)
    return f"EXTRACT(EPOCH FROM {until} - {since})"
