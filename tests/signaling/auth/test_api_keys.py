from __future__ import annotations

import base64

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
from signaling.domain.caller import EVERYTHING
from signaling.errors import NotFoundError, UnauthorizedError
from signaling.testing import MemoryStore
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


def test_keys_are_long_random_and_kept_as_hashes() -> None:
    one, other = new_api_key(), new_api_key()
    assert one != other and len(bytes.fromhex(one)) == 32
    kept = values.api_key(values.organization(), hash_api_key(one))
    assert one not in repr(kept)
    assert kept.key_hash == hash_api_key(one) != hash_api_key(other)


async def test_only_the_right_key_of_the_right_organization_is_let_in() -> None:
    store = MemoryStore()
    acme, rival = values.organization(), values.organization("Rival")
    async with store() as uow:
        for organization, key in ((acme, "acme-key"), (rival, "rival-key")):
            await uow.organizations.add(organization)
            await uow.organizations.add_key(values.api_key(organization, hash_api_key(key)))
        await uow.commit()
    authenticator = Authenticator(store)
    caller = await authenticator.caller(f"Bearer {acme.id}:acme-key")
    assert (caller.organization_id, caller.scopes) == (acme.id, EVERYTHING)
    for pair in (f"{acme.id}:rival-key", f"{rival.id}:acme-key", "nobody:acme-key"):
        with pytest.raises(UnauthorizedError):
            await authenticator.caller(f"Bearer {pair}")


async def test_a_key_alone_speaks_for_its_organization() -> None:
    store, acme, key = MemoryStore(), values.organization(), new_api_key()
    async with store() as uow:
        await uow.organizations.add(acme)
        await uow.organizations.add_key(values.api_key(acme, hash_api_key(key)))
        await uow.commit()
    authenticator = Authenticator(store)
    assert (await authenticator.caller(f"Bearer {key}")).organization_id == acme.id
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(f"Bearer {new_api_key()}")


async def test_a_path_of_another_organization_is_not_there() -> None:
    store, acme, key = MemoryStore(), values.organization(), new_api_key()
    async with store() as uow:
        await uow.organizations.add(acme)
        await uow.organizations.add_key(values.api_key(acme, hash_api_key(key)))
        await uow.commit()
    authenticator = Authenticator(store)
    for named in ({"account_id": "other"}, {"app_id": "other"}):
        with pytest.raises(NotFoundError):
            await authenticator.caller(f"Bearer {key}", **named)
