"""Whoever is limited to a unit gets no further than its meetings, in whatever rendering."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.domain.caller import EVERYTHING, Scope
from signaling.ids import new_uuid
from signaling.rest.operation import Operation
from tests.signaling import values
from tests.signaling.rest.test_operations import body_of
from tests.signaling.rest.world import ON_BOTH, World

OF_MEETINGS = {"meetings", "participants", "sessions"}


class Wards:
    """hospital, in it ward; beside them office. Each has a meeting, and one belongs to nobody."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}
        self.meetings: dict[str, str] = {}


async def wards(world: World, **meeting: Any) -> Wards:
    made = Wards()
    async with world.database() as uow:
        organization = await uow.organizations.get(world.organization_id)
        assert organization is not None
        hospital = values.unit(organization, "hospital")
        ward, office = values.unit(organization, "ward", hospital), values.unit(organization, "office")
        for unit in (hospital, ward, office):
            await uow.units.add(unit)
            made.units[unit.name] = unit.id
        await uow.commit()
    for name, unit_id in made.units.items():
        made.meetings[name] = (await world.meeting(title=name, unit_id=unit_id, **meeting))["id"]
    made.meetings["nobody's"] = (await world.meeting(title="nobody's", **meeting))["id"]
    return made


async def titles(world: World, path: str = "/v2/meetings") -> set[str]:
    return {one["title"] for one in (await world.call("GET", path)).data}


@ON_BOTH
async def test_a_list_shows_the_unit_and_what_is_below_it(world: World) -> None:
    made = await wards(world)
    world.unit_id = made.units["hospital"]
    assert await titles(world) == {"hospital", "ward"}
    world.unit_id = made.units["ward"]
    assert await titles(world) == {"ward"}
    assert await titles(world, f"/v2/meetings?unit_id={made.units['hospital']}") == set()


@ON_BOTH
async def test_public_meetings_are_seen_by_all_units_and_touched_by_none_but_their_own(world: World) -> None:
    made = await wards(world, list_policy="PUBLIC")
    world.unit_id = made.units["office"]
    assert await titles(world) == {"hospital", "ward", "office", "nobody's"}
    path = f"/v2/meetings/{made.meetings['ward']}"
    assert (await world.call("GET", path)).status == 200
    assert (await world.call("GET", path + "/participants")).status == 404
    assert (await world.call("PATCH", path, {"title": "ours"})).status == 404


@ON_BOTH
@pytest.mark.parametrize("collection", ["/v2/meetings", "/v2/rooms"])
async def test_other_units_do_not_see_where_public_meetings_send_what(world: World, collection: str) -> None:
    said = {
        "webhook_event_url": "https://hospital.example/?key=1",
        "webhook_event_failover_url": "https://other.example/?key=1",
        "recording_config": {"live_streaming_config": {"rtmp_url": "rtmp://live.example/key"}},
    }
    made = await wards(world, list_policy="PUBLIC", **said)
    ward = made.meetings["ward"]
    for unit, shown in (("ward", True), ("hospital", True), ("office", False)):
        world.unit_id = made.units[unit]
        listed = (await world.call("GET", collection)).body["data"]
        read = (await world.call("GET", f"{collection}/{ward}")).body["data"]
        assert {name for name in said if read.get(name)} == ({*said} & read.keys() if shown else set()), unit
        (same,) = (one for one in listed if one["id"] == ward)
        assert all(same[name] == read[name] for name in {*said} & read.keys()), unit


async def test_who_may_only_look_does_not_see_private_meetings_in_lists(world: World) -> None:
    await wards(world, list_policy="PRIVATE")
    assert len(await titles(world)) > 3
    world.scopes = frozenset({Scope.MEETINGS_READ})
    assert not await titles(world) & {"hospital", "ward", "office", "nobody's"}


