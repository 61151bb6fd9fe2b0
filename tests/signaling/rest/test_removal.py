"""Organizations and apps that are removed, with all that was theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select

from signaling.clock import SystemClock
from signaling.domain.session import SessionStatus
from signaling.services.emptying import SETTLED, Emptying
from signaling.store.tables import attendances, meetings, metadata, organizations, sessions
from signaling.testing import FakeClock
from signaling.testing.store import statements
from tests.signaling import values
from tests.signaling.rest.test_tenancy import PASSWORD, basic
from tests.signaling.rest.world import ON_BOTH, Answer, World
from tests.support.wait import PATIENCE

pytestmark = ON_BOTH

KEPT = {one.name for one in (organizations, meetings, sessions, attendances)}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, an answer waits until what was left is gone."""
    monkeypatch.setattr("signaling.services.removal.EMPTIED_WITHIN", PATIENCE)


@dataclass
class Tenant:
    """An organization, or app, with something of everything in it."""

    id: str
    key: str
    email: str
    meeting_id: str
    participant_token: str
    session_id: str
    access: str

    @property
    def auth(self) -> str:
        return basic(self.id, self.key)

    @property
    def path(self) -> str:
        return f"/v2/orgs/{self.id}"


async def tenant(world: World, name: str = "Acme") -> Tenant:
    made = (await world.call("POST", "/v2/orgs", {"name": name})).data
    return await furnished(world, made["id"], made["apikey"])


async def app_of(world: World, owner: Tenant) -> Tenant:
    app = (await world.call("POST", f"{owner.path}/apps", {"name": "staging"}, auth=owner.auth)).data
    key = await world.call("POST", "/v2/api-keys", {"name": "CI"}, auth=basic(app["id"], owner.key))
    return await furnished(world, app["id"], key.data["key"])


async def furnished(world: World, organization_id: str, key: str) -> Tenant:
    auth = basic(organization_id, key)

    async def create(path: str, **body: object) -> dict[str, str]:
        answer = await world.call("POST", path, body, auth=auth)
        assert answer.status in (200, 201), answer.body
        made: dict[str, str] = answer.data
        return made

    unit = await create(f"/v2/orgs/{organization_id}/units", name="hospital")
    await create(f"/v2/orgs/{organization_id}/units", name="ward", parent_id=unit["id"])
    await create("/v2/webhooks", name="ours", url="https://hooks.example/", events=["meeting.started"])
    await create("/v2/api-keys", name="of the ward", unit_id=unit["id"])
    meeting = await create("/v2/meetings", title="Board", unique_name="board", unit_id=unit["id"])
    participant = await create(
        f"/v2/meetings/{meeting['id']}/participants",
        name="Grace",
        preset_name="group_call_host",
        custom_participant_id="grace",
    )
    email = f"ada@{organization_id}.example"
    invited = await create("/v2/users", email=email, name="Ada", role="organization_admin")
    await create("/v2/auth/password-token", password_token=invited["password_token"], password=PASSWORD)
    entered = await world.call("POST", "/v2/auth/login", {"email": email, "password": PASSWORD}, auth=None)
    session_id = await an_hour(world, organization_id, meeting["id"])
    return Tenant(
        organization_id,
        key,
        email,
        meeting["id"],
        participant["token"],
        session_id,
        f"Bearer {entered.data['access']['token']}",
    )


async def an_hour(world: World, organization_id: str, meeting_id: str) -> str:
    """Of one person, in a session that is over."""
    async with world.database() as uow:
        meeting = await uow.meetings.get(organization_id, meeting_id)
        assert meeting is not None
        session = values.session(meeting)
        one = replace(values.attendance(session, f"peer-of-{meeting_id}", seconds=0), context="seat 4")
        await uow.sessions.add(session)
        await uow.sessions.add_attendance(one)
        await uow.sessions.save_attendance(one.left("left", values.at(3600)))
        over = replace(session, ended_at=values.at(3600), status=SessionStatus.FINISHED)
        await uow.sessions.save(over)
        await uow.commit()
    return session.id


async def rows_of(world: World, organization_id: str) -> Mapping[str, int]:
    """By table, where there are any."""
    found = {}
    async with statements(world.database) as db:
        for table in metadata.sorted_tables:
            if "organization_id" in table.c:
                mine = select(func.count()).where(table.c.organization_id == organization_id)
                found[table.name] = await db.scalar(mine)
    return {name: count for name, count in found.items() if count}


