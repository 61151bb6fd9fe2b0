"""What nobody can guess, and what is kept of it.

All of these have 256 random bits, so a fast hash is the right one: there is nothing to try. An API key begins
with `rk_`, by which people and scanners of leaked secrets know it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from signaling.services.ports import NewKey

KEY_BEGINS: Final = "rk_"
_SHOWN: Final = len(KEY_BEGINS) + 8
"""Characters of a key by which it can be told from others; 224 bits are left."""


class RandomSecrets:
    """Implements `signaling.services.ports.Secrets`."""

    def new_key(self) -> NewKey:
        text = KEY_BEGINS + secrets.token_hex(32)
        return NewKey(text, text[:_SHOWN], self.digest(text))

    def new_token(self) -> str:
        """43 characters that go into any URL."""
        return secrets.token_urlsafe(32)

    def digest(self, token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()
