"""Lists of sessions and attendances, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import CompoundSelect, Select, text

from signaling.domain.attendance import PeerEvent, PeerEventKind
from signaling.domain.listing import (
    AttendanceFilter,
    AttendanceOrder,
    Page,
    SessionFilter,
    SessionOrder,
)
from signaling.domain.meeting import Meeting
from signaling.domain.session import SessionRecord, SessionStatus
from signaling.domain.time_range import TimeRange
from signaling.domain.unit import Branch
from signaling.domain.usage import Span
from signaling.services.ports import UnitOfWorkFactory
from signaling.store.database import Database
from signaling.store.history import (
    ATTENDANCES,
    SESSIONS,
    attendances_by,
    attendances_where,
    sessions_by,
    sessions_where,
    spans,
    spans_over,
)
from signaling.testing import MemoryStore
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.values import at

ACME, RIVAL = values.organization(), values.organization("Rival")
CLINIC = replace(values.unit(ACME, "clinic"), id="clinic", path=("clinic",))
WARD = replace(values.unit(ACME, "ward"), id="ward", path=("clinic", "ward"))
WEEKLY = replace(values.meeting(ACME), unit_id=CLINIC.id)
DAILY = replace(values.meeting(ACME, "Daily 100%"), unit_id=WARD.id)
OF_BOTH, OF_CLINIC, OF_WARD = Branch(CLINIC.id), Branch(CLINIC.id, alone=True), Branch(WARD.id)
THEIRS = values.meeting(RIVAL)


def ended(meeting: Meeting, number: int, *, seconds: float) -> SessionRecord:
    return replace(
        values.session(meeting, seconds=seconds),
        id=f"session-{number}",
        status=SessionStatus.FINISHED,
        updated_at=at(seconds + 60),
        ended_at=at(seconds + 60),
        end_reason="ALL_PARTICIPANTS_LEFT",
    )


FIRST = ended(WEEKLY, 1, seconds=0)
SAME_TIME = ended(DAILY, 2, seconds=0)
LATER = ended(WEEKLY, 3, seconds=100)
RUNNING = replace(values.session(WEEKLY, seconds=200), id="session-4", unit_id=None)
RIVALS = replace(values.session(THEIRS, seconds=300), id="session-5")

ADA = values.attendance(FIRST, "peer_1", "pt-ada", 1)
ADA_AGAIN = values.attendance(FIRST, "peer_2", "pt-ada", 40)
BOT = replace(values.attendance(FIRST, "peer_3", "pt-bot", 2), counted=False, device="bot")
BOB = replace(
    values.attendance(SAME_TIME, "peer_4", "pt-bob", 3),
    name="Bob",
    custom_participant_id="bob-1",
    context='{"seat": 4}',
    events=(PeerEvent(PeerEventKind.DETACHED, at(9)), PeerEvent(PeerEventKind.RESUMED, at(11))),
)
INSIDE = values.attendance(RUNNING, "peer_5", "pt-ada", 210)


@pytest.fixture
async def units(either: Database) -> UnitOfWorkFactory:
    await fill(either)
    return either


async def fill(units: UnitOfWorkFactory) -> None:
    async with units() as uow:
        for organization in (ACME, RIVAL):
            await uow.organizations.add(organization)
        for unit in (CLINIC, WARD):
            await uow.units.add(unit)
        for meeting in (WEEKLY, DAILY, THEIRS):
            await uow.meetings.add(meeting)
        for session in (FIRST, SAME_TIME, LATER, RUNNING, RIVALS):
            await uow.sessions.add(replace(session, ended_at=None, status=SessionStatus.LIVE))
            for one in (ADA, ADA_AGAIN, BOT, BOB, INSIDE):
                if one.session_id == session.id:
                    await uow.sessions.add_attendance(one)
            await uow.sessions.save(session)
        for one, until in ((ADA, 31), (ADA_AGAIN, 60), (BOT, 60), (BOB, 13)):
            assert await uow.sessions.save_attendance(one.left("left", at(until)))
        await uow.commit()


async def sessions(
    units: UnitOfWorkFactory,
    which: SessionFilter,
    page: Page = Page(),  # noqa: B008 - a frozen value
    **options: Any,
) -> tuple[list[str], int]:
    """The numbers of the sessions that are found."""
    async with units(reading=True) as uow:
        found, total = await uow.history.sessions(ACME.id, which, page, **options)
    return [one.id.removeprefix("session-") for one in found], total


async def people(
    units: UnitOfWorkFactory,
    which: AttendanceFilter,
    page: Page = Page(),  # noqa: B008 - a frozen value
    **options: Any,
) -> tuple[list[str], int]:
    async with units(reading=True) as uow:
        found, total = await uow.history.attendances(ACME.id, which, page, now=at(300), **options)
    return [one.peer_id.removeprefix("peer_") for one in found], total


async def test_sessions_come_newest_first_and_those_of_one_moment_by_their_ids(
    units: UnitOfWorkFactory,
) -> None:
    assert await sessions(units, SessionFilter()) == (["4", "3", "2", "1"], 4)
    assert await sessions(units, SessionFilter(), descending=False) == (["1", "2", "3", "4"], 4)
    pages = [await sessions(units, SessionFilter(), Page(offset, 1)) for offset in range(5)]
    assert pages == [(["4"], 4), (["3"], 4), (["2"], 4), (["1"], 4), ([], 4)]


SESSIONS_FOUND = (
    (SessionFilter(live=True), "4"),
    (SessionFilter(live=False), "321"),
    (SessionFilter(meeting_id=DAILY.id), "2"),
    (SessionFilter(search="WEEK"), "431"),
    (SessionFilter(search="100%"), "2"),
    (SessionFilter(search="_"), ""),
    (SessionFilter(search=DAILY.id), "2"),
    (SessionFilter(search="session-3"), "3"),
    (SessionFilter(participants=("bob-1",)), "2"),
    (SessionFilter(participants=("pt-ada", "pt-bob")), "421"),
    (SessionFilter(participants=("nobody",)), ""),
    (SessionFilter(created=TimeRange(at(0), at(100))), "21"),
    (SessionFilter(created=TimeRange(since=at(100))), "43"),
    (SessionFilter(updated=TimeRange(at(160), at(200))), "3"),
    (SessionFilter(ended=TimeRange(until=at(100))), "21"),
    (SessionFilter(live=False, meeting_id=WEEKLY.id, created=TimeRange(until=at(100))), "1"),
    (SessionFilter(branch=OF_BOTH), "321"),
    (SessionFilter(branch=OF_CLINIC), "31"),
    (SessionFilter(branch=OF_WARD), "2"),
)


async def test_sessions_are_found(units: UnitOfWorkFactory) -> None:
    for which, found in SESSIONS_FOUND:
        assert await sessions(units, which) == (list(found), len(found)), which


async def test_time_adds_up_once_for_everybody_who_counts_and_sessions_sort_by_it(
    units: UnitOfWorkFactory,
) -> None:
    async with units() as uow:
        assert not await uow.sessions.save_attendance(ADA.left("kicked", at(500)))
        await uow.commit()
    async with units(reading=True) as uow:
        first = await uow.history.session(ACME.id, FIRST.id)
        assert first is not None
        assert first.seconds_consumed == 30 + 20
        assert await uow.history.present([FIRST.id, RUNNING.id]) == {RUNNING.id: [at(210)]}
    assert await sessions(units, SessionFilter(), by=SessionOrder.CONSUMED) == (["1", "2", "4", "3"], 4)


async def test_an_attendance_is_found_as_it_was(units: UnitOfWorkFactory) -> None:
    async with units(reading=True) as uow:
        assert await uow.history.attendance(ACME.id, "peer_4") == BOB.left("left", at(13))
        assert await uow.history.attendance(RIVAL.id, "peer_4") is None
        assert await uow.history.session(RIVAL.id, FIRST.id) is None
        assert await uow.history.attendances_of(ACME.id, FIRST.id, "pt-ada") == [
            ADA.left("left", at(31)),
            ADA_AGAIN.left("left", at(60)),
        ]


PEOPLE_FOUND = (
    (AttendanceFilter(), "52431"),
    (AttendanceFilter(session_id=FIRST.id), "231"),
    (AttendanceFilter(search="bO"), "4"),
    (AttendanceFilter(search="pt-ada"), "521"),
    (AttendanceFilter(search="ada-1"), "5231"),
    (AttendanceFilter(search="peer_3"), "3"),
    (AttendanceFilter(context='{"seat": 4}'), "4"),
    (AttendanceFilter(context='{"seat": '), ""),
    (AttendanceFilter(joined=TimeRange(at(2), at(40))), "43"),
    (AttendanceFilter(left=TimeRange(until=at(31))), "4"),
    (AttendanceFilter(updated=TimeRange(since=at(60))), "523"),
    (AttendanceFilter(branch=OF_BOTH), "2431"),
    (AttendanceFilter(branch=OF_CLINIC), "231"),
    (AttendanceFilter(branch=OF_WARD, search="bob"), "4"),
    (AttendanceFilter(branch=OF_WARD, session_id=FIRST.id), ""),
)


async def test_attendances_are_found(units: UnitOfWorkFactory) -> None:
    for which, found in PEOPLE_FOUND:
        assert await people(units, which) == (list(found), len(found)), which


async def test_who_is_in_still_has_been_in_until_now(units: UnitOfWorkFactory) -> None:
    longest = await people(units, AttendanceFilter(), by=AttendanceOrder.DURATION)
    assert longest == (["5", "3", "1", "2", "4"], 5)


SPAN = TimeRange(at(0), at(100))
IN_ORDER = (
    (SessionFilter(), SessionOrder.CREATED),
    (SessionFilter(), SessionOrder.CONSUMED),
    (SessionFilter(live=True), SessionOrder.CREATED),
    (SessionFilter(live=False), SessionOrder.CREATED),
    (SessionFilter(meeting_id="m"), SessionOrder.CREATED),
    (SessionFilter(status=SessionStatus.CANCELLED), SessionOrder.CREATED),
    (SessionFilter(created=SPAN), SessionOrder.CREATED),
    (SessionFilter(branch=OF_CLINIC), SessionOrder.CREATED),
    (SessionFilter(branch=OF_CLINIC, created=SPAN), SessionOrder.CREATED),
    (AttendanceFilter(), AttendanceOrder.JOINED),
    (AttendanceFilter(session_id="s"), AttendanceOrder.JOINED),
    (AttendanceFilter(context="c"), AttendanceOrder.JOINED),
    (AttendanceFilter(joined=SPAN), AttendanceOrder.JOINED),
)
"""A page of these comes from an index that has its order."""
SORTED = (
    (SessionFilter(updated=SPAN), SessionOrder.CREATED),
    (SessionFilter(ended=SPAN), SessionOrder.CREATED),
    (SessionFilter(search="x"), SessionOrder.CREATED),
    (SessionFilter(branch=OF_BOTH), SessionOrder.CREATED),
    (SessionFilter(branch=OF_BOTH, live=True), SessionOrder.CREATED),
    (SessionFilter(participants=("a", "b")), SessionOrder.CREATED),
    (AttendanceFilter(session_id="s"), AttendanceOrder.DURATION),
    (AttendanceFilter(left=SPAN), AttendanceOrder.JOINED),
    (AttendanceFilter(updated=SPAN), AttendanceOrder.JOINED),
    (AttendanceFilter(search="x"), AttendanceOrder.JOINED),
    (AttendanceFilter(branch=OF_BOTH), AttendanceOrder.JOINED),
    (AttendanceFilter(branch=OF_CLINIC, joined=SPAN), AttendanceOrder.JOINED),
)
"""Of these what an index found may be sorted."""


WALKS = ("SCAN sessions", "SCAN attendances", "SCAN units")


@pytest.mark.parametrize("branch", [None, OF_BOTH, OF_CLINIC], ids=str)
async def test_usage_is_read_in_the_order_of_an_index(branch: Branch | None) -> None:
    for step in await plan(spans_over("org", at(0), branch)):
        assert not step.startswith(WALKS), step
    for after in (None, Span("peer", "session", None, at(1), None)):
        steps = await plan(spans("org", at(0), at(60), after, branch).limit(500))
        assert not [step for step in steps if "TEMP B-TREE" in step or step.startswith(WALKS)], steps


async def test_what_a_unit_used_is_apart_from_what_others_did(units: UnitOfWorkFactory) -> None:
    found = []
    async with units(reading=True) as uow:
        for branch in (None, OF_BOTH, OF_CLINIC, OF_WARD):
            later = await uow.history.spans(ACME.id, at(0), at(900), after=None, limit=9, branch=branch)
            found.append("".join(one.peer_id.removeprefix("peer_") for one in later))
        over = await uow.history.spans_over(ACME.id, at(20), branch=OF_BOTH)
        of_ward = await uow.history.spans_over(ACME.id, at(10), branch=OF_WARD)
    assert found == ["1425", "142", "12", "4"]
    assert [one.peer_id for one in (*over, *of_ward)] == ["peer_1", "peer_4"]


def queries(which: SessionFilter | AttendanceFilter, order: Any) -> tuple[Select[Any], Select[Any]]:
    """For the total, and for a page."""
    if isinstance(which, SessionFilter):
        where = tuple(sessions_where("org", which))
        return SESSIONS.count(where), SESSIONS.query(where, sessions_by(order), Page(), descending=True)
    where = tuple(attendances_where("org", which))
    by = attendances_by(order, at(0))
    return ATTENDANCES.count(where), ATTENDANCES.query(where, by, Page(), descending=True)


@pytest.mark.parametrize(("which", "order"), [*IN_ORDER, *SORTED], ids=str)
async def test_no_list_walks_through_a_whole_table(which: Any, order: Any) -> None:
    total, page = queries(which, order)
    for step in await plan(total) + await plan(page):
        assert not step.startswith(WALKS), step
    if (which, order) in IN_ORDER:
        steps = await plan(page)
        cut = steps[: steps.index("SCAN page")]
        assert not [step for step in cut if "TEMP B-TREE" in step], steps


async def plan(query: Select[Any] | CompoundSelect[Any]) -> list[str]:
    """What SQLite would do, step by step."""
    store = MemoryStore()
    written = query.compile(dialect=store.source.dialect, compile_kwargs={"literal_binds": True})
    async with statements(store) as db:
        return [row.detail for row in await db.execute(text(f"EXPLAIN QUERY PLAN {written}"))]
