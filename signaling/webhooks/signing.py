"""The signatures that a receiver verifies, and the keys behind them.

Every delivery is signed with Ed25519 over `timestamp|body`: the time keeps what was overheard from being sent
again later. Deliveries to an organization's webhook carry a signature with RSA and SHA-256 of the body as
well, under the names of headers that its receivers know; those to a room's carry the first one under theirs.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
    load_der_private_key,
)

from signaling.domain.webhook import Shape
from signaling.domain.webhook_delivery import Delivery

RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class WebhookKeys:
    """A pair for the whole platform. Receivers find the public halves at `/.well-known/webhooks.json`, by the
    ids that the headers of a delivery name."""

    ed25519: Ed25519PrivateKey
    rsa: RSAPrivateKey

    @classmethod
    def generate(cls) -> WebhookKeys:
        return cls(Ed25519PrivateKey.generate(), generate_private_key(65537, RSA_BITS))

    @classmethod
    def from_secrets(cls, secrets: Mapping[str, bytes]) -> WebhookKeys:
        """What `to_secrets` gave."""
        ed25519, rsa = (load_der_private_key(secrets[kind], password=None) for kind in ("ed25519", "rsa"))
        assert isinstance(ed25519, Ed25519PrivateKey)
        assert isinstance(rsa, RSAPrivateKey)
        return cls(ed25519, rsa)

    def to_secrets(self) -> dict[str, bytes]:
        """The private keys by kind, as PKCS #8 in DER: to be sealed."""
        pkcs8 = Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        return {"ed25519": self.ed25519.private_bytes(*pkcs8), "rsa": self.rsa.private_bytes(*pkcs8)}

    @property
    def ed25519_text(self) -> str:
        """The public key in base64."""
        return base64.b64encode(self._ed25519_raw).decode()

    @property
    def rsa_pem(self) -> str:
        """The public key."""
        spki = self.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return spki.decode()

    @property
    def ed25519_id(self) -> str:
        return _key_id(self._ed25519_raw)

    @property
    def rsa_id(self) -> str:
        return _key_id(self.rsa_pem.encode())

    def jwks(self) -> list[dict[str, Any]]:
        """The public halves (RFC 7517, RFC 8037)."""
        numbers = self.rsa.public_key().public_numbers()
        okp = {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "x": _base64url(self._ed25519_raw),
        }
        rsa = {"kty": "RSA", "alg": "RS256", "use": "sig", "n": _number(numbers.n), "e": _number(numbers.e)}
        return [okp | {"kid": self.ed25519_id}, rsa | {"kid": self.rsa_id}]

    @property
    def _ed25519_raw(self) -> bytes:
        return self.ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


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
        "rostrum-key-id": keys.ed25519_id,
    }
    if delivery.webhook_id is not None:
        headers["rostrum-webhook-id"] = delivery.webhook_id
    if delivery.shape is Shape.ROOM:
        return headers | {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": ed25519}
    rsa = base64.b64encode(keys.rsa.sign(body, PKCS1v15(), SHA256())).decode()
    headers["rostrum-rsa-key-id"] = keys.rsa_id
    for vendor in ("dyte", "rtk"):
        headers |= {
            f"{vendor}-webhook-id": delivery.webhook_id or "",
            f"{vendor}-uuid": delivery.event_id,
            f"{vendor}-signature": rsa,
        }
    return headers


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
