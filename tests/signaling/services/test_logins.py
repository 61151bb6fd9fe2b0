from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.auth.tokens import JwtTokens
from signaling.domain.caller import Scope
from signaling.domain.organization import Organization
from signaling.domain.role import Role
from signaling.domain.user import INVITATION_TTL, LOGIN_TTL, MAX_LOGINS, REFRESH_TTL
from signaling.errors import (
    InvalidTokenError,
    LoginRefusedError,
    NotFoundError,
    RateLimitedError,
    ValidationFailedError,
)
from signaling.services.logins import PER_ACCOUNT, PER_ADDRESS, Entered
from signaling.services.users import Invitation
from tests.signaling import values
from tests.signaling.services.tenancy_world import ADDRESS, PASSWORD, TenancyWorld


@pytest.fixture
async def world() -> TenancyWorld:
    return await TenancyWorld.new()


async def enter(
    world: TenancyWorld, email: str = "ada@example.org", *, into: Organization | None = None
) -> Entered:
    organization_id = into.id if into else None
    return await world.tenancy.logins.enter(email, PASSWORD, organization_id=organization_id, address=ADDRESS)


async def test_who_logs_in_gets_an_access_token_that_speaks_for_them(world: TenancyWorld) -> None:
    ada = await world.user()
    entered = await enter(world, "  ADA@example.org ")
    caller = await world.authenticator.caller(f"Bearer {entered.access.text}")
    assert (caller.organization_id, caller.credential_id) == (world.acme.id, ada.id)
    assert caller.may(Scope.KEYS_WRITE) and not caller.platform


@pytest.mark.asvs("7.2.2")
async def test_an_access_token_lasts_ten_minutes(world: TenancyWorld) -> None:
    await world.user()
    entered = await enter(world)
    world.clock.advance(599)
    await world.authenticator.caller(f"Bearer {entered.access.text}")
    world.clock.advance(2)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(f"Bearer {entered.access.text}")


@pytest.mark.asvs("6.3.8")
async def test_nobody_can_tell_an_unknown_address_from_a_wrong_password_or_a_disabled_account(
    world: TenancyWorld,
) -> None:
    ada, bob = await world.user(), await world.user("bob@example.org")
    async with world.store() as uow:
        await uow.users.save(replace(bob, disabled=True))
        await uow.commit()
    invited = await world.tenancy.users.invite(
        world.admin, Invitation("carl@example.org", "Carl", Role.MEMBER)
    )
    assert invited.password_token
    said = set()
    for email, password in (
        ("nobody@example.org", PASSWORD),
        ("no address at all", PASSWORD),
        (ada.email, "wrong"),
        (bob.email, PASSWORD),
        ("carl@example.org", ""),
    ):
        with pytest.raises(LoginRefusedError) as refused:
            await world.tenancy.logins.enter(email, password, address=ADDRESS)
        said.add(refused.value.message)
    assert len(said) == 1
    assert len(world.passwords.compared) == 5, "a password is compared each time, for as long"


@pytest.mark.asvs("6.3.1")
async def test_passwords_may_be_tried_only_so_often_for_an_account_and_from_an_address(
    world: TenancyWorld,
) -> None:
    await world.user()
    logins = world.tenancy.logins
    for number in range(PER_ACCOUNT):
        with pytest.raises(LoginRefusedError):
            await logins.enter("ada@example.org", "wrong", address=f"192.0.2.{number}")
    with pytest.raises(RateLimitedError):
        await logins.enter("ada@example.org", PASSWORD, address="192.0.2.200")
    for number in range(PER_ADDRESS):
        with pytest.raises(LoginRefusedError):
            await logins.enter(f"nobody{number}@example.org", "wrong", address="198.51.100.1")
    with pytest.raises(RateLimitedError):
        await logins.enter("someone@example.org", "wrong", address="198.51.100.1")
    world.clock.advance(60)
    await enter(world)


@pytest.mark.asvs("7.2.2")
async def test_a_login_goes_on_with_a_new_refresh_token_each_time(world: TenancyWorld) -> None:
    await world.user()
    first = await enter(world)
    second = await world.tenancy.logins.refresh(first.refresh_token)
    third = await world.tenancy.logins.refresh(second.refresh_token)
    assert first.login.id == second.login.id == third.login.id
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3


