"""`/v2/analytics/daywise` and `/v2/usage`, of sessions on both sides of a midnight."""

from __future__ import annotations

import csv
import io

import pytest

from signaling.domain.unit import Unit
from signaling.services import analytics
from tests.signaling import values
from tests.signaling.rest.past import attended, begun, over
from tests.signaling.rest.world import ON_BOTH, World
from tests.signaling.values import NOON

pytestmark = ON_BOTH


def hours(after_noon: float) -> float:
    """Of 1 March, in seconds after `NOON`, which is a little past noon."""
    return after_noon * 3600 - NOON.microsecond / 1e6


async def furnish(world: World, unit_id: str | None = None) -> None:
    """On the first 3 hours and two at once, on the second 2, of which one without a unit."""
    night = await begun(world, (await world.meeting())["id"], hours(11), unit_id=unit_id)
    await attended(world, night, hours(10), hours(13))
    await attended(world, night, hours(11), hours(12))
    await attended(world, night, hours(11), hours(13), counted=False)
    await over(world, night, hours(13))
    day = await begun(world, (await world.meeting())["id"], hours(20))
    await attended(world, day, hours(20), hours(21))
    await over(world, day, hours(21))


async def a_unit(world: World, name: str, below: Unit | None = None) -> Unit:
    async with world.database() as uow:
        organization = await uow.organizations.get(world.organization_id)
        assert organization is not None
        unit = values.unit(organization, name, below)
        await uow.units.add(unit)
        await uow.commit()
    return unit


RANGE = "start_date=2026-03-01&end_date=2026-03-03"


async def test_minutes_are_on_the_day_they_were_used(world: World) -> None:
    await furnish(world)
    stats = (await world.call("GET", f"/v2/analytics/daywise?{RANGE}")).data["session_stats"]
    assert (stats["sessions_count"], stats["sessions_minutes_consumed"]) == (2, 300.0)
    assert [tuple(day.values()) for day in stats["day_stats"]] == [
        ("2026-03-01", 1, 180.0),
        ("2026-03-02", 2, 120.0),
        ("2026-03-03", 0, 0.0),
    ]
    second = (await world.call("GET", "/v2/usage?start_date=2026-03-02&end_date=2026-03-02")).data
    assert second["total"] == {"participant_minutes": 120.0, "sessions": 2, "peak_concurrent_participants": 1}


async def test_usage_is_told_by_day_and_by_unit_as_json_and_as_a_table(world: World) -> None:
    ward = await a_unit(world, "ward")
    await furnish(world, ward.id)
    answer = await world.call("GET", f"/v2/usage?{RANGE}&group_by=unit")
    rows = [tuple(row.values()) for row in answer.data["rows"]]
    assert rows == [
        (180.0, 1, 2, "2026-03-01", ward.id),
        (60.0, 1, 1, "2026-03-02", None),
        (60.0, 1, 1, "2026-03-02", ward.id),
    ]
    of_unit = (await world.call("GET", f"/v2/usage?{RANGE}&unit_id={ward.id}")).data
    assert of_unit["total"]["participant_minutes"] == 240.0

    table = await world.call("GET", f"/v2/usage.csv?{RANGE}&group_by=unit")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="usage-2026-03-01-2026-03-03.csv"'
    names, *lines = csv.reader(io.StringIO(table.body))
    assert names[1:] == ["day", "unit_id", "participant_minutes", "sessions", "peak_concurrent_participants"]
    assert lines[0] == [world.organization_id, "2026-03-01", ward.id, "180.0", "1", "2"]
    assert len(lines) == 3


async def test_nothing_is_lost_or_told_twice_between_portions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(world)
    busy = await begun(world, (await world.meeting())["id"], hours(14))
    for _ in range(5):
        await attended(world, busy, hours(14), hours(15))
    for portion in (1, 2, 3):
        monkeypatch.setattr(analytics, "PORTION", portion)
        total = (await world.call("GET", f"/v2/usage?{RANGE}")).data["total"]
        assert total == {"participant_minutes": 600.0, "sessions": 3, "peak_concurrent_participants": 5}


async def test_what_units_used_is_rolled_up_to_those_above_them(world: World) -> None:
    """An hour each in the hospital, in its ward, in an office, in a unit that is gone, and in none."""
    hospital = await a_unit(world, "hospital")
    ward, office = await a_unit(world, "ward", hospital), await a_unit(world, "office")
    for unit_id in (hospital.id, ward.id, office.id, "gone", None):
        session = await begun(world, (await world.meeting())["id"], hours(1), unit_id=unit_id)
        await attended(world, session, hours(1), hours(2))

    async def told(query: str) -> tuple[float, dict[str | None, float]]:
        data = (await world.call("GET", f"/v2/usage?{RANGE}&{query}")).data
        rows = {row["unit_id"]: row["participant_minutes"] for row in data["rows"]}
        return data["total"]["participant_minutes"], rows

    own = {None: 60.0, "gone": 60.0, hospital.id: 60.0, ward.id: 60.0, office.id: 60.0}
    assert await told("group_by=unit") == (300.0, own)
    rolled_up = own | {hospital.id: 120.0}
    assert await told("group_by=unit&include_units_below=true") == (300.0, rolled_up)
    of_hospital = f"unit_id={hospital.id}"
    assert (await told(of_hospital))[0] == 60.0
    below = f"{of_hospital}&include_units_below=true"
    assert await told(f"{below}&group_by=unit") == (120.0, {hospital.id: 120.0, ward.id: 60.0})
    for query, minutes in ((of_hospital, 60.0), (below, 120.0)):
        daywise = (await world.call("GET", f"/v2/analytics/daywise?{RANGE}&{query}")).data
        assert daywise["session_stats"]["sessions_minutes_consumed"] == minutes

    world.unit_id = hospital.id
    assert await told("group_by=unit") == (120.0, {hospital.id: 60.0, ward.id: 60.0})
    daywise = (await world.call("GET", f"/v2/analytics/daywise?{RANGE}")).data
    assert daywise["session_stats"]["sessions_minutes_consumed"] == 120.0
    world.unit_id = ward.id
    assert (await told("group_by=day"))[0] == 60.0
    assert await told("group_by=unit&include_units_below=true") == (60.0, {ward.id: 60.0})
    for path in ("/v2/usage", "/v2/usage.csv", "/v2/analytics/daywise"):
        assert (await world.call("GET", f"{path}?{RANGE}&{of_hospital}")).status == 404


async def test_days_are_checked(world: World) -> None:
    for query in (
        "start_date=2026-03-02&end_date=2026-03-01",
        "start_date=2026-01-01&end_date=2026-04-04",
        "start_date=1-1",
    ):
        for path in ("/v2/usage", "/v2/usage.csv", "/v2/analytics/daywise"):
            refused = await world.call("GET", f"{path}?{query}")
            assert (refused.status, refused.error["field"]) == (422, "start_date")
    assert len((await world.call("GET", "/v2/usage")).data["rows"]) == 30
    longest = await world.call("GET", "/v2/usage?start_date=2026-01-01&end_date=2026-04-03")
    assert len(longest.data["rows"]) == 93


async def test_another_organization_has_used_nothing(world: World) -> None:
    await furnish(world)
    rival = await world.other_organization()
    total = (await world.call("GET", f"/v2/usage?{RANGE}", auth=rival)).data["total"]
    assert total == {"participant_minutes": 0.0, "sessions": 0, "peak_concurrent_participants": 0}
