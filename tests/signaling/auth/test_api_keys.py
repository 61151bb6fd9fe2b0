from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth.api_keys import (
    Authenticator,
    Credentials,
    hash_api_key,
    new_api_key,
    parse_authorization,
)
from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.logins import JwtAccessTokens
from signaling.auth.secrets import RandomSecrets
from signaling.domain.caller import EVERYTHING, Caller, Scope
from signaling.domain.organization import ApiKey, Organization
from signaling.errors import NotFoundError, UnauthorizedError
from signaling.services.api_keys import ApiKeyService
from signaling.services.key_use import TO_WITHIN, KeyUse
from signaling.services.ports import Clock
from signaling.services.remembered_callers import MAX_REMEMBERED, REMEMBERED_FOR, RememberedCallers
from signaling.store.api_keys import SqlApiKeys
from signaling.store.database import Database
from signaling.testing import FakeClock, MemoryStore
from tests.signaling import values


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        f"Basic {encoded('org:k:ey')}",
        f"basic {encoded('org:k:ey')}",
        f"Bearer {encoded('org:k:ey')}",
        "Bearer org:k:ey",
    ],
)
def test_the_key_comes_as_basic_or_bearer(header: str) -> None:
    assert parse_authorization(header) == Credentials("org", "k:ey")


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic !!!", f"Basic {encoded('org')}", f"Digest {encoded('a:b')}", "Bearer ü:x"],
)
def test_anything_else_is_refused(header: str | None) -> None:
    with pytest.raises(UnauthorizedError):
        parse_authorization(header)


@given(st.text(max_size=100))
def test_junk_is_refused_or_parsed_and_nothing_else(header: str) -> None:
    try:
        parse_authorization(header)
    except UnauthorizedError:
        pass


@pytest.mark.asvs("11.4.2")
def test_keys_are_long_random_and_kept_as_hashes() -> None:
    one, other = new_api_key(), new_api_key()
    assert one != other and len(bytes.fromhex(one.removeprefix("rk_"))) == 32
    kept = values.api_key(values.organization(), hash_api_key(one))
    assert one not in repr(kept)
    assert kept.key_hash == hash_api_key(one) != hash_api_key(other)


def authenticator_of(
    store: Database,
    clock: Clock | None = None,
    use: KeyUse | None = None,
    remembered: RememberedCallers | None = None,
) -> Authenticator:
    clock = clock or FakeClock()
    access = JwtAccessTokens(KeyRing.of(SigningKey.generate(), clock), clock)
    use = use or KeyUse(store, clock)
    remembered = RememberedCallers() if remembered is None else remembered
    return Authenticator(store, clock, access, use, remembered)


async def register(store: MemoryStore, organization: Organization, key: str) -> None:
    async with store() as uow:
        await uow.organizations.add(organization)
        await uow.organizations.add_key(values.api_key(organization, hash_api_key(key)))
        await uow.commit()


async def test_only_the_right_key_of_the_right_organization_is_let_in() -> None:
    store = MemoryStore()
    acme, rival = values.organization(), values.organization("Rival")
    await register(store, acme, "acme-key")
    await register(store, rival, "rival-key")
    authenticator = authenticator_of(store)
    caller = await authenticator.caller(f"Bearer {acme.id}:acme-key")
    assert (caller.organization_id, caller.scopes) == (acme.id, EVERYTHING)
    for pair in (f"{acme.id}:rival-key", f"{rival.id}:acme-key", "nobody:acme-key"):
        with pytest.raises(UnauthorizedError):
            await authenticator.caller(f"Bearer {pair}")


async def test_a_key_alone_speaks_for_its_organization() -> None:
    store, acme, key = MemoryStore(), values.organization(), new_api_key()
    await register(store, acme, key)
    authenticator = authenticator_of(store)
    assert (await authenticator.caller(f"Bearer {key}")).organization_id == acme.id
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(f"Bearer {new_api_key()}")


