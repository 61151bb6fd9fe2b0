from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.plan import PLANS, Feature, PlanName, features_of
from signaling.errors import (
    ConflictError,
    FeatureDisabledError,
    ForbiddenError,
    NotFoundError,
    PlanLimitError,
    PreconditionFailedError,
    ValidationFailedError,
)
from tests.signaling.services.tenancy_world import TenancyWorld


@pytest.fixture
async def world() -> TenancyWorld:
    return await TenancyWorld.new()


async def test_the_platform_makes_organizations_with_presets_and_a_key(world: TenancyWorld) -> None:
    made = await world.tenancy.organizations.create(world.platform, name="New", feature_flags=("-chat",))
    caller = await world.authenticator.caller(f"Bearer {made.api_key}")
    assert caller.organization_id == made.organization.id and not caller.platform
    assert Feature.CHAT not in features_of(made.organization)
    async with world.store(reading=True) as uow:
        assert await uow.presets.by_name(made.organization.id, "group_call_host") is not None
    with pytest.raises(ConflictError):
        await world.tenancy.organizations.create(world.platform, name="New")
    with pytest.raises(ForbiddenError):
        await world.tenancy.organizations.create(world.admin, name="Mine")
    with pytest.raises(ValidationFailedError):
        await world.tenancy.organizations.create(world.platform, name="Odd", feature_flags=("teleport",))


async def test_an_organization_sees_itself_and_its_apps_and_the_platform_everything(
    world: TenancyWorld,
) -> None:
    organizations, apps = world.tenancy.organizations, world.tenancy.apps
    staging = await apps.create(world.admin, world.acme.id, "staging")
    assert await organizations.list(world.admin) == ([world.acme], 1)
    assert (await organizations.list(world.platform))[1] == 2
    assert await organizations.get(world.admin, staging.id) == staging
    of_the_app = replace(world.admin, organization_id=staging.id)
    for caller, hidden in (
        (world.rival_admin, world.acme.id),
        (world.rival_admin, staging.id),
        (of_the_app, world.acme.id),
    ):
        with pytest.raises(NotFoundError):
            await organizations.get(caller, hidden)
        with pytest.raises(NotFoundError):
            await organizations.change(caller, hidden, name="Stolen")
        with pytest.raises(NotFoundError):
            await apps.list(caller, hidden)
        with pytest.raises(NotFoundError):
            await apps.create(caller, hidden, "mine")


async def test_an_organization_changes_itself_but_not_its_plan(world: TenancyWorld) -> None:
    organizations = world.tenancy.organizations
    changed = await organizations.change(
        world.admin, world.acme.id, if_version={1}, contact="ada@example.org"
    )
    assert (changed.contact, changed.version) == ("ada@example.org", 2)
    with pytest.raises(PreconditionFailedError):
        await organizations.change(world.admin, world.acme.id, if_version={1}, contact=None)
    with pytest.raises(ForbiddenError):
        await organizations.change(world.admin, world.acme.id, plan=PlanName.UNLIMITED)
    with pytest.raises(ForbiddenError):
        await organizations.change(world.admin, world.acme.id, feature_flags=("recording",))
    with pytest.raises(ConflictError):
        await organizations.change(world.admin, world.acme.id, name="Rival")


async def test_apps_have_the_plan_of_their_organization_also_when_it_changes(world: TenancyWorld) -> None:
    organizations, apps = world.tenancy.organizations, world.tenancy.apps
    staging = await apps.create(world.admin, world.acme.id, "staging")
    await organizations.change(
        world.platform, world.acme.id, plan=PlanName.STARTER, feature_flags=("-chat", "apps")
    )
    again = await organizations.get(world.admin, staging.id)
    assert (again.plan, again.feature_flags) == (PlanName.STARTER, ("-chat", "apps"))
    with pytest.raises(ConflictError):
        await organizations.change(world.platform, staging.id, plan=PlanName.UNLIMITED)


async def test_apps_are_as_many_as_the_plan_has_room_for_each_with_a_name_of_its_own(
    world: TenancyWorld,
) -> None:
    apps = world.tenancy.apps
    room = PLANS[PlanName.STARTER].limits.apps or 0
    change = world.tenancy.organizations.change
    await change(world.platform, world.acme.id, plan=PlanName.STARTER)
    with pytest.raises(FeatureDisabledError):
        await apps.create(world.admin, world.acme.id, "staging")
    await change(world.platform, world.acme.id, feature_flags=("apps",))
    made = [await apps.create(world.admin, world.acme.id, f"app {number}") for number in range(room)]
    default, *others = await apps.list(world.admin, world.acme.id)
    assert default.id == world.acme.id and set(others) == set(made)
    with pytest.raises(PlanLimitError):
        await apps.create(world.admin, world.acme.id, "one more")
    await change(world.platform, world.acme.id, plan=PlanName.BUSINESS)
    for taken in ("app 0", world.acme.name):
        with pytest.raises(ConflictError):
            await apps.create(world.admin, world.acme.id, taken)
    with pytest.raises(ConflictError):
        await apps.create(world.platform, made[0].id, "an app of an app")
