from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from signaling.auth.sealing import SecretBox
from signaling.clock import SystemClock
from signaling.domain.webhook import Shape
from signaling.errors import InvalidInputError
from signaling.store.database import Database
from signaling.webhooks.signing import WebhookKeys, signed_headers
from signaling.webhooks.stored_keys import PURPOSE, stored_webhook_keys
from tests.signaling import values
from tests.signaling.values import NOON

KEYS = WebhookKeys.generate()
ACME = values.organization()
DELIVERY = values.deliveries(values.session(values.meeting(ACME)), values.webhook(ACME))[0]


def verify_ed25519(headers: dict[str, str], body: bytes, vendor: str = "rostrum") -> None:
    """As a receiver does, with nothing but the published key. Raises `InvalidSignature`."""
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(KEYS.document()["ed25519"]))
    signed = headers[f"{vendor}-timestamp"].encode() + b"|" + body
    public.verify(base64.b64decode(headers[f"{vendor}-signature-ed25519"]), signed)


def verify_rsa(headers: dict[str, str], body: bytes, vendor: str) -> None:
    public = load_pem_public_key(KEYS.document()["publicKey"].encode())
    assert isinstance(public, RSAPublicKey)
    public.verify(base64.b64decode(headers[f"{vendor}-signature"]), body, PKCS1v15(), SHA256())


def test_what_an_organization_is_sent_is_verified_with_the_published_keys() -> None:
    headers, body = signed_headers(DELIVERY, 2, KEYS, NOON), DELIVERY.body.encode()
    verify_ed25519(headers, body)
    for vendor in ("dyte", "rtk"):
        verify_rsa(headers, body, vendor)
        assert headers[f"{vendor}-webhook-id"] == headers["rostrum-webhook-id"] == DELIVERY.webhook_id
        assert headers[f"{vendor}-uuid"] == headers["rostrum-event-id"] == DELIVERY.event_id
        with pytest.raises(InvalidSignature):
            verify_rsa(headers, body + b" ", vendor)
    assert (headers["rostrum-delivery-id"], headers["rostrum-attempt"]) == (DELIVERY.id, "2")
    assert headers["content-type"] == "application/json"
    with pytest.raises(InvalidSignature):
        verify_ed25519(headers, body + b" ")
    with pytest.raises(InvalidSignature):
        verify_ed25519(headers | {"rostrum-timestamp": "0"}, body)


def test_what_a_room_is_sent_is_signed_under_the_names_of_its_receivers() -> None:
    headers = signed_headers(replace(DELIVERY, shape=Shape.ROOM, webhook_id=None), 1, KEYS, NOON)
    verify_ed25519(headers, DELIVERY.body.encode(), "telnyx")
    assert headers["telnyx-timestamp"] == headers["rostrum-timestamp"] == str(int(NOON.timestamp()))
    assert not [name for name in headers if name.startswith(("dyte", "rtk"))]


def test_the_keys_are_published_as_jwks_too() -> None:
    rsa, okp = {}, {}
    for one in KEYS.document()["keys"]:
        (rsa if one["kty"] == "RSA" else okp).update(one)
    assert jwt.PyJWK(rsa).key.public_numbers() == KEYS.rsa.public_key().public_numbers()
    assert jwt.PyJWK(okp).key == KEYS.ed25519.public_key()
    assert not {"d", "p", "q"} & (rsa.keys() | okp.keys())


SECRET = "a secret key of the tests, long enough"


async def test_the_keys_are_made_once_for_all_servers_on_a_database(either: Database) -> None:
    box, clock = SecretBox(SECRET, PURPOSE), SystemClock()
    first, second = await asyncio.gather(*(stored_webhook_keys(either, box, clock) for _ in range(2)))
    later = await stored_webhook_keys(either, SecretBox(SECRET, PURPOSE), clock)
    assert first.document() == second.document() == later.document()


async def test_the_keys_are_sealed_in_the_database(database: Database) -> None:
    made = await stored_webhook_keys(database, SecretBox(SECRET, PURPOSE), SystemClock())
    async with database(reading=True) as uow:
        kept = await uow.webhooks.keys()
    assert kept.keys() == made.to_secrets().keys()
    for kind, secret in made.to_secrets().items():
        assert base64.b64encode(secret).decode()[:40] not in kept[kind]
    with pytest.raises(InvalidInputError, match="another secret key"):
        await stored_webhook_keys(database, SecretBox(SECRET + "!", PURPOSE), SystemClock())
