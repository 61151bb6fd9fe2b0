"""What the store has of tenants: apps, keys, units, accounts. On both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.meeting import Region
from signaling.domain.organization import Organization
from signaling.domain.plan import PlanName
from signaling.domain.unit import Unit
from signaling.domain.user import Login, Membership, PasswordToken, User
from signaling.errors import ConflictError
from signaling.ids import new_uuid
from signaling.services.ports import UnitOfWork
from signaling.store.database import Database
from tests.signaling import values
from tests.signaling.values import at


async def organization(uow: UnitOfWork, name: str = "Acme", seconds: float = 0) -> Organization:
    made = replace(values.organization(name), created_at=at(seconds))
    await uow.organizations.add(made)
    return made


async def app(uow: UnitOfWork, of: Organization, name: str) -> Organization:
    made = replace(values.organization(name), parent_id=of.id)
    await uow.organizations.add(made)
    return made


async def unit(uow: UnitOfWork, of: Organization, name: str, below: Unit | None = None) -> Unit:
    made = values.unit(of, name, below)
    await uow.units.add(made)
    return made


async def user(uow: UnitOfWork, email: str = "ada@example.org") -> User:
    made = values.user(email)
    await uow.users.add(made)
    return made


async def test_an_organization_keeps_all_that_is_known_of_it(either: Database) -> None:
    acme = replace(
        values.organization(),
        contact="ada@example.org",
        website="https://example.org",
        logo_url="https://example.org/logo.png",
        preferred_region=Region.EU_CENTRAL_1,
        plan=PlanName.STARTER,
        feature_flags=("polls", "-chat"),
    )
    async with either() as uow:
        await uow.organizations.add(acme)
        assert await uow.organizations.get(acme.id) == acme
        changed = replace(acme, name="Acme Ltd", feature_flags=(), version=2)
        await uow.organizations.save(changed)
        assert await uow.organizations.get(acme.id) == changed


async def test_apps_are_listed_with_their_organization_and_organizations_without_apps(
    either: Database,
) -> None:
    async with either() as uow:
        acme, rival = await organization(uow), await organization(uow, "Rival", seconds=1)
        staging = await app(uow, acme, "staging")
        assert list(await uow.organizations.apps(acme.id)) == [staging]
        assert list(await uow.organizations.apps(rival.id)) == []
        assert await uow.organizations.list() == ([rival, acme], 2)
        assert await uow.organizations.list(search="RIV") == ([rival], 1)
        assert await uow.organizations.list(search=acme.id) == ([acme], 1)
        assert await uow.organizations.list(offset=1, limit=1) == ([acme], 2)
        assert await uow.organizations.named("staging", parent_id=acme.id) == staging
        assert await uow.organizations.named("staging", parent_id=rival.id) is None
        assert await uow.organizations.named("staging", parent_id=None) is None
        assert await uow.organizations.named("Acme", parent_id=None) == acme


async def test_a_key_is_found_by_its_hash_with_whom_it_is_sent_for(either: Database) -> None:
    async with either() as uow:
        acme = await organization(uow)
        staging = await app(uow, acme, "staging")
        key = replace(values.api_key(acme), scopes=frozenset({"meetings:read"}), name="CI", prefix="rk_0")
        await uow.api_keys.add(key)
        assert await uow.api_keys.by_hash(key.key_hash, None) == (key, acme)
        assert await uow.api_keys.by_hash(key.key_hash, acme.id) == (key, acme)
        assert await uow.api_keys.by_hash(key.key_hash, staging.id) == (key, staging)
        assert await uow.api_keys.by_hash(key.key_hash, "nobody") == (key, None)
        assert await uow.api_keys.by_hash("11" * 32, acme.id) is None
        with pytest.raises(ConflictError):
            await uow.api_keys.add(replace(values.api_key(acme), name="the same key again"))


async def test_keys_are_listed_until_they_are_revoked_and_within_a_unit(either: Database) -> None:
    async with either() as uow:
        acme, rival = await organization(uow), await organization(uow, "Rival")
        sales = await unit(uow, acme, "Sales")
        north = await unit(uow, acme, "North", sales)
        broad = values.api_key(acme, "01" * 32)
        narrow = replace(values.api_key(acme, "02" * 32), unit_id=north.id, created_at=at(1))
        await uow.api_keys.add(broad)
        await uow.api_keys.add(narrow)
        assert await uow.api_keys.list(acme.id) == ([narrow, broad], 2)
        assert await uow.api_keys.list(acme.id, within=sales.id) == ([narrow], 1)
        assert await uow.api_keys.list(rival.id) == ([], 0)
        assert await uow.api_keys.get(rival.id, broad.id) is None
        await uow.api_keys.used([broad.id], at(9))
        broad = replace(broad, last_used_at=at(9))
        assert await uow.api_keys.get(acme.id, broad.id) == broad
        revoked = replace(broad, revoked_at=at(10))
        await uow.api_keys.save(revoked)
        assert await uow.api_keys.get(acme.id, broad.id) == revoked
        assert await uow.api_keys.list(acme.id) == ([narrow], 1)


async def test_units_are_found_by_their_place_in_the_tree(either: Database) -> None:
    async with either() as uow:
        acme, rival = await organization(uow), await organization(uow, "Rival")
        sales, support = await unit(uow, acme, "Sales"), await unit(uow, acme, "Support")
        north = await unit(uow, acme, "North", sales)
        oslo = await unit(uow, acme, "Oslo", north)
        assert oslo.path == (sales.id, north.id, oslo.id)
        assert await uow.units.get(acme.id, oslo.id) == oslo
        assert await uow.units.get(rival.id, oslo.id) is None
        assert set(await uow.units.all(acme.id)) == {sales, support, north, oslo}
        assert set(await uow.units.all(acme.id, within=sales.id)) == {sales, north, oslo}
        assert set(await uow.units.below(north)) == {oslo}
        assert await uow.units.list(acme.id, within=sales.id) == ([north, oslo, sales], 3)
        assert await uow.units.list(acme.id, parent_id=sales.id) == ([north], 1)
        assert await uow.units.list(acme.id, search="s", limit=1) == ([oslo], 3)
        assert await uow.units.count(acme.id) == 4 and await uow.units.count(rival.id) == 0


async def test_a_unit_that_something_belongs_to_cannot_go_and_one_that_goes_takes_its_keys_along(
    either: Database,
) -> None:
    async with either() as uow:
        acme = await organization(uow)
        sales = await unit(uow, acme, "Sales")
        north = await unit(uow, acme, "North", sales)
        ada, key = await user(uow), replace(values.api_key(acme), unit_id=north.id)
        await uow.api_keys.add(key)
        await uow.users.add_membership(values.membership(ada, acme, "unit_admin", north))
        await uow.commit()
    async with either() as uow:
        with pytest.raises(ConflictError):
            await uow.units.remove(sales)
    meeting = replace(values.meeting(acme), unit_id=north.id)
    async with either() as uow:
        await uow.meetings.add(meeting)
        with pytest.raises(ConflictError):
            await uow.units.remove(north)
        await uow.meetings.save(replace(meeting, deleted_at=at(5)))
        await uow.units.remove(north)
        await uow.units.remove(sales)
        assert await uow.api_keys.get(acme.id, key.id) is None
        assert await uow.users.memberships(ada.id) == []


async def test_an_address_has_one_account_and_a_person_one_membership_of_each(either: Database) -> None:
    async with either() as uow:
        acme = await organization(uow)
        ada = await user(uow)
        await uow.users.add_membership(values.membership(ada, acme))
        await uow.users.add_membership(values.membership(ada, None, "platform_admin"))
        await uow.commit()
    for again in (values.membership(ada, acme), values.membership(ada, None, "platform_admin")):
        async with either() as uow:
            with pytest.raises(ConflictError):
                await uow.users.add_membership(again)
    async with either() as uow:
        with pytest.raises(ConflictError):
            await user(uow)
    async with either(reading=True) as uow:
        assert await uow.users.by_email("ada@example.org") == ada == await uow.users.get(ada.id)
        assert {one.organization_id for one in await uow.users.memberships(ada.id)} == {acme.id, None}
        assert (await uow.users.membership(None, ada.id)).role == "platform_admin"  # type: ignore[union-attr]


async def test_members_are_listed_with_what_they_are(either: Database) -> None:
    async with either() as uow:
        acme, rival = await organization(uow), await organization(uow, "Rival")
        sales = await unit(uow, acme, "Sales")
        ada, bob = await user(uow), await user(uow, "bob@example.org")
        ada_is, bob_is = values.membership(ada, acme), values.membership(bob, acme, "member", sales)
        bob_is = replace(bob_is, created_at=at(1))
        await uow.users.add_membership(ada_is)
        await uow.users.add_membership(bob_is)
        assert await uow.users.members(acme.id) == ([(bob, bob_is), (ada, ada_is)], 2)
        assert await uow.users.members(acme.id, search="BOB@") == ([(bob, bob_is)], 1)
        assert await uow.users.members(acme.id, within=sales.id) == ([(bob, bob_is)], 1)
        assert await uow.users.members(rival.id) == ([], 0)
        assert await uow.users.count_members(acme.id) == 2
        await uow.users.save_membership(replace(ada_is, disabled=True))
        await uow.users.remove_membership(bob_is)
        assert await uow.users.members(acme.id) == ([(ada, replace(ada_is, disabled=True))], 1)
        await uow.users.remove(ada)
        assert await uow.users.members(acme.id) == ([], 0)


async def test_a_login_is_found_with_all_that_says_what_it_is_good_for(either: Database) -> None:
    async with either() as uow:
        acme, rival = await organization(uow), await organization(uow, "Rival")
        staging = await app(uow, acme, "staging")
        ada, bob = await user(uow), await user(uow, "bob@example.org")
        here = await member(uow, ada, acme, "organization_admin")
        above = await member(uow, ada, None, "platform_admin")
        await member(uow, ada, rival, "member")
        await member(uow, bob, acme, "member")
        for organization_, among in ((acme, {here, above}), (staging, {here, above})):
            login = Login(new_uuid(), ada.id, organization_.id, "f" * 64, "t" * 64, at(0), at(0))
            await uow.logins.add(login)
            found = await uow.logins.standing(login.id)
            assert found is not None
            assert (found.login, found.user, found.organization) == (login, ada, organization_)
            assert set(found.memberships) == among
        carl = await user(uow, "carl@example.org")
        stranger = Login(new_uuid(), carl.id, acme.id, "f" * 64, "t" * 64, at(0), at(0))
        await uow.logins.add(stranger)
        found = await uow.logins.standing(stranger.id)
        assert found is not None and found.memberships == []
        assert await uow.logins.standing("none") is None


async def member(uow: UnitOfWork, who: User, of: Organization | None, role: str) -> Membership:
    made = values.membership(who, of, role)
    await uow.users.add_membership(made)
    return made


async def test_logins_end_one_by_one_or_all_but_one(either: Database) -> None:
    async with either() as uow:
        acme, ada = await organization(uow), await user(uow)
        one, other, third = (
            Login(new_uuid(), ada.id, acme.id, "f" * 64, "t" * 64, at(n), at(n)) for n in range(3)
        )
        for login in (third, one, other):
            await uow.logins.add(login)
        assert await uow.logins.of_user(ada.id) == [one, other, third]
        refreshed = replace(one, token_hash="u" * 64, refreshed_at=at(60))
        await uow.logins.save(refreshed)
        assert await uow.logins.get(one.id) == refreshed
        await uow.logins.remove(other.id)
        await uow.logins.remove_of_user(ada.id, but=third.id)
        assert await uow.logins.of_user(ada.id) == [third]
        await uow.logins.remove_of_user(ada.id)
        assert await uow.logins.of_user(ada.id) == []


async def test_a_password_token_is_taken_once_and_the_newest_counts(either: Database) -> None:
    async with either() as uow:
        ada = await user(uow)
        await uow.logins.set_password_token(PasswordToken("1" * 64, ada.id, at(0)))
        newest = PasswordToken("2" * 64, ada.id, at(1))
        await uow.logins.set_password_token(newest)
        assert await uow.logins.take_password_token("1" * 64) is None
        assert await uow.logins.take_password_token("2" * 64) == newest
        assert await uow.logins.take_password_token("2" * 64) is None