async def test_what_is_made_belongs_to_the_unit_and_cannot_leave_it(world: World) -> None:
    made = await wards(world)
    world.unit_id = made.units["hospital"]
    own = await world.call("POST", "/v2/meetings", {"title": "new"})
    assert own.data["unit_id"] == made.units["hospital"]
    path = f"/v2/meetings/{own.data['id']}"
    assert (await world.call("PATCH", path, {"unit_id": made.units["ward"]})).status == 200
    for unit_id in (made.units["office"], None):
        moved = await world.call("PATCH", path, {"unit_id": unit_id})
        assert (moved.status, moved.error["field"]) == (422, "unit_id")
        placed = await world.call("POST", "/v2/meetings", {"unit_id": unit_id})
        assert (placed.status, placed.error["field"]) == (422, "unit_id")
    assert (await world.call("PUT", path, {})).data["unit_id"] == made.units["hospital"]


@ON_BOTH
@pytest.mark.asvs("8.2.2")
async def test_who_is_limited_to_a_unit_gives_participants_no_other(world: World) -> None:
    made, nowhere = await wards(world), new_uuid()
    path = f"/v2/meetings/{made.meetings['ward']}/participants"
    of_office = await world.participant(made.meetings["ward"], unit_id=made.units["office"])
    world.unit_id = made.units["hospital"]
    wanted = {"preset_name": "group_call_host", "custom_participant_id": "ada"}
    refused = [
        await world.call("POST", path, wanted | {"unit_id": one}) for one in (made.units["office"], nowhere)
    ]
    assert [(one.status, one.error["field"]) for one in refused] == [(422, "unit_id")] * 2
    there, not_there = (one.error["message"] for one in refused)
    assert there.replace(made.units["office"], nowhere) == not_there, (
        "nobody learns that there is such a unit"
    )
    for own in (made.units["hospital"], made.units["ward"], None):
        ada = (await world.call("POST", path, wanted | {"unit_id": own})).data
        assert ada["unit_id"] == own
        moved = await world.call("PATCH", f"{path}/{ada['id']}", {"unit_id": made.units["office"]})
        assert (moved.status, moved.error["field"]) == (422, "unit_id")
        assert (await world.call("PATCH", f"{path}/{ada['id']}", {"unit_id": world.unit_id})).status == 200
    kept = {"name": "Bob", "unit_id": of_office["unit_id"]}
    renamed = await world.call("PATCH", f"{path}/{of_office['id']}", kept)
    assert (renamed.status, renamed.data["unit_id"]) == (200, made.units["office"]), "it stays what it was"


async def test_configuration_of_units_is_for_their_own_and_those_above(world: World) -> None:
    made = await wards(world)
    world.unit_id = made.units["hospital"]
    base = f"/v2/orgs/{world.organization_id}"
    body = {"configuration": {"default_guest_preset": "clinic"}}
    for unit, status in (("hospital", 200), ("ward", 200), ("office", 404)):
        path = f"{base}/units/{made.units[unit]}/configuration"
        assert (await world.call("GET", path)).status == status, unit
        assert (await world.call("PATCH", path, body)).status == status, unit


@pytest.mark.parametrize("which", ["office", "nobody's", "its own"])
async def test_no_operation_reaches_a_meeting_of_another_unit(world: World, which: str) -> None:
    """But for its own every one is 404."""
    made = await wards(world)
    own = made.meetings["ward" if which == "its own" else which]
    session = await world.session(own)
    peer = (await world.attendance(session)).peer_id
    names = {"meeting_id": own, "room_id": own, "session_id": session.id, "room_session_id": session.id}
    names |= {"peer_id": peer, "room_participant_id": peer}
    world.unit_id = made.units["hospital"]
    tried = 0
    for operation in world.operations:
        if not _of_meetings(operation) or operation.within_unit or operation.method == "DELETE":
            continue
        known = names | {"account_id": world.organization_id, "app_id": world.organization_id}
        path = operation.path.format(**dict.fromkeys(operation.parameters, "unknown") | known)
        answer = await world.call(operation.method, path, body_of(operation))
        assert names.keys() & set(operation.parameters), f"{operation.name}: say what of it is of a unit"
        if which != "its own":
            assert answer.status == 404, (operation.name, answer.body)
            assert any(one in str(answer.body) for one in names.values()), operation.name
        tried += 1
    assert tried > 25


