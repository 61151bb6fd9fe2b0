"""Whoever is limited to a unit gets no further than its meetings, in whatever rendering."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.domain.caller import EVERYTHING, Scope
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


async def test_configuration_of_units_is_for_their_own_and_those_above(world: World) -> None:
    made = await wards(world)
    world.unit_id = made.units["hospital"]
    base = f"/v2/orgs/{world.organization_id}"
    body = {"configuration": {"profile": "clinic"}}
    for unit, status in (("hospital", 200), ("ward", 200), ("office", 404)):
        path = f"{base}/units/{made.units[unit]}/configuration"
        assert (await world.call("GET", path)).status == status, unit
        assert (await world.call("PATCH", path, body)).status == status, unit


@pytest.mark.parametrize("which", ["office", "nobody's", "its own"])
async def test_no_operation_reaches_a_meeting_of_another_unit(world: World, which: str) -> None:
    """But for its own every one is 404; and none that names no meeting is let through without looking."""
    made = await wards(world)
    own = made.meetings["ward" if which == "its own" else which]
    session = await world.session(own)
    names = {"meeting_id": own, "room_id": own, "session_id": session.id, "room_session_id": session.id}
    world.unit_id = made.units["hospital"]
    tried = 0
    for operation in world.operations:
        if not _of_meetings(operation) or operation.within_unit or operation.method == "DELETE":
            continue
        known = names | {"account_id": world.organization_id, "app_id": world.organization_id}
        path = operation.path.format(**dict.fromkeys(operation.parameters, "unknown") | known)
        answer = await world.call(operation.method, path, body_of(operation))
        if not names.keys() & set(operation.parameters):
            assert answer.status == 403, (operation.name, answer.body)
        elif which != "its own":
            assert answer.status == 404, (operation.name, answer.body)
            assert own in str(answer.body) or session.id in str(answer.body), operation.name
        tried += 1
    assert tried > 25


def _of_meetings(operation: Operation) -> bool:
    return isinstance(operation.access, Scope) and operation.access.partition(":")[0] in OF_MEETINGS


async def test_who_is_limited_to_no_unit_reaches_everything(world: World) -> None:
    made = await wards(world)
    world.scopes = EVERYTHING
    for meeting_id in made.meetings.values():
        assert (await world.call("GET", f"/v2/meetings/{meeting_id}")).status == 200