@pytest.mark.asvs("8.4.1")
async def test_a_path_of_another_organization_is_not_there() -> None:
    store, acme, key = MemoryStore(), values.organization(), new_api_key()
    await register(store, acme, key)
    authenticator = authenticator_of(store)
    for named in ({"account_id": "other"}, {"app_id": "other"}):
        with pytest.raises(NotFoundError):
            await authenticator.caller(f"Bearer {key}", **named)


@dataclass
class Tenants:
    """An organization with an app, another one, and a key of each kind."""

    store: Database
    clock: FakeClock
    acme: Organization
    app: Organization
    rival: Organization

    @classmethod
    async def new(cls, store: Database | None = None) -> Tenants:
        acme = values.organization()
        app = replace(values.organization("staging"), parent_id=acme.id)
        rival = values.organization("Rival")
        tenants = cls(store or MemoryStore(), FakeClock(values.NOON), acme, app, rival)
        async with tenants.store() as uow:
            for one in (acme, app, tenants.rival):
                await uow.organizations.add(one)
            await uow.commit()
        return tenants

    async def key(self, of: Organization, text: str, **limits: Any) -> ApiKey:
        key = replace(values.api_key(of, hash_api_key(text)), **limits)
        async with self.store() as uow:
            await uow.api_keys.add(key)
            await uow.commit()
        return key

    async def speaks_for(self, header: str, **about: str) -> str | None:
        """The organization's id; None: nobody gets in. Nothing is remembered from before."""
        try:
            return (await authenticator_of(self.store, self.clock).caller(header, **about)).organization_id
        except (UnauthorizedError, NotFoundError):
            return None


async def test_a_key_of_an_organization_works_for_its_apps_and_one_of_an_app_for_nothing_else() -> None:
    t = await Tenants.new()
    await t.key(t.acme, "whole")
    await t.key(t.app, "app")
    assert await t.speaks_for(f"Bearer {t.acme.id}:whole") == t.acme.id
    assert await t.speaks_for(f"Bearer {t.app.id}:whole") == t.app.id
    assert await t.speaks_for(f"Bearer {t.app.id}:app") == t.app.id
    assert await t.speaks_for(f"Bearer {t.acme.id}:app") is None
    assert await t.speaks_for(f"Bearer {t.rival.id}:whole") is None
    for account, app, expected in (
        (t.acme, t.acme, t.acme.id),
        (t.acme, t.app, t.app.id),
        (t.rival, t.app, None),
        (t.app, t.acme, None),
        (t.rival, t.rival, None),
    ):
        about = {"account_id": account.id, "app_id": app.id}
        assert await t.speaks_for(f"Bearer {t.acme.id}:whole", **about) == expected


@pytest.mark.asvs("8.2.2")
async def test_a_key_that_is_limited_to_a_unit_does_not_reach_apps() -> None:
    t = await Tenants.new()
    sales = values.unit(t.acme)
    async with t.store() as uow:
        await uow.units.add(sales)
        await uow.commit()
    await t.key(t.acme, "sales", unit_id=sales.id)
    caller = await authenticator_of(t.store, t.clock).caller(f"Bearer {t.acme.id}:sales")
    assert caller.unit_id == sales.id
    assert caller.may(Scope.MEETINGS_WRITE) and not caller.may(Scope.WEBHOOKS_READ)
    assert await t.speaks_for(f"Bearer {t.app.id}:sales") is None


async def test_a_key_of_the_platform_speaks_for_every_organization() -> None:
    t = await Tenants.new()
    await t.key(t.acme, "platform", platform=True)
    for organization in (t.acme, t.app, t.rival):
        assert await t.speaks_for(f"Bearer {organization.id}:platform") == organization.id
    assert await t.speaks_for("Bearer nobody:platform") is None


@pytest.mark.asvs("8.2.1")
async def test_a_key_has_the_scopes_it_was_given() -> None:
    t = await Tenants.new()
    await t.key(t.acme, "looks", scopes=frozenset({"meetings:read", "of:a newer version"}))
    caller = await authenticator_of(t.store, t.clock).caller(f"Bearer {t.acme.id}:looks")
    assert caller.scopes == {Scope.MEETINGS_READ} and not caller.platform