ACROSS_MEETINGS = {
    "/v2/sessions": lambda data: {one["id"] for one in data["sessions"]},
    "/v2/room_sessions": lambda data: {one["id"] for one in data},
    "/v2/room_participants": lambda data: {one["session_id"] for one in data},
}


async def test_lists_across_meetings_have_what_is_of_the_unit(world: World) -> None:
    made = await wards(world)
    of_unit = {}
    for name, meeting_id in made.meetings.items():
        session = await world.session(meeting_id)
        await world.attendance(session)
        of_unit[name] = session.id
    for unit, seen in (
        (None, set(of_unit)),
        ("hospital", {"hospital", "ward"}),
        ("ward", {"ward"}),
    ):
        world.unit_id = made.units[unit] if unit else None
        for path, ids in ACROSS_MEETINGS.items():
            answer = await world.call("GET", path)
            assert answer.status == 200, answer.body
            assert ids(answer.body["data"]) == {of_unit[name] for name in seen}, (unit, path)
            total = answer.body.get("paging") or answer.body.get("meta")
            assert len(seen) in total.values()
    foreign = await world.call("GET", f"/v2/room_participants?filter[session_id]={of_unit['office']}")
    assert foreign.status == 404


async def test_sessions_are_asked_for_by_unit(world: World) -> None:
    made = await wards(world)
    for meeting_id in made.meetings.values():
        await world.session(meeting_id)
    ward, hospital, office = (made.units[name] for name in ("ward", "hospital", "office"))
    world.unit_id = hospital
    for query, found in (
        (f"unit_id={hospital}", 1),
        (f"unit_id={hospital}&include_units_below=true", 2),
        (f"unit_id={ward}", 1),
    ):
        answer = await world.call("GET", f"/v2/sessions?{query}")
        assert len(answer.data["sessions"]) == found, query
    assert (await world.call("GET", f"/v2/sessions?unit_id={office}")).status == 404


async def test_sessions_stay_with_the_unit_that_they_were_of(world: World) -> None:
    """A meeting that moves takes nothing of its past along, and whoever let it go has no say any more."""
    made = await wards(world)
    meeting_id = made.meetings["office"]
    session = await world.session(meeting_id)
    peer = (await world.attendance(session)).peer_id
    moved = await world.call("PATCH", f"/v2/meetings/{meeting_id}", {"unit_id": made.units["ward"]})
    assert moved.status == 200
    looks = (
        f"/v2/sessions/{session.id}",
        f"/v2/sessions/peer-report/{peer}",
        f"/v2/room_participants/{peer}",
    )
    for unit, status in (("office", 200), ("ward", 404)):
        world.unit_id = made.units[unit]
        for path in looks:
            assert (await world.call("GET", path)).status == status, (unit, path)
        ended = await world.call("POST", f"/v2/room_sessions/{session.id}/actions/end")
        assert ended.status == 404, unit
    rooms = (await world.call("GET", "/v2/rooms?include_sessions=true")).body["data"]
    assert [one["sessions"] for one in rooms if one["id"] == meeting_id] == [[]]
    assert (await world.call("GET", f"/v2/rooms/{meeting_id}/sessions")).body["data"] == []


async def test_an_operation_that_does_not_say_what_is_of_a_unit_takes_nobody_of_one(world: World) -> None:
    made = await wards(world)
    world.unit_id = made.units["ward"]
    sessions = next(one for one in world.operations if one.name == "listSessions")
    object.__setattr__(sessions, "within_unit", False)
    assert (await world.call("GET", "/v2/sessions")).status == 403


def _of_meetings(operation: Operation) -> bool:
    return isinstance(operation.access, Scope) and operation.access.partition(":")[0] in OF_MEETINGS


async def test_who_is_limited_to_no_unit_reaches_everything(world: World) -> None:
    made = await wards(world)
    world.scopes = EVERYTHING
    for meeting_id in made.meetings.values():
        assert (await world.call("GET", f"/v2/meetings/{meeting_id}")).status == 200
