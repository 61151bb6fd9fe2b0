from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from signaling.domain.webhook import Shape
from signaling.errors import InvalidInputError
from signaling.webhooks.signing import ED25519_FILE, RSA_FILE, WebhookKeys, signed_headers
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


def test_keys_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    made = WebhookKeys.load_or_create(tmp_path)
    again = WebhookKeys.load_or_create(tmp_path)
    assert made.document() == again.document()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    (tmp_path / RSA_FILE).chmod(0o640)
    with pytest.raises(InvalidInputError, match="chmod 600"):
        WebhookKeys.load_or_create(tmp_path)


def test_a_key_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    WebhookKeys.load_or_create(tmp_path)
    (tmp_path / RSA_FILE).write_bytes((tmp_path / ED25519_FILE).read_bytes())
    with pytest.raises(InvalidInputError, match=f"{RSA_FILE} holds another kind of key"):
        WebhookKeys.load_or_create(tmp_path)
    (tmp_path / RSA_FILE).write_bytes(b"nonsense")
    with pytest.raises(InvalidInputError, match="not a private key"):
        WebhookKeys.load_or_create(tmp_path)
