"""Passwords, hashed with Argon2id (RFC 9106).

One hash takes 46 MiB, as OWASP's password storage cheat sheet has it, and some 120 ms of a core. It is made
in a thread, two at a time at most, so that neither the loop nor the memory is taken by who only tries
passwords. Where there is no account a hash that nothing matches is tried instead: the answer takes as
long.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from signaling.errors import OverloadedError

HASHER: Final = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
"""Memory in KiB."""
AT_ONCE: Final = 2
MAX_WAITING: Final = 50


class Argon2Passwords:
    """Implements `signaling.services.ports.Passwords`."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._unmatched = _unmatched(hasher)

    async def hash(self, password: str) -> str:
        """Raises `OverloadedError` where too many wait."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, kept: str | None) -> bool:
        """Raises `OverloadedError` where too many wait."""
        async with self._turn():
            return await asyncio.to_thread(self._matches, password, kept or self._unmatched)

    def outdated(self, kept: str) -> bool:
        return self._hasher.check_needs_rehash(kept)

    def _matches(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise OverloadedError("Too many log in at the moment. Try again in some seconds.", retry_after=5)
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1


def _unmatched(hasher: PasswordHasher) -> str:
    """A hash of nothing, with the hasher's settings."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"
