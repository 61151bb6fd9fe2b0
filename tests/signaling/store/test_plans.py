"""Lists come from an index: what SQLite does for each, as it would tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult, text

from signaling.domain.join_policy import ListPolicy
from signaling.domain.listing import EVERY_MEETING, MeetingFilter
from signaling.domain.meeting import MeetingStatus
from signaling.domain.reach import EVERYTHING_SEEN, Sight
from signaling.domain.time_range import TimeRange
from signaling.services.ports.webhooks import DeliveryFilter
from signaling.store.api_keys import SqlApiKeys
from signaling.store.connection import Statements
from signaling.store.meetings import SqlMeetings
from signaling.store.organizations import SqlOrganizations
from signaling.store.outbox import SqlDeliveries
from signaling.store.participants import SqlParticipants
from signaling.store.presets import SqlPresets
from signaling.store.sessions import SqlSessions
from signaling.store.units import SqlUnits
from signaling.store.users import SqlUsers
from signaling.store.webhooks import SqlWebhooks
from signaling.testing import MemoryStore
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.values import at

ACME = replace(values.organization(), id="org")
UNIT = replace(values.unit(ACME, "hospital"), id="unit", path=("unit",))
MEETING = replace(
    values.meeting(ACME), id="meeting", unit_id="unit", unique_name="weekly", list_policy=ListPolicy.PUBLIC
)
PARTICIPANT = values.participant(MEETING)
USER = values.user()
WEBHOOK = values.webhook(ACME)
SESSION = values.session(MEETING)
SPAN = TimeRange(at(-10), at(100))


@dataclass
class Watched:
    """The statements of a repository, with what SQLite would do for each."""

    db: Statements
    plans: list[list[str]] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        return self.db.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        await self._explain(statement, parameters)
        return await self.db.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        await self._explain(statement, parameters)
        return await self.db.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        await self._explain(statement, parameters)
        return await self.db.scalars(statement, parameters)

    async def _explain(self, statement: Any, parameters: Any) -> None:
        bound = statement.params(**parameters) if parameters else statement
        written = bound.compile(dialect=self.dialect, compile_kwargs={"literal_binds": True})
        rows = await self.db.execute(text(f"EXPLAIN QUERY PLAN {str(written).replace(':', chr(92) + ':')}"))
        self.plans.append([row.detail for row in rows])


List = Callable[[Watched], Awaitable[tuple[Any, int]]]


async def of_one_person(db: Watched) -> tuple[Any, int]:
    found = await SqlParticipants(db).known_as("org", "meeting", PARTICIPANT.custom_participant_id)
    return found, len(found)


def meetings(which: MeetingFilter = EVERY_MEETING, sight: Sight = EVERYTHING_SEEN) -> List:
    return lambda db: SqlMeetings(db).list("org", which, sight=sight)


IN_ORDER: dict[str, List] = {
    "meetings": meetings(),
    "meetings of a unit": meetings(MeetingFilter(unit_id="unit")),
    "meetings within a unit": meetings(sight=Sight("unit")),
    "meetings that are active": meetings(MeetingFilter(status=MeetingStatus.ACTIVE)),
    "meetings for who may only look": meetings(sight=Sight(None, private=False)),
    "meetings of some time": meetings(MeetingFilter(created=SPAN)),
    "participants": lambda db: SqlParticipants(db).list("org", "meeting"),
    "presets": lambda db: SqlPresets(db).list("org"),
    "presets by name": lambda db: SqlPresets(db).list("org", search="host"),
    "organizations": lambda db: SqlOrganizations(db).list(),
    "organizations by name": lambda db: SqlOrganizations(db).list(search="acme"),
    "units": lambda db: SqlUnits(db).list("org"),
    "units within a unit": lambda db: SqlUnits(db).list("org", within="unit"),
    "keys": lambda db: SqlApiKeys(db).list("org"),
    "members": lambda db: SqlUsers(db).members("org"),
    "members by name": lambda db: SqlUsers(db).members("org", search="ada"),
    "webhooks": lambda db: SqlWebhooks(db).list("org"),
    "deliveries": lambda db: SqlDeliveries(db).list("org", DeliveryFilter()),
    "deliveries to a webhook": lambda db: SqlDeliveries(db).list(
        "org", DeliveryFilter(webhook_id=WEBHOOK.id)
    ),
    "deliveries of a session": lambda db: SqlDeliveries(db).list(
        "org", DeliveryFilter(session_id=SESSION.id)
    ),
}
"""A page of these comes from an index that has its order."""
SORTED: dict[str, List] = {
    "meetings with a name": meetings(MeetingFilter(unique_name="weekly")),
    "participants with a custom id": of_one_person,
    "keys within a unit": lambda db: SqlApiKeys(db).list("org", within="unit"),
    "members within a unit": lambda db: SqlUsers(db).members("org", within="unit"),
}
"""Of these what an index found may be sorted."""
LISTS = IN_ORDER | SORTED


@pytest.fixture
async def store() -> MemoryStore:
    """With one of each: of what is not there, no page is read."""
    store = MemoryStore()
    async with store() as uow:
        await uow.organizations.add(ACME)
        await uow.units.add(UNIT)
        await uow.meetings.add(MEETING)
        await uow.participants.add(PARTICIPANT)
        await uow.presets.add(values.preset(ACME))
        await uow.users.add(USER)
        await uow.users.add_membership(values.membership(USER, ACME, "member", UNIT))
        await uow.api_keys.add(replace(values.api_key(ACME), unit_id="unit"))
        await uow.webhooks.add(WEBHOOK)
        await uow.deliveries.add(values.deliveries(SESSION, WEBHOOK))
        await uow.commit()
    return store


@pytest.mark.parametrize("name", LISTS)
async def test_no_list_walks_through_a_whole_table(store: MemoryStore, name: str) -> None:
    async with statements(store) as db:
        watched = Watched(db)
        found, total = await LISTS[name](watched)
    assert found and total, "there is a page to look at"
    steps = [step for plan in watched.plans for step in plan]
    assert steps
    for step in steps:
        assert not step.startswith("SCAN") or step == "SCAN page", step
    if name in IN_ORDER:
        for plan in watched.plans:
            cut = plan[: plan.index("SCAN page")] if "SCAN page" in plan else plan
            assert not [step for step in cut if "TEMP B-TREE" in step], plan


@pytest.mark.parametrize(
    ("name", "column"), [("deliveries to a webhook", "webhook_id"), ("deliveries of a session", "session_id")]
)
async def test_what_few_deliveries_have_finds_them_and_not_their_organization(
    store: MemoryStore, name: str, column: str
) -> None:
    async with statements(store) as db:
        watched = Watched(db)
        await LISTS[name](watched)
    index = f"USING INDEX ix_webhook_deliveries_{column}_seq"
    assert all(any(index in step for step in plan) for plan in watched.plans), watched.plans


async def test_what_is_to_be_archived_is_found_without_looking_at_what_was(store: MemoryStore) -> None:
    async with statements(store) as db:
        watched = Watched(db)
        await SqlSessions(watched).settled(before=at(100), elsewhere=["other"], limit=10)
    ((first, *others),) = watched.plans
    assert "ix_sessions_unarchived" in first, first
    assert any("ix_webhook_deliveries_waiting" in step for step in others), others
    assert not [step for step in others if "TEMP B-TREE" in step or step.startswith("SCAN")], others
