from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.caller import Scope
from signaling.domain.role import Role
from signaling.errors import (
    ConflictError,
    ForbiddenError,
    InvalidTokenError,
    NotFoundError,
    PlanLimitError,
    PreconditionFailedError,
    ValidationFailedError,
)
from signaling.services.users import Invitation
from tests.signaling.services.tenancy_world import ADDRESS, PASSWORD, TenancyWorld


@pytest.fixture
async def world() -> TenancyWorld:
    return await TenancyWorld.new()


@pytest.mark.asvs("8.2.1")
async def test_nobody_gives_a_role_with_rights_that_they_have_not(world: TenancyWorld) -> None:
    users = world.tenancy.users
    sales = await world.unit("Sales")
    ada = Invitation("ada@example.org", "Ada", Role.ORGANIZATION_ADMIN)
    for caller, wish in (
        (world.admin, replace(ada, role=Role.PLATFORM_ADMIN)),
        (world.limited(sales), ada),
        (replace(world.admin, scopes=frozenset({Scope.USERS_WRITE})), replace(ada, role=Role.MEMBER)),
    ):
        with pytest.raises((ForbiddenError, ValidationFailedError)):
            await users.invite(caller, wish)
    await users.invite(world.admin, ada)


@pytest.mark.asvs("8.2.2")
async def test_who_administers_a_unit_sees_and_changes_only_its_people(world: TenancyWorld) -> None:
    users = world.tenancy.users
    sales, support = await world.unit("Sales"), await world.unit("Support")
    north = await world.unit("North", sales)
    boss = await world.user("boss@example.org")
    ada = await world.user("ada@example.org", Role.MEMBER, north)
    bob = await world.user("bob@example.org", Role.MEMBER, support)
    caller = world.limited(sales)
    found, total = await users.list(caller)
    assert ([one.user.id for one in found], total) == ([ada.id], 1)
    for hidden in (boss, bob):
        for refused in (
            users.get(caller, hidden.id),
            users.change(caller, hidden.id, disabled=True),
            users.remove(caller, hidden.id),
            users.new_password_token(caller, hidden.id),
        ):
            with pytest.raises(NotFoundError):
                await refused
    with pytest.raises(NotFoundError):
        await users.change(caller, ada.id, unit_id=support.id)
    with pytest.raises(ForbiddenError):
        await users.change(caller, ada.id, unit_id=None)
    with pytest.raises(NotFoundError):
        await users.invite(caller, Invitation("c@example.org", "C", Role.MEMBER, support.id))
    changed = await users.change(caller, ada.id, role=Role.UNIT_ADMIN)
    assert (changed.membership.role, changed.membership.unit_id) == (Role.UNIT_ADMIN, north.id)


async def test_a_role_and_its_unit_go_together(world: TenancyWorld) -> None:
    sales = await world.unit("Sales")
    for role, unit_id in ((Role.UNIT_ADMIN, None), (Role.ORGANIZATION_ADMIN, sales.id)):
        with pytest.raises(ValidationFailedError):
            await world.tenancy.users.invite(world.admin, Invitation("ada@example.org", "Ada", role, unit_id))


@pytest.mark.asvs("7.4.2")
async def test_who_is_disabled_or_removed_is_out_with_the_next_request(world: TenancyWorld) -> None:
    users, logins = world.tenancy.users, world.tenancy.logins
    ada = await world.user()
    entered = await logins.enter(ada.email, PASSWORD, address=ADDRESS)
    bearer = f"Bearer {entered.access.text}"
    await world.authenticator.caller(bearer)
    await users.change(world.admin, ada.id, disabled=True)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(bearer)
    await users.change(world.admin, ada.id, disabled=False, role=Role.MEMBER)
    assert not (await world.authenticator.caller(bearer)).may(Scope.USERS_WRITE)
    await users.change(world.admin, ada.id, account_disabled=True)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(bearer)
    await users.remove(world.admin, ada.id)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(bearer)
    async with world.store(reading=True) as uow:
        assert await uow.users.by_email(ada.email) is None, "it was a member of nothing else"


@pytest.mark.asvs("8.4.1")
async def test_another_organization_neither_takes_over_an_account_nor_decides_about_it(
    world: TenancyWorld,
) -> None:
    users = world.tenancy.users
    ada = await world.user()
    wish = Invitation(ada.email, "Ada", Role.ORGANIZATION_ADMIN)
    with pytest.raises(ConflictError):
        await users.invite(world.rival_admin, wish)
    by_platform = replace(world.platform, organization_id=world.rival.id)
    assert (await users.invite(by_platform, wish)).password_token is None
    for admin in (world.admin, world.rival_admin):  # it is a member of both now
        with pytest.raises(ForbiddenError):
            await users.new_password_token(admin, ada.id)
        with pytest.raises(ForbiddenError):
            await users.change(admin, ada.id, account_disabled=True)
    await users.remove(world.rival_admin, ada.id)
    assert (await users.get(world.admin, ada.id)).user.email == ada.email
    assert (await users.new_password_token(world.admin, ada.id)).password_token


async def test_nobody_changes_what_they_are_themselves(world: TenancyWorld) -> None:
    ada = await world.user()
    herself = replace(world.admin, credential_id=ada.id)
    with pytest.raises(ConflictError):
        await world.tenancy.users.change(herself, ada.id, role=Role.MEMBER)
    with pytest.raises(ConflictError):
        await world.tenancy.users.remove(herself, ada.id)


async def test_a_change_for_an_older_version_is_refused(world: TenancyWorld) -> None:
    ada = await world.user()
    await world.tenancy.users.change(world.admin, ada.id, if_version={1}, disabled=True)
    with pytest.raises(PreconditionFailedError):
        await world.tenancy.users.change(world.admin, ada.id, if_version={1}, disabled=False)


async def test_the_platforms_people_are_listed_apart_and_only_for_the_platform(world: TenancyWorld) -> None:
    users = world.tenancy.users
    root = await world.user("root@example.org", Role.PLATFORM_ADMIN, by=world.platform)
    ada = await world.user()
    assert [one.user.id for one in (await users.list(world.admin))[0]] == [ada.id]
    assert [one.user.id for one in (await users.list(world.platform, platform=True))[0]] == [root.id]
    with pytest.raises(ForbiddenError):
        await users.list(world.admin, platform=True)
    with pytest.raises(NotFoundError):
        await users.get(world.admin, root.id)
    with pytest.raises(ConflictError):
        await users.change(world.platform, root.id, role=Role.MEMBER)


async def test_a_plan_has_room_for_so_many_people(world: TenancyWorld) -> None:
    from signaling.domain.plan import PLANS, PlanName

    await world.tenancy.organizations.change(world.platform, world.acme.id, plan=PlanName.STARTER)
    room = PLANS[PlanName.STARTER].limits.users or 0
    for number in range(room):
        await world.tenancy.users.invite(world.admin, Invitation(f"u{number}@example.org", "U", Role.MEMBER))
    with pytest.raises(PlanLimitError):
        await world.tenancy.users.invite(world.admin, Invitation("one@example.org", "O", Role.MEMBER))
