"""Secrets at rest: what the store keeps of a key is read only with the secret key, which it does not have.

AES-256-GCM (NIST SP 800-38D) under a key that HKDF-SHA256 (RFC 5869) makes for one purpose; the purpose and
the name of what is sealed are bound to it, so that no sealed secret can be put in the place of another.

    sealed   "v1." base64url(nonce of 12 bytes, ciphertext, tag)
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signaling.auth.keys import write_private
from signaling.config import MIN_SECRET_KEY
from signaling.errors import InvalidInputError

SECRET_KEY_FILE: Final = "secret.key"
"""In the data directory, where no secret key is configured."""
_VERSION: Final = "v1."
_NONCE: Final = 12


class SecretBox:
    """Of one purpose ("signing keys"). Several processes with the same secret key open each other's."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        assert len(secret_key) >= MIN_SECRET_KEY, "the settings see to it"
        info = b"rostrum " + purpose.encode()
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=info).derive(secret_key.encode()))

    def seal(self, secret: bytes, name: str) -> str:
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, secret, name.encode())
        return _VERSION + base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, name: str) -> bytes:
        """Raises `InvalidInputError` where it was sealed with another secret key."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION).encode())
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], name.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise InvalidInputError(
                "the secrets in the database were sealed with another secret key: give every server on it "
                f"the same --secret-key-file ({SECRET_KEY_FILE} of the data directory that was there first)",
                field="secret_key",
            ) from None


def read_secret_key(path: Path) -> str:
    """Made where there is none. Raises `InvalidInputError` for a file that others may read, or that holds too
    little."""
    if not path.exists():
        write_private(path, os.urandom(32).hex().encode() + b"\n")
    if path.stat().st_mode & 0o077:
        raise InvalidInputError(f"others may read the secret key {path}; run chmod 600 on it")
    secret = path.read_text("utf-8", errors="replace").strip()
    if len(secret) < MIN_SECRET_KEY:
        raise InvalidInputError(f"{path} holds less than {MIN_SECRET_KEY} characters: it is no secret key")
    return secret
