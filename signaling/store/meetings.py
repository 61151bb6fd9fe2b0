"""Meetings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, RowMapping, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import UpdateBase

from signaling.domain.configuration import NOTHING_SAID, Configuration
from signaling.domain.join_policy import ListPolicy
from signaling.domain.listing import EVERY_MEETING, FIRST_PAGE, MeetingFilter, Page
from signaling.domain.meeting import Meeting, MeetingStatus
from signaling.domain.reach import EVERYTHING_SEEN, Sight
from signaling.domain.region import Region
from signaling.errors import ConflictError, SignalingError, ValidationFailedError
from signaling.store.connection import Statements
from signaling.store.dissolution import of_somebody
from signaling.store.listing import Listing, matching, within
from signaling.store.prepared import Prepared
from signaling.store.rows import values_of
from signaling.store.tables import meetings
from signaling.store.units import within_unit

THIS_MEETING: Final = (
    meetings.c.organization_id == bindparam("organization"),
    meetings.c.id == bindparam("meeting"),
    meetings.c.deleted_at.is_(None),
    of_somebody(meetings.c.organization_id),
)
_GET: Final = Prepared(select(meetings).where(*THIS_MEETING))
_NAMES: Final = tuple(meetings.c.keys())


class SqlMeetings:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, meeting_id: str) -> Meeting | None:
        wanted = {"organization": organization_id, "meeting": meeting_id}
        rows = await self._db.rows(_GET, wanted)
        return read_meeting(dict(zip(_NAMES, rows[0], strict=True))) if rows else None

    async def find(self, organization_id: str, name: str) -> Meeting | None:
        query = select(meetings).where(
            meetings.c.organization_id == organization_id,
            or_(meetings.c.unique_name == name, meetings.c.short == name),
            meetings.c.deleted_at.is_(None),
        )
        rows = [_meeting(row) for row in await self._db.execute(query)]
        return next((one for one in rows if one.unique_name == name), rows[0] if rows else None)

    async def by_short(self, short: str) -> Meeting | None:
        there = (meetings.c.deleted_at.is_(None), of_somebody(meetings.c.organization_id))
        query = select(meetings).where(meetings.c.short == short, *there)
        row = (await self._db.execute(query)).first()
        return _meeting(row) if row else None

    async def add(self, meeting: Meeting) -> None:
        await self._write(insert(meetings).values(values_of(meeting)), meeting)

    async def save(self, meeting: Meeting) -> None:
        statement = (
            update(meetings)
            .where(meetings.c.organization_id == meeting.organization_id, meetings.c.id == meeting.id)
            .values(values_of(meeting))
        )
        await self._write(statement, meeting)

    async def _write(self, statement: UpdateBase, meeting: Meeting) -> None:
        try:
            await self._db.execute(statement)
        except IntegrityError as error:
            raise _complaint(error, meeting) from None

    async def list(
        self,
        organization_id: str,
        which: MeetingFilter = EVERY_MEETING,
        page: Page = FIRST_PAGE,
        *,
        sight: Sight = EVERYTHING_SEEN,
    ) -> tuple[Sequence[Meeting], int]:
        where = [
            meetings.c.organization_id == organization_id,
            meetings.c.deleted_at.is_(None),
            *within(meetings.c.created_at, which.created),
            *within(meetings.c.updated_at, which.updated),
        ]
        if which.search:
            ids = (meetings.c.id, meetings.c.unique_name, meetings.c.short)
            where.append(matching(which.search, part_of=meetings.c.title, equal_to=ids))
        if which.start_time:
            where.append(meetings.c.created_at >= which.start_time)
        if which.end_time:
            where.append(meetings.c.created_at <= which.end_time)
        if which.status is not None:
            where.append(meetings.c.status == which.status)
        if which.unit_id is not None:
            where.append(meetings.c.unit_id == which.unit_id)
        if sight.within is not None:
            own = within_unit(meetings.c.unit_id, organization_id, sight.within)
            where.append(or_(own, meetings.c.list_policy == ListPolicy.PUBLIC))
        if not sight.private:
            where.append(meetings.c.list_policy != ListPolicy.PRIVATE)
        if which.unique_name is not None:
            where.append(meetings.c.unique_name == which.unique_name)
        listing = Listing(meetings, meetings.c.id, read_meeting)
        return await listing.page(self._db, where, meetings.c.created_at, page)


def _meeting(row: Row[Any]) -> Meeting:
    return read_meeting(row._mapping)


def read_meeting(values: Mapping[str, Any] | RowMapping) -> Meeting:
    region, said = values["preferred_region"], values["configuration"]
    return Meeting(
        **{
            **values,
            "status": MeetingStatus(values["status"]),
            "preferred_region": Region(region) if region else None,
            "list_policy": ListPolicy(values["list_policy"]),
            "configuration": read_configuration(said) if said else NOTHING_SAID,
        }
    )


def read_configuration(said: Mapping[str, Any]) -> Configuration:
    """Keys that there were in a former version are left out."""
    if not said:
        return NOTHING_SAID
    return Configuration.model_validate({key: said[key] for key in said if key in Configuration.model_fields})


def _complaint(error: IntegrityError, meeting: Meeting) -> SignalingError:
    """Which of the unique columns it was, in the words of either database."""
    if "unique_name" in str(error.orig):
        return ValidationFailedError(
            f"unique_name: there is a meeting {meeting.unique_name!r} already. Choose another name.",
            field="unique_name",
        )
    return ConflictError(f"There is a meeting {meeting.id!r} or {meeting.short!r} already.")
