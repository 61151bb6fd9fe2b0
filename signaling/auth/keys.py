"""The Ed25519 key that signs participant tokens: made at the first start, kept in the data directory.

There is no default and no way to configure one by value; whoever wants the same key on several machines puts
the same file there. Its key id is derived from the public key, so a token names the key that signed it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from signaling.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class SigningKey:
    key_id: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(hashlib.sha256(raw).hexdigest()[:16], private)

    @classmethod
    def generate(cls) -> SigningKey:
        return cls.of(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """Read the PEM file, or make it (0600, whole or not at all). Raises `InvalidInputError` for a file
        that holds something else or that others may read."""
        if not path.exists():
            write_private(path, _to_pem(Ed25519PrivateKey.generate()))
        if path.stat().st_mode & 0o077:
            raise InvalidInputError(f"others may read the signing key {path}; run chmod 600 on it")
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise InvalidInputError(f"{path} is not a private key in PEM: {error}") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise InvalidInputError(f"{path} holds a key that is not Ed25519; move it away to have one made")
        return cls.of(private)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically by one that only its owner may read, on disk before this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _to_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