async def usage_of(world: World, organization_id: str, key: str) -> Answer:
    path = "/v2/usage?start_date=2026-03-01&end_date=2026-03-02"
    return await world.call("GET", path, auth=basic(organization_id, key))


async def test_nobody_gets_in_any_more_and_nothing_names_anybody(world: World) -> None:
    gone, stays = await tenant(world), await tenant(world, "Beta")
    app = await app_of(world, gone)
    before = await rows_of(world, stays.id)
    assert len(before) > len(KEPT), "there is something of theirs that could be taken along"
    for one in (gone, app):
        assert (await world.call("GET", "/v2/meetings", auth=one.access)).status == 200

    removed = await world.call("DELETE", gone.path)
    assert (removed.status, removed.data["id"]) == (200, gone.id)
    for one in (gone, app):
        for auth in (one.auth, one.access, f"Bearer {one.key}", basic(one.id, gone.key)):
            assert (await world.call("GET", "/v2/meetings", auth=auth)).status == 401
        bearer = f"Bearer {one.participant_token}"
        assert (await world.call("GET", "/v2/invitation", auth=bearer)).status == 401
        assert (await world.call("GET", one.path)).status == 404
        entering = {"email": one.email, "password": PASSWORD}
        assert (await world.call("POST", "/v2/auth/login", entering, auth=None)).status == 401
        assert set(await rows_of(world, one.id)) <= KEPT
    assert await rows_of(world, stays.id) == before
    assert (await world.call("GET", "/v2/meetings", auth=stays.access)).status == 200
    assert {one["name"] for one in (await world.call("GET", "/v2/orgs")).data}.isdisjoint({"Acme", "staging"})

    text = await everything(world)
    for name in ("Board", "board", "Grace", "seat 4", gone.email):
        assert name not in text.get(gone.id, ""), name
    assert "Board" in text[stays.id]


async def everything(world: World) -> Mapping[str, str]:
    """What is still kept, by organization."""
    found: dict[str, str] = {}
    async with statements(world.database) as db:
        for table in (meetings, sessions, attendances):
            for row in (await db.execute(select(table))).mappings():
                owner = row["organization_id"]
                found[owner] = found.get(owner, "") + str(dict(row))
    return found


async def test_its_names_and_addresses_are_free_again(world: World) -> None:
    gone = await tenant(world)
    assert (await world.call("POST", "/v2/orgs", {"name": "Acme"})).status == 409
    assert (await world.call("DELETE", gone.path)).status == 200
    assert (await world.call("POST", "/v2/orgs", {"name": "Acme"})).status == 201
    again = {"email": gone.email, "name": "Ada", "role": "member"}
    assert (await world.call("POST", "/v2/users", again)).status == 201


async def test_an_account_that_is_a_member_elsewhere_stays(world: World) -> None:
    gone = await tenant(world)
    wish = {"email": gone.email, "name": "Ada", "role": "member"}
    assert (await world.call("POST", "/v2/users", wish)).status == 201
    await world.call("DELETE", gone.path)
    entering = {"email": gone.email, "password": PASSWORD}
    entered = await world.call("POST", "/v2/auth/login", entering, auth=None)
    assert entered.data["organization_id"] == world.organization_id


async def test_what_was_used_is_told_to_whoever_is_above_and_nothing_else(world: World) -> None:
    owner = await tenant(world)
    app = await app_of(world, owner)
    assert (await world.call("DELETE", f"{owner.path}/apps/{app.id}", auth=owner.auth)).status == 200
    for key in (owner.key, world.api_key):
        used = await usage_of(world, app.id, key)
        assert used.data["total"] == {
            "participant_minutes": 60.0,
            "sessions": 1,
            "peak_concurrent_participants": 1,
        }
        for path in ("/v2/meetings", "/v2/sessions", f"/v2/sessions/{app.session_id}"):
            assert (await world.call("GET", path, auth=basic(app.id, key))).status == 403
        assert (await world.call("POST", "/v2/meetings", {}, auth=basic(app.id, key))).status == 403
    assert (await usage_of(world, owner.id, owner.key)).data["total"]["participant_minutes"] == 60.0
    assert (await world.call("GET", "/v2/meetings", auth=owner.access)).status == 200