@pytest.mark.asvs("7.2.2")
async def test_a_refresh_token_that_comes_again_ends_the_login_for_whoever_holds_it(
    world: TenancyWorld,
) -> None:
    await world.user()
    stolen = await enter(world)
    newest = await world.tenancy.logins.refresh(stolen.refresh_token)
    newest = await world.tenancy.logins.refresh(newest.refresh_token)
    await world.authenticator.caller(f"Bearer {newest.access.text}")
    with pytest.raises(LoginRefusedError):
        await world.tenancy.logins.refresh(stolen.refresh_token)
    with pytest.raises(LoginRefusedError):
        await world.tenancy.logins.refresh(newest.refresh_token)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(f"Bearer {newest.access.text}")


async def test_a_token_that_never_was_one_ends_nothing(world: TenancyWorld) -> None:
    await world.user()
    entered = await enter(world)
    login_id, family, newest = entered.refresh_token.split(".")
    for junk in ("", "...", f"{login_id}.{newest}.{family}", f"{login_id}.{'x' * 43}.{newest}"):
        with pytest.raises(LoginRefusedError):
            await world.tenancy.logins.refresh(junk)
    await world.tenancy.logins.refresh(entered.refresh_token)


@pytest.mark.asvs("7.3.1", "7.3.2")
async def test_a_login_ends_when_it_rests_too_long_and_at_last_in_any_case(world: TenancyWorld) -> None:
    await world.user()
    resting, busy = await enter(world), await enter(world)
    step = REFRESH_TTL * 0.9
    for _ in range(int(LOGIN_TTL / step)):
        world.clock.advance(step.total_seconds())
        busy = await world.tenancy.logins.refresh(busy.refresh_token)
    world.clock.advance(step.total_seconds())
    for over in (resting, busy):
        with pytest.raises(LoginRefusedError):
            await world.tenancy.logins.refresh(over.refresh_token)


@pytest.mark.asvs("7.4.1")
async def test_who_logs_out_is_out_at_once(world: TenancyWorld) -> None:
    await world.user()
    entered, other = await enter(world), await enter(world)
    await world.authenticator.caller(f"Bearer {entered.access.text}")
    await world.tenancy.logins.leave(entered.refresh_token)
    await world.tenancy.logins.leave(entered.refresh_token)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(f"Bearer {entered.access.text}")
    with pytest.raises(LoginRefusedError):
        await world.tenancy.logins.refresh(entered.refresh_token)
    await world.authenticator.caller(f"Bearer {other.access.text}")


async def test_an_account_has_only_so_many_logins_and_the_oldest_give_way(world: TenancyWorld) -> None:
    await world.user()
    first = await enter(world)
    world.clock.advance(60)
    second = await enter(world)
    for _ in range(MAX_LOGINS - 1):
        world.clock.advance(60)
        await enter(world)
    with pytest.raises(LoginRefusedError):
        await world.tenancy.logins.refresh(first.refresh_token)
    await world.tenancy.logins.refresh(second.refresh_token)


async def test_one_logs_in_where_one_is_a_member_and_nowhere_else(world: TenancyWorld) -> None:
    staging = await world.tenancy.apps.create(world.admin, world.acme.id, "staging")
    await world.user()
    assert (await enter(world)).organization == world.acme
    assert (await enter(world, into=staging)).organization == staging
    with pytest.raises(NotFoundError):
        await enter(world, into=world.rival)
    entered = await enter(world)
    moved = await world.tenancy.logins.refresh(entered.refresh_token, organization_id=staging.id)
    caller = await world.authenticator.caller(f"Bearer {moved.access.text}")
    assert caller.organization_id == staging.id
    with pytest.raises(NotFoundError):
        await world.tenancy.logins.refresh(moved.refresh_token, organization_id=world.rival.id)
    await world.tenancy.logins.refresh(moved.refresh_token)


