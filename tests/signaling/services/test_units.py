from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.unit import MAX_DEPTH, UnitNode
from signaling.errors import (
    ConflictError,
    ForbiddenError,
    LimitExceededError,
    NotFoundError,
    PreconditionFailedError,
)
from signaling.ids import new_uuid
from tests.signaling import values
from tests.signaling.services.tenancy_world import TenancyWorld


@pytest.fixture
async def world() -> TenancyWorld:
    return await TenancyWorld.new()


async def test_units_make_a_tree_that_moves_as_a_whole(world: TenancyWorld) -> None:
    units, acme = world.tenancy.units, world.acme.id
    sales, support = await world.unit("Sales"), await world.unit("Support")
    north = await world.unit("North", sales)
    oslo = await world.unit("Oslo", north)
    moved = await units.change(world.admin, acme, north.id, parent_id=support.id, name="Far north")
    assert moved.path == (support.id, north.id)
    assert (await units.get(world.admin, acme, oslo.id)).path == (support.id, north.id, oslo.id)
    top = await units.change(world.admin, acme, north.id, parent_id=None)
    assert top.path == (north.id,) and top.name == "Far north"
    assert [shape(node) for node in await units.tree(world.admin, acme)] == [
        ("Far north", [("Oslo", [])]),
        ("Sales", []),
        ("Support", []),
    ]


def shape(node: UnitNode) -> tuple[str, list[object]]:
    return node.unit.name, [shape(child) for child in node.children]


async def test_a_unit_never_hangs_below_itself_nor_too_deep(world: TenancyWorld) -> None:
    units, acme = world.tenancy.units, world.acme.id
    chain = [await world.unit("1")]
    for depth in range(2, MAX_DEPTH + 1):
        chain.append(await world.unit(str(depth), chain[-1]))
    for below in (chain[0], chain[1], chain[-1]):
        with pytest.raises(ConflictError):
            await units.change(world.admin, acme, chain[0].id, parent_id=below.id)
    with pytest.raises(LimitExceededError):
        await world.unit("too deep", chain[-1])
    top = await world.unit("top")
    with pytest.raises(LimitExceededError):
        await units.change(world.admin, acme, chain[0].id, parent_id=top.id)


async def test_a_unit_goes_when_nothing_belongs_to_it(world: TenancyWorld) -> None:
    units, acme = world.tenancy.units, world.acme.id
    sales = await world.unit("Sales")
    north = await world.unit("North", sales)
    meeting = replace(values.meeting(world.acme), unit_id=north.id)
    async with world.store() as uow:
        await uow.meetings.add(meeting)
        await uow.commit()
    for owner in (sales, north):
        with pytest.raises(ConflictError):
            await units.remove(world.admin, acme, owner.id)
    async with world.store() as uow:
        await uow.meetings.save(replace(meeting, unit_id=None))
        await uow.commit()
    with pytest.raises(PreconditionFailedError):
        await units.remove(world.admin, acme, north.id, if_version={2})
    await units.remove(world.admin, acme, north.id, if_version={1})
    await units.remove(world.admin, acme, sales.id)
    assert await units.list(world.admin, acme) == ([], 0)


async def test_another_organizations_units_are_not_there(world: TenancyWorld) -> None:
    units, acme = world.tenancy.units, world.acme.id
    sales = await world.unit("Sales")
    for refused in (
        units.list(world.rival_admin, acme),
        units.tree(world.rival_admin, acme),
        units.get(world.rival_admin, acme, sales.id),
        units.get(world.rival_admin, world.rival.id, sales.id),
        units.create(world.rival_admin, acme, name="Mine"),
        units.create(world.rival_admin, world.rival.id, name="Mine", parent_id=sales.id),
        units.change(world.rival_admin, acme, sales.id, name="Mine"),
        units.remove(world.rival_admin, acme, sales.id),
        units.get(world.admin, acme, new_uuid()),
    ):
        with pytest.raises(NotFoundError):
            await refused


async def test_who_administers_a_unit_has_it_and_what_is_below_it(world: TenancyWorld) -> None:
    units, acme = world.tenancy.units, world.acme.id
    sales, support = await world.unit("Sales"), await world.unit("Support")
    caller = world.limited(sales)
    north = await units.create(caller, acme, name="North")
    assert north.path == (sales.id, north.id)
    assert (await units.list(caller, acme))[0] == [north, sales]
    assert [shape(node) for node in await units.tree(caller, acme)] == [("Sales", [("North", [])])]
    await units.change(caller, acme, sales.id, description="Ours")
    for refused in (
        units.get(caller, acme, support.id),
        units.create(caller, acme, name="Beside", parent_id=support.id),
        units.change(caller, acme, north.id, parent_id=support.id),
    ):
        with pytest.raises(NotFoundError):
            await refused
    for refused in (
        units.change(caller, acme, sales.id, parent_id=north.id),
        units.change(caller, acme, north.id, parent_id=None),
        units.remove(caller, acme, sales.id),
    ):
        with pytest.raises(ForbiddenError):
            await refused