async def test_sessions_that_run_are_in_the_way_unless_it_is_forced(world: World) -> None:
    gone = await tenant(world)
    app = await app_of(world, gone)
    async with world.database() as uow:
        meeting = await uow.meetings.get(app.id, app.meeting_id)
        assert meeting is not None
        await uow.sessions.add(values.session(meeting))
        await uow.commit()
    refused = await world.call("DELETE", gone.path)
    assert refused.status == 409 and "force" in refused.error["message"]
    assert (await world.call("GET", "/v2/meetings", auth=app.auth)).status == 200
    assert ("meeting_removed", app.meeting_id) not in world.live.calls
    assert (await world.call("DELETE", gone.path + "?force=true")).status == 200
    assert ("meeting_removed", app.meeting_id) in world.live.calls
    assert (await world.call("GET", "/v2/meetings", auth=app.auth)).status == 401


async def test_a_server_that_does_not_answer_keeps_no_other_from_being_told(world: World) -> None:
    gone = await tenant(world)
    app = await app_of(world, gone)
    running = []
    async with world.database() as uow:
        for one in (gone, app):
            meeting = await uow.meetings.get(one.id, one.meeting_id)
            assert meeting is not None
            running.append(values.session(meeting))
            await uow.sessions.add(running[-1])
        inside = values.attendance(running[0], "peer-inside")
        await uow.sessions.add_attendance(inside)
        await uow.commit()
    world.live.unreachable.add(gone.meeting_id)
    assert (await world.call("DELETE", gone.path + "?force=true")).status == 503
    assert ("meeting_removed", app.meeting_id) in world.live.calls
    assert (await world.call("GET", gone.path)).status == 404, "it is done all the same"
    async with world.database() as uow:  # as that server would, when it comes back
        assert not await uow.sessions.save_attendance(inside.left("left", values.at(9)))
        assert not await uow.sessions.save(replace(running[0], meeting_title="Board"))
        session = await uow.sessions.get(running[0].id)
        (attendance,) = await uow.sessions.attendances(running[0].id)
    assert session is not None and session.end_reason == "MEETING_DELETED"
    assert (session.meeting_title, attendance.name) == (None, "")


async def test_who_removes_what(world: World) -> None:
    owner, rival = await tenant(world), await tenant(world, "Beta")
    app = await app_of(world, owner)
    own, of_app = owner.path, f"{owner.path}/apps/{app.id}"
    for path, auth, status in (
        (own, owner.auth, 403),
        (own, rival.auth, 404),
        (app.path, rival.auth, 404),
        (of_app, rival.auth, 404),
        (app.path, app.auth, 403),
        (of_app, app.auth, 404),
        (f"{own}/apps/{owner.id}", owner.auth, 409),
        (f"{own}/apps/{rival.id}", owner.auth, 404),
        (f"{rival.path}/apps/{app.id}", rival.auth, 404),
    ):
        assert (await world.call("DELETE", path, auth=auth)).status == status, path
    stale = await world.call("DELETE", of_app, auth=owner.auth, headers={"If-Match": '"7"'})
    assert stale.status == 412
    assert (await world.call("DELETE", of_app, auth=owner.auth)).status == 200
    assert (await world.call("DELETE", of_app, auth=owner.auth)).status == 404


async def test_the_platform_does_not_lose_its_keys(world: World) -> None:
    refused = await world.call("DELETE", f"/v2/orgs/{world.organization_id}")
    assert refused.status == 409 and "platform" in refused.error["message"]


async def test_one_that_is_large_is_gone_at_once_though_its_rows_go_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await tenant(world)
    monkeypatch.setattr("signaling.services.removal.EMPTIED_WITHIN", -1.0)
    assert (await world.call("DELETE", gone.path)).status == 200
    assert "participants" in await rows_of(world, gone.id), "there is something left"
    for auth in (gone.auth, gone.access, f"Bearer {gone.key}"):
        assert (await world.call("GET", "/v2/meetings", auth=auth)).status == 401
    bearer = f"Bearer {gone.participant_token}"
    assert (await world.call("GET", "/v2/invitation", auth=bearer)).status == 401
    assert (await world.call("GET", gone.path)).status == 404
    assert (await usage_of(world, gone.id, world.api_key)).data["total"]["participant_minutes"] == 60.0

    await Emptying(world.database, FakeClock(SystemClock().now() + SETTLED)).look()
    assert set(await rows_of(world, gone.id)) <= KEPT
    assert (await usage_of(world, gone.id, world.api_key)).data["total"]["participant_minutes"] == 60.0