@pytest.mark.asvs("8.3.2")
async def test_a_key_that_was_revoked_or_has_expired_opens_nothing() -> None:
    t = await Tenants.new()
    await t.key(t.acme, "revoked", revoked_at=values.NOON)
    await t.key(t.acme, "expires", expires_at=values.at(60))
    assert await t.speaks_for(f"Bearer {t.acme.id}:revoked") is None
    assert await t.speaks_for(f"Bearer {t.acme.id}:expires") == t.acme.id
    t.clock.advance(61)
    assert await t.speaks_for(f"Bearer {t.acme.id}:expires") is None


@pytest.mark.asvs("8.3.2")
async def test_who_got_in_is_remembered_for_a_second_and_no_longer() -> None:
    t = await Tenants.new()
    key = await t.key(t.acme, "key")
    remembered = RememberedCallers()
    authenticator = authenticator_of(t.store, t.clock, remembered=remembered)
    await authenticator.caller(f"Bearer {t.acme.id}:key")
    async with t.store() as uow:  # as another server would
        await uow.api_keys.save(replace(key, revoked_at=values.NOON))
        await uow.commit()
    t.clock.advance(REMEMBERED_FOR * 0.9)
    await authenticator.caller(f"Bearer {t.acme.id}:key")
    t.clock.advance(REMEMBERED_FOR * 0.2)
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(f"Bearer {t.acme.id}:key")


@pytest.mark.asvs("8.3.2")
async def test_what_this_server_revokes_is_forgotten_at_once() -> None:
    t = await Tenants.new()
    key = await t.key(t.acme, "key")
    remembered = RememberedCallers()
    authenticator = authenticator_of(t.store, t.clock, remembered=remembered)
    caller = await authenticator.caller(f"Bearer {t.acme.id}:key")
    await ApiKeyService(t.store, t.clock, RandomSecrets(), remembered).revoke(caller, key.id)
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(f"Bearer {t.acme.id}:key")


@pytest.mark.asvs("8.3.2")
async def test_what_is_revoked_while_it_is_looked_up_is_not_remembered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    t = await Tenants.new(database)
    key = await t.key(t.acme, "key")
    remembered = RememberedCallers()
    authenticator = authenticator_of(t.store, t.clock, remembered=remembered)
    found, go_on, by_hash = asyncio.Event(), asyncio.Event(), SqlApiKeys.by_hash

    async def slow(keys: SqlApiKeys, key_hash: str, organization_id: str | None) -> Any:
        answer = await by_hash(keys, key_hash, organization_id)
        found.set()
        await go_on.wait()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(SqlApiKeys, "by_hash", slow)
        asking = asyncio.create_task(authenticator.caller(f"Bearer {t.acme.id}:key"))
        await found.wait()
        admin = Caller(t.acme.id, "admin's key")
        await ApiKeyService(t.store, t.clock, RandomSecrets(), remembered).revoke(admin, key.id)
        go_on.set()
        await asking
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(f"Bearer {t.acme.id}:key")


async def test_of_those_who_got_in_only_so_many_are_remembered() -> None:
    remembered = RememberedCallers()
    for number in range(MAX_REMEMBERED + 10):
        remembered.put(str(number).encode(), Caller("org", "key"), 0.0, forgotten=0)
    assert len(remembered) == MAX_REMEMBERED
    assert remembered.get(b"0", 0.0) is None and remembered.get(b"100", 0.0) is not None


async def test_the_use_of_a_key_is_written_seldom() -> None:
    t = await Tenants.new()
    key = await t.key(t.acme, "key")
    use = KeyUse(t.store, t.clock)

    async def used() -> ApiKey:
        await authenticator_of(t.store, t.clock, use).caller(f"Bearer {t.acme.id}:key")
        await use.write()
        async with t.store(reading=True) as uow:
            found = await uow.api_keys.get(t.acme.id, key.id)
        assert found is not None
        return found

    assert (await used()).last_used_at == values.NOON
    t.clock.advance(TO_WITHIN.total_seconds() - 1)
    assert (await used()).last_used_at == values.NOON
    t.clock.advance(1)
    assert (await used()).last_used_at == values.NOON + TO_WITHIN