async def test_who_administers_the_platform_enters_any_organization(world: TenancyWorld) -> None:
    await world.user(role=Role.PLATFORM_ADMIN, by=world.platform)
    for organization in (world.acme, world.rival):
        entered = await enter(world, into=organization)
        caller = await world.authenticator.caller(f"Bearer {entered.access.text}")
        assert caller.platform and caller.organization_id == organization.id


@pytest.mark.asvs("6.2.1", "6.2.3", "7.4.3")
async def test_a_changed_password_ends_every_login(world: TenancyWorld) -> None:
    await world.user()
    entered = await enter(world)
    caller = await world.authenticator.caller(f"Bearer {entered.access.text}")
    logins = world.tenancy.logins
    with pytest.raises(LoginRefusedError):
        await logins.change_password(caller, current="wrong", new="another password", address=ADDRESS)
    with pytest.raises(ValidationFailedError):
        await logins.change_password(caller, current=PASSWORD, new="short", address=ADDRESS)
    await logins.change_password(caller, current=PASSWORD, new="another password", address=ADDRESS)
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(f"Bearer {entered.access.text}")
    with pytest.raises(LoginRefusedError):
        await enter(world)
    await logins.enter("ada@example.org", "another password", address=ADDRESS)
    with pytest.raises(NotFoundError):
        await logins.change_password(world.admin, current=PASSWORD, new="for a key", address=ADDRESS)


@pytest.mark.asvs("6.2.1", "6.4.1")
async def test_an_invitation_sets_one_password_and_not_for_ever(world: TenancyWorld) -> None:
    logins, users = world.tenancy.logins, world.tenancy.users
    invited = await users.invite(world.admin, Invitation("ada@example.org", "Ada", Role.MEMBER))
    token = str(invited.password_token)
    with pytest.raises(ValidationFailedError):
        await logins.set_password(token, "short", address=ADDRESS)
    await logins.set_password(token, PASSWORD, address=ADDRESS)
    await enter(world)
    for used in (token, "never was one"):
        with pytest.raises(LoginRefusedError):
            await logins.set_password(used, PASSWORD, address=ADDRESS)
    late = await users.new_password_token(world.admin, invited.member.user.id)
    world.clock.advance(INVITATION_TTL.total_seconds())
    with pytest.raises(LoginRefusedError):
        await logins.set_password(str(late.password_token), PASSWORD, address=ADDRESS)


@pytest.mark.asvs("11.4.2")
async def test_a_password_kept_in_an_old_way_is_kept_in_the_new_one_from_the_next_login_on(
    world: TenancyWorld,
) -> None:
    ada = await world.user()
    async with world.store() as uow:
        await uow.users.save(replace(ada, password_hash=f"old hash of {PASSWORD}"))
        await uow.commit()
    await enter(world)
    async with world.store(reading=True) as uow:
        kept = await uow.users.get(ada.id)
    assert kept is not None and kept.password_hash == f"hash of {PASSWORD}"


async def test_a_profile_says_where_one_is_what(world: TenancyWorld) -> None:
    ada = await world.user()
    wish = Invitation(ada.email, "Ada", Role.MEMBER)
    await world.tenancy.users.invite(replace(world.platform, organization_id=world.rival.id), wish)
    entered = await enter(world)
    caller = await world.authenticator.caller(f"Bearer {entered.access.text}")
    profile = await world.tenancy.logins.profile(caller)
    assert profile.user.email == "ada@example.org"
    assert [(place.role, organization) for place, organization in profile.places] == [
        (Role.ORGANIZATION_ADMIN, world.acme),
        (Role.MEMBER, world.rival),
    ]
    with pytest.raises(NotFoundError):
        await world.tenancy.logins.profile(world.admin)


@pytest.mark.asvs("9.2.2")
async def test_a_participants_token_is_no_access_token_and_the_other_way_round(world: TenancyWorld) -> None:
    await world.user()
    participants = JwtTokens(world.ring, world.clock)
    token = participants.issue(values.participant(values.meeting(world.acme)))
    with pytest.raises(InvalidTokenError):
        await world.authenticator.caller(f"Bearer {token}")
    with pytest.raises(InvalidTokenError):
        participants.verify((await enter(world)).access.text)
