"""Signing keys that servers share: made once, sealed, rotated, and gone when their last token is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from signaling.auth.keys import SigningKey, put_aside, read_former
from signaling.auth.sealing import SecretBox, read_secret_key
from signaling.auth.signing_keys import PUBLISHED_BEFORE, SigningKeys
from signaling.auth.tokens import AUDIENCE, JwtTokens
from signaling.domain.signing_key import AFTERMATH, StoredKey
from signaling.errors import InvalidInputError, InvalidTokenError
from signaling.services.ports import UnitOfWorkFactory
from signaling.store.database import Database
from signaling.testing import FakeClock, MemoryStore
from tests.signaling import values

SECRET = "secret " * 5
DAY = timedelta(days=1)
ADA = values.participant(values.meeting(values.organization()))


class Server:
    """What one server knows of the keys, and the tokens it makes."""

    def __init__(
        self,
        store: UnitOfWorkFactory,
        clock: FakeClock,
        *,
        secret: str = SECRET,
        ttl: timedelta = DAY,
        rotate_after: timedelta | None = None,
    ) -> None:
        box = SecretBox(secret, "signing keys")
        self.keys = SigningKeys(store, box, clock, longest_token=ttl, rotate_after=rotate_after)
        self.tokens = JwtTokens(self.keys.ring, clock, ttl)

    def signs_with(self) -> str:
        key_id: str = jwt.get_unverified_header(self.tokens.issue(ADA))["kid"]
        return key_id

    def takes(self, token: str) -> bool:
        try:
            self.tokens.verify(token)
        except InvalidTokenError:
            return False
        return True


async def stored(store: UnitOfWorkFactory) -> Sequence[StoredKey]:
    async with store(reading=True) as uow:
        return await uow.signing_keys.all()


async def two(
    store: UnitOfWorkFactory, clock: FakeClock, rotate_after: timedelta | None = None
) -> tuple[Server, Server]:
    a, b = (Server(store, clock, rotate_after=rotate_after) for _ in range(2))
    await asyncio.gather(a.keys.start(), b.keys.start())
    return a, b


async def test_servers_that_start_together_make_one_key_and_take_each_others_tokens(either: Database) -> None:
    a, b = await two(either, FakeClock())
    assert len(await stored(either)) == 1
    assert b.takes(a.tokens.issue(ADA))
    assert a.takes(b.tokens.issue(ADA))


@pytest.mark.asvs("13.3.4")
async def test_a_new_key_is_known_to_all_before_it_signs_and_nobody_restarts() -> None:
    store, clock = MemoryStore(), FakeClock()
    a, b = await two(store, clock)
    first, token = a.signs_with(), a.tokens.issue(ADA)
    second = await a.keys.rotate()
    assert a.signs_with() == first
    assert second in {one["kid"] for one in a.keys.ring.jwks()["keys"]}

    await b.keys.look()
    clock.advance(PUBLISHED_BEFORE.total_seconds())
    assert a.signs_with() == second
    assert b.takes(a.tokens.issue(ADA))
    assert b.takes(token)


async def test_a_key_verifies_until_its_last_token_is_over_and_then_goes() -> None:
    store, clock = MemoryStore(), FakeClock()
    server = Server(store, clock)
    await server.keys.start()
    await server.keys.rotate()
    clock.advance(PUBLISHED_BEFORE.total_seconds() - 1)
    last = server.tokens.issue(ADA)
    clock.advance(DAY.total_seconds() - 1)
    await server.keys.look()
    assert server.takes(last)
    clock.advance(2 + AFTERMATH.total_seconds())
    await server.keys.look()
    assert [one.id for one in await stored(store)] == [server.signs_with()]
    assert not server.takes(last)


async def test_a_server_whose_tokens_are_good_for_longer_has_the_key_kept_for_longer() -> None:
    store, clock = MemoryStore(), FakeClock()
    short, long = Server(store, clock), Server(store, clock, ttl=7 * DAY)
    await short.keys.start()
    await long.keys.start()
    token = long.tokens.issue(ADA)
    await short.keys.rotate()
    clock.advance((7 * DAY).total_seconds() - 1)
    for server in (short, long):
        await server.keys.look()
        assert server.takes(token)


@pytest.mark.asvs("13.3.4")
async def test_a_key_that_somebody_else_may_have_is_void_at_once() -> None:
    store, clock = MemoryStore(), FakeClock()
    a, b = await two(store, clock)
    stolen = a.tokens.issue(ADA)
    await a.keys.rotate(void_others=True)
    await b.keys.look()
    assert not a.takes(stolen)
    assert not b.takes(stolen)
    assert b.takes(a.tokens.issue(ADA))


async def test_an_old_key_is_rotated_by_one_of_all_servers(either: Database) -> None:
    clock = FakeClock()
    a, b = await two(either, clock, rotate_after=90 * DAY)
    await a.keys.look()
    assert len(await stored(either)) == 1
    clock.advance((90 * DAY).total_seconds())
    await asyncio.gather(a.keys.look(), b.keys.look())
    first, second = await stored(either)
    assert second.active_from - first.created_at == 90 * DAY + PUBLISHED_BEFORE


async def test_who_has_another_secret_key_is_told_so_and_makes_no_key_of_its_own() -> None:
    store, clock = MemoryStore(), FakeClock()
    await Server(store, clock).keys.start()
    with pytest.raises(InvalidInputError, match="--secret-key-file"):
        await Server(store, clock, secret="another " * 5).keys.start()
    assert len(await stored(store)) == 1


@pytest.mark.asvs("13.3.1")
async def test_the_store_has_no_private_key_in_the_clear_and_none_can_be_put_in_anothers_place() -> None:
    store, clock = MemoryStore(), FakeClock()
    server = Server(store, clock)
    await server.keys.start()
    (key,) = await stored(store)
    assert b"PRIVATE KEY" not in store.pages()
    box = SecretBox(SECRET, "signing keys")
    assert SigningKey.from_pem(box.open(key.private_key, key.id)).key_id == key.id
    with pytest.raises(InvalidInputError):
        box.open(key.private_key, "another id")
    with pytest.raises(InvalidInputError):
        SecretBox(SECRET, "another purpose").open(key.private_key, key.id)


async def test_the_key_of_former_versions_goes_on_signing_and_its_file_is_put_aside(tmp_path: Path) -> None:
    store, clock, path = MemoryStore(), FakeClock(), tmp_path / "token-key.pem"
    former = SigningKey.generate()
    path.write_bytes(former.to_pem())
    path.chmod(0o600)
    server = Server(store, clock)
    await server.keys.start(read_former(path))
    put_aside(path)
    assert server.signs_with() == former.key_id
    assert not path.exists()
    await Server(store, clock).keys.start(read_former(path))
    assert len(await stored(store)) == 1


async def test_a_second_servers_former_key_verifies_for_as_long_as_its_tokens_are_good() -> None:
    store, clock = MemoryStore(), FakeClock()
    first = Server(store, clock)
    await first.keys.start()
    signing = first.signs_with()
    clock.advance((30 * DAY).total_seconds())
    former = SigningKey.generate()
    token = JwtTokens(first.keys.ring.of(former, clock), clock, DAY).issue(ADA)
    second = Server(store, clock)
    await second.keys.start(former)
    assert second.signs_with() == signing
    clock.advance(DAY.total_seconds() - 1)
    await second.keys.look()
    assert second.takes(token)
    clock.advance(1 + AFTERMATH.total_seconds())
    await second.keys.look()
    assert [one.id for one in await stored(store)] == [signing]


async def test_a_token_is_verified_by_the_published_document_alone() -> None:
    store, clock = MemoryStore(), FakeClock()
    server = Server(store, clock)
    await server.keys.start()
    token = server.tokens.issue(ADA)
    published = jwt.PyJWKSet.from_dict(server.keys.ring.jwks())
    key = published[jwt.get_unverified_header(token)["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key.key, algorithms=["EdDSA"], audience=AUDIENCE, options=options)
    assert claims["participant_id"] == ADA.id


def test_a_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    secret = read_secret_key(path)
    assert read_secret_key(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(InvalidInputError, match="chmod"):
        read_secret_key(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(InvalidInputError, match="characters"):
        read_secret_key(path)
