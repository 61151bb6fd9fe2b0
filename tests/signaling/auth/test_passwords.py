from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from signaling.auth.passwords import AT_ONCE, HASHER, MAX_WAITING, Argon2Passwords
from signaling.errors import OverloadedError
from tests.signaling.rest.world import QUICK


@pytest.mark.asvs("11.4.2")
async def test_a_password_matches_its_hash_and_nothing_else_does() -> None:
    passwords = Argon2Passwords(QUICK)
    kept = await passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$") and "horse" not in kept
    assert await passwords.matches("correct horse battery", kept)
    for password, hashed in (("wrong", kept), ("correct horse battery", "no hash"), ("", None)):
        assert not await passwords.matches(password, hashed)


@pytest.mark.asvs("11.4.2")
async def test_a_hash_with_weaker_settings_is_outdated() -> None:
    kept = await Argon2Passwords(QUICK).hash("correct horse battery")
    assert Argon2Passwords(HASHER).outdated(kept) and not Argon2Passwords(QUICK).outdated(kept)


@pytest.mark.asvs("6.3.8")
def test_an_unknown_account_costs_what_a_known_one_does() -> None:
    kept = HASHER.hash("correct horse battery")
    assert Argon2Passwords()._unmatched.split("$")[:4] == kept.split("$")[:4]
    assert len(Argon2Passwords()._unmatched) == len(kept)


class Held(PasswordHasher):
    """Hashes when it may."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.may = threading.Event()
        self.at_once = self.most = 0

    def verify(self, *_: object) -> bool:  # type: ignore[override]
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.may.wait(10)
        self.at_once -= 1
        return True


@pytest.mark.asvs("6.3.1")
async def test_only_so_many_are_hashed_at_once_and_only_so_many_wait() -> None:
    held = Held()
    passwords = Argon2Passwords(held)
    waiting = [asyncio.create_task(passwords.matches("x", "y")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await passwords.matches("x", "y")
    held.may.set()
    assert all(await asyncio.gather(*waiting))
    assert held.most <= AT_ONCE
    assert await passwords.matches("x", "y")
