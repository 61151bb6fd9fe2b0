"""The signatures that a receiver verifies, and the keys behind them.

Every delivery is signed with Ed25519 over `timestamp|body`: the time keeps what was overheard from being sent
again later. Deliveries to an organization's webhook carry a signature with RSA and SHA-256 of the body as
well, under the names of headers that its receivers know; those to a room's carry the first one under theirs.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from signaling.auth.keys import write_private
from signaling.domain.webhook import Shape
from signaling.domain.webhook_delivery import Delivery
from signaling.errors import InvalidInputError

RSA_BITS: Final = 2048
ED25519_FILE: Final = "webhook-ed25519.pem"
RSA_FILE: Final = "webhook-rsa.pem"


@dataclass(frozen=True, slots=True)
class WebhookKeys:
    """One pair for the whole platform: receivers find the public halves at `/.well-known/webhooks.json`."""

    ed25519: Ed25519PrivateKey
    rsa: RSAPrivateKey

    @classmethod
    def generate(cls) -> WebhookKeys:
        return cls(Ed25519PrivateKey.generate(), generate_private_key(65537, RSA_BITS))

    @classmethod
    def load_or_create(cls, folder: Path) -> WebhookKeys:
        """From two PEM files (0600), made where they are not there. Raises `InvalidInputError` for a file
        that holds something else or that others may read."""
        ed25519 = _loaded(folder / ED25519_FILE, Ed25519PrivateKey.generate)
        rsa = _loaded(folder / RSA_FILE, lambda: generate_private_key(65537, RSA_BITS))
        for path, fits in (
            (folder / ED25519_FILE, isinstance(ed25519, Ed25519PrivateKey)),
            (folder / RSA_FILE, isinstance(rsa, RSAPrivateKey)),
        ):
            if not fits:
                raise InvalidInputError(f"{path} holds another kind of key; move it away to have one made")
        assert isinstance(ed25519, Ed25519PrivateKey)
        assert isinstance(rsa, RSAPrivateKey)
        return cls(ed25519, rsa)

    def document(self) -> Mapping[str, Any]:
        """What is published: `publicKey` is the RSA key in PEM, `ed25519` the other in base64; `keys` are
        both as JWKs (RFC 7517, RFC 8037)."""
        raw = self.ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        pem = self.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        numbers = self.rsa.public_key().public_numbers()
        okp = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": _base64url(raw)}
        rsa = {"kty": "RSA", "alg": "RS256", "use": "sig", "n": _number(numbers.n), "e": _number(numbers.e)}
        return {
            "publicKey": pem.decode(),
            "ed25519": base64.b64encode(raw).decode(),
            "keys": [okp | {"kid": _key_id(raw)}, rsa | {"kid": _key_id(pem)}],
        }


def signed_headers(delivery: Delivery, number: int, keys: WebhookKeys, now: datetime) -> dict[str, str]:
    """Of the attempt with that number, made now."""
    body = delivery.body.encode()
    timestamp = str(int(now.timestamp()))
    ed25519 = base64.b64encode(keys.ed25519.sign(f"{timestamp}|".encode() + body)).decode()
    headers = {
        "content-type": "application/json",
        "rostrum-event-id": delivery.event_id,
        "rostrum-delivery-id": delivery.id,
        "rostrum-attempt": str(number),
        "rostrum-timestamp": timestamp,
        "rostrum-signature-ed25519": ed25519,
    }
    if delivery.webhook_id is not None:
        headers["rostrum-webhook-id"] = delivery.webhook_id
    if delivery.shape is Shape.ROOM:
        return headers | {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": ed25519}
    rsa = base64.b64encode(keys.rsa.sign(body, PKCS1v15(), SHA256())).decode()
    for vendor in ("dyte", "rtk"):
        headers |= {
            f"{vendor}-webhook-id": delivery.webhook_id or "",
            f"{vendor}-uuid": delivery.event_id,
            f"{vendor}-signature": rsa,
        }
    return headers


def _loaded(path: Path, make: Callable[[], Ed25519PrivateKey | RSAPrivateKey]) -> object:
    if not path.exists():
        write_private(path, make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    if path.stat().st_mode & 0o077:
        raise InvalidInputError(f"others may read the signing key {path}; run chmod 600 on it")
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise InvalidInputError(f"{path} is not a private key in PEM: {error}") from None


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
