"""Ed25519 keys that sign tokens.

A key's id is derived from its public half, so a token names the key that signed it. There is no default key:
the first start makes one (`signaling.auth.signing_keys`).
"""

from __future__ import annotations

import base64
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

    @property
    def public_text(self) -> str:
        """The 32 bytes in base64url, as "x" of a JWK (RFC 8037 section 2)."""
        raw = self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(hashlib.sha256(raw).hexdigest()[:16], private)

    @classmethod
    def generate(cls) -> SigningKey:
        return cls.of(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """Raises `ValueError`."""
        private = load_pem_private_key(pem, password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError("it is not an Ed25519 key")
        return cls.of(private)

    def to_pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """Raises `InvalidInputError` for a file that holds something else or that others may read."""
        if path.stat().st_mode & 0o077:
            raise InvalidInputError(f"others may read the signing key {path}; run chmod 600 on it")
        try:
            return cls.from_pem(path.read_bytes())
        except ValueError as error:
            raise InvalidInputError(
                f"{path} is not an Ed25519 private key in PEM; move it away to have one made: {error}"
            ) from None


def read_former(path: Path) -> SigningKey | None:
    """The key in a file of versions that kept none in the store; see `SigningKey.read`."""
    return SigningKey.read(path) if path.exists() else None


def put_aside(path: Path) -> None:
    """It is in the store now. (A version that knows no keys there would want the file back.)"""
    if path.exists():
        path.replace(path.with_name(path.name + ".imported"))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically by one that only its owner may read, on disk before this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
