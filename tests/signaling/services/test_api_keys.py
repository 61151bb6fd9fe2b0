from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.caller import EVERYTHING, Scope
from signaling.errors import ForbiddenError, NotFoundError, UnauthorizedError, ValidationFailedError
from signaling.services.api_keys import KeyWish
from tests.signaling import values
from tests.signaling.services.tenancy_world import TenancyWorld

READS = frozenset({Scope.MEETINGS_READ})


@pytest.fixture
async def world() -> TenancyWorld:
    return await TenancyWorld.new()


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(world: TenancyWorld) -> None:
    keys = world.tenancy.api_keys
    made = await keys.create(world.admin, KeyWish("CI", READS))
    assert made.text not in repr(made)
    caller = await world.authenticator.caller(f"Bearer {made.text}")
    assert (caller.organization_id, caller.scopes) == (world.acme.id, READS)
    (listed,), _ = await keys.list(world.admin)
    assert listed.id == made.key.id and made.text.startswith(listed.prefix) and len(listed.prefix) < 16
    await keys.revoke(world.admin, made.key.id)
    with pytest.raises(UnauthorizedError):
        await world.authenticator.caller(f"Bearer {made.text}")
    assert await keys.list(world.admin) == ([], 0)
    with pytest.raises(NotFoundError):
        await keys.revoke(world.admin, made.key.id)


@pytest.mark.asvs("8.2.1")
async def test_a_key_never_can_more_than_its_maker(world: TenancyWorld) -> None:
    keys = world.tenancy.api_keys
    sales, support = await world.unit("Sales"), await world.unit("Support")
    weak = replace(world.admin, scopes=READS | {Scope.KEYS_WRITE})
    with pytest.raises(ForbiddenError):
        await keys.create(weak, KeyWish("more", READS | {Scope.MEETINGS_WRITE}))
    with pytest.raises(ForbiddenError):
        await keys.create(world.admin, KeyWish("all", platform=True))
    with pytest.raises(NotFoundError):
        await keys.create(world.limited(sales), KeyWish("beside", READS, support.id))
    with pytest.raises(ValidationFailedError):
        await keys.create(world.admin, KeyWish("webhooks", frozenset({Scope.WEBHOOKS_READ}), sales.id))
    assert (await keys.create(weak, KeyWish("same"))).key.scopes == weak.scopes
    within = await keys.create(world.limited(sales), KeyWish("mine"))
    assert within.key.unit_id == sales.id
    assert Scope.WEBHOOKS_WRITE not in (within.key.scopes or EVERYTHING)
    assert (await keys.create(world.platform, KeyWish("all", platform=True))).key.platform


@pytest.mark.asvs("8.2.1")
async def test_a_key_never_outlives_the_key_that_made_it(world: TenancyWorld) -> None:
    keys = world.tenancy.api_keys
    short = await keys.create(world.admin, KeyWish("contractor", expires_at=values.at(3600)))
    maker = await world.authenticator.caller(f"Bearer {short.text}")
    assert (await keys.create(maker, KeyWish("as long"))).key.expires_at == values.at(3600)
    assert (
        await keys.create(maker, KeyWish("shorter", expires_at=values.at(60)))
    ).key.expires_at == values.at(60)
    with pytest.raises(ForbiddenError):
        await keys.create(maker, KeyWish("for ever", expires_at=values.at(3601)))
    assert (await keys.create(world.admin, KeyWish("for ever"))).key.expires_at is None


@pytest.mark.asvs("8.2.2", "8.4.1")
async def test_keys_of_other_organizations_and_units_are_not_there(world: TenancyWorld) -> None:
    keys = world.tenancy.api_keys
    sales, support = await world.unit("Sales"), await world.unit("Support")
    whole = await keys.create(world.admin, KeyWish("whole"))
    beside = await keys.create(world.admin, KeyWish("beside", READS, support.id))
    mine = await keys.create(world.admin, KeyWish("mine", READS, sales.id))
    for caller, hidden in (
        (world.rival_admin, whole),
        (world.limited(sales), whole),
        (world.limited(sales), beside),
    ):
        with pytest.raises(NotFoundError):
            await keys.get(caller, hidden.key.id)
        with pytest.raises(NotFoundError):
            await keys.revoke(caller, hidden.key.id)
    assert [one.id for one in (await keys.list(world.limited(sales)))[0]] == [mine.key.id]


async def test_a_key_of_the_platform_is_revoked_only_by_the_platform(world: TenancyWorld) -> None:
    keys = world.tenancy.api_keys
    made = await keys.create(world.platform, KeyWish("all", platform=True))
    with pytest.raises(ForbiddenError):
        await keys.revoke(world.admin, made.key.id)
    await keys.revoke(world.platform, made.key.id)


async def test_a_key_does_not_begin_when_it_has_ended(world: TenancyWorld) -> None:
    with pytest.raises(ValidationFailedError):
        await world.tenancy.api_keys.create(world.admin, KeyWish("late", expires_at=values.NOON))
