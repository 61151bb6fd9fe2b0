"""Participants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, RowMapping, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from signaling.domain.join_policy import Standing
from signaling.domain.listing import Page
from signaling.domain.meeting import Meeting
from signaling.domain.participant import Participant
from signaling.domain.preset import PresetRecord
from signaling.errors import ConflictError
from signaling.store.configurations import ANYTHING_SAID, anything_said
from signaling.store.connection import Statements
from signaling.store.dissolution import of_somebody
from signaling.store.listing import Listing
from signaling.store.meetings import THIS_MEETING, read_meeting
from signaling.store.prepared import Prepared
from signaling.store.presets import read_preset
from signaling.store.rows import values_of
from signaling.store.tables import meetings, participants, presets

_THIS = (
    participants.c.organization_id == bindparam("organization"),
    participants.c.meeting_id == bindparam("meeting"),
    participants.c.id == bindparam("participant"),
)
_GET: Final = Prepared(select(participants).where(*_THIS))
_ADD: Final = Prepared(insert(participants).values({one.key: bindparam(one.key) for one in participants.c}))
KNOWN_AS: Final = (
    select(participants)
    .where(
        participants.c.organization_id == bindparam("organization"),
        participants.c.meeting_id == bindparam("meeting"),
        participants.c.custom_participant_id == bindparam("custom"),
    )
    .order_by(participants.c.created_at, participants.c.id)
)
_WITH_ITS_OWN: Final = Prepared(
    select(participants, meetings, presets)
    .join(
        meetings,
        (meetings.c.organization_id == participants.c.organization_id)
        & (meetings.c.id == participants.c.meeting_id),
    )
    .outerjoin(
        presets,
        (presets.c.organization_id == participants.c.organization_id)
        & (presets.c.name == participants.c.preset_name),
    )
    .where(*_THIS, of_somebody(participants.c.organization_id))
)
_WITH_MEETING: Final = Prepared(
    select(participants, meetings, anything_said(participants.c.organization_id))
    .join(
        meetings,
        (meetings.c.organization_id == participants.c.organization_id)
        & (meetings.c.id == participants.c.meeting_id),
    )
    .where(*_THIS)
)
_TO_ADD: Final = Prepared(
    select(
        meetings,
        exists().where(
            presets.c.organization_id == bindparam("organization"), presets.c.name == bindparam("preset")
        ),
        ANYTHING_SAID,
    ).where(*THIS_MEETING)
)
_OWN, _MEETINGS, _PRESETS = (tuple(table.c.keys()) for table in (participants, meetings, presets))
_LISTING = Listing(participants, participants.c.id, lambda row: Participant(**row))


class SqlParticipants:
    def __init__(self, db: Statements) -> None:
        self._db = db

    async def get(self, organization_id: str, meeting_id: str, participant_id: str) -> Participant | None:
        wanted = {"organization": organization_id, "meeting": meeting_id, "participant": participant_id}
        rows = await self._db.rows(_GET, wanted)
        return _read(dict(zip(_OWN, rows[0], strict=True))) if rows else None

    async def with_its_own(
        self, organization_id: str, meeting_id: str, participant_id: str
    ) -> tuple[Participant, Meeting, PresetRecord | None] | None:
        wanted = {"organization": organization_id, "meeting": meeting_id, "participant": participant_id}
        rows = await self._db.rows(_WITH_ITS_OWN, wanted)
        if not rows:
            return None
        values = iter(rows[0])
        own, meeting, preset = (
            {name: next(values) for name in names} for names in (_OWN, _MEETINGS, _PRESETS)
        )
        return (
            _read(own),
            read_meeting(meeting),
            None if preset["id"] is None else read_preset(preset),
        )

    async def with_meeting(
        self, organization_id: str, meeting_id: str, participant_id: str
    ) -> tuple[Participant, Meeting, bool] | None:
        wanted = {"organization": organization_id, "meeting": meeting_id, "participant": participant_id}
        rows = await self._db.rows(_WITH_MEETING, wanted)
        if not rows:
            return None
        values = iter(rows[0])
        own, meeting = ({name: next(values) for name in names} for names in (_OWN, _MEETINGS))
        return _read(own), read_meeting(meeting), next(values)

    async def to_add(
        self, organization_id: str, meeting_id: str, preset_name: str
    ) -> tuple[Meeting, bool, bool] | None:
        wanted = {"organization": organization_id, "meeting": meeting_id, "preset": preset_name}
        rows = await self._db.rows(_TO_ADD, wanted)
        if not rows:
            return None
        values = iter(rows[0])
        meeting = read_meeting({name: next(values) for name in _MEETINGS})
        return meeting, next(values), next(values)

    async def add(self, participant: Participant) -> None:
        complaint = f"There is a participant {participant.id!r} already."
        try:
            await self._db.rows(_ADD, values_of(participant))
        except IntegrityError:
            raise ConflictError(complaint) from None

    async def save(self, participant: Participant) -> None:
        await self._db.execute(update(participants).where(*_same(participant)).values(values_of(participant)))

    async def remove(self, participant: Participant) -> None:
        await self._db.execute(delete(participants).where(*_same(participant)))

    async def known_as(
        self, organization_id: str, meeting_id: str, custom_participant_id: str
    ) -> Sequence[Participant]:
        wanted = {"organization": organization_id, "meeting": meeting_id, "custom": custom_participant_id}
        return [_participant(row) for row in await self._db.execute(KNOWN_AS, wanted)]

    async def list(
        self, organization_id: str, meeting_id: str, *, offset: int = 0, limit: int = 20
    ) -> tuple[Sequence[Participant], int]:
        where = (
            participants.c.organization_id == organization_id,
            participants.c.meeting_id == meeting_id,
        )
        return await _LISTING.page(self._db, where, participants.c.created_at, Page(offset, limit))


def _same(participant: Participant) -> tuple[ColumnElement[bool], ...]:
    return (
        participants.c.organization_id == participant.organization_id,
        participants.c.meeting_id == participant.meeting_id,
        participants.c.id == participant.id,
    )


def _participant(row: Row[Any]) -> Participant:
    return _read(row._mapping)


def _read(values: Mapping[str, Any] | RowMapping) -> Participant:
    return Participant(**{**values, "standing": Standing(values["standing"])})
