"""Keys that sign tokens, in the store: they are everybody's who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signaling.domain.signing_key import StoredKey


class SigningKeyRepository(Protocol):
    async def all(self) -> Sequence[StoredKey]:
        """By when they begin to sign."""
        ...

    async def add(self, key: StoredKey) -> None: ...
    async def lengthen(self, key_id: str, longest_token: int) -> None: ...
    async def remove(self, key_id: str) -> None: ...
