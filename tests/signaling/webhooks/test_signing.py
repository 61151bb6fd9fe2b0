from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from telnyx import Telnyx

from signaling.auth.sealing import SecretBox
from signaling.clock import SystemClock
from signaling.domain.webhook import Shape, Subscriber, Target, subscriber_of
from signaling.domain.webhook_delivery import Delivery
from signaling.domain.webhook_events import Setting, delivery
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


# --- as receivers do it ----------------------------------------------------------------------------------

DOCS = Path(__file__).parents[3] / "docs" / "webhooks.md"
HARD = 'Käse "&" </a> \u2028 \x7f \x01 \U0001f600 \\ /'


def documented(language: str) -> str:
    """The script of docs/webhooks.md."""
    (script,) = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    return str(script)


def hard_delivery() -> Delivery:
    """With characters in it that are not always printed in the same way."""
    acme = values.organization(HARD)
    told = values.occurrences(values.session(values.meeting(acme)))[1]
    made = delivery(told, subscriber_of(values.webhook(acme)), Setting(HARD, HARD), NOON)
    assert made is not None
    return made


def test_the_documented_python_verifies_what_is_sent() -> None:
    one = hard_delivery()
    headers, body = signed_headers(one, 1, KEYS, datetime.now(UTC)), one.body.encode()
    script: dict[str, Any] = {}
    exec(documented("python"), script)
    script["verify"](headers, body, KEYS.document()["ed25519"])
    with pytest.raises(InvalidSignature):
        script["verify"](headers, body + b" ", KEYS.document()["ed25519"])
    with pytest.raises(ValueError, match="too old"):
        script["verify"](signed_headers(one, 1, KEYS, NOON), body, KEYS.document()["ed25519"])


def test_the_documented_javascript_verifies_what_is_sent_and_so_does_who_prints_it_anew() -> None:
    one = hard_delivery()
    script = f"""{documented("js")}
        import {{ verify as rsa }} from "node:crypto";
        import {{ readFileSync }} from "node:fs";
        const {{ document, headers, body, old }} = JSON.parse(readFileSync(0));
        const jwk = document.keys.find((key) => key.kty === "OKP");
        const printed = Buffer.from(JSON.stringify(JSON.parse(body)));
        const signature = Buffer.from(headers["dyte-signature"], "base64");
        console.log(JSON.stringify([
            verified(headers, Buffer.from(body), jwk),
            verified(headers, Buffer.from(body + " "), jwk),
            verified(old, Buffer.from(body), jwk),
            rsa("RSA-SHA256", printed, document.publicKey, signature),
        ]));
    """
    told = {
        "document": KEYS.document(),
        "headers": signed_headers(one, 1, KEYS, datetime.now(UTC)),
        "old": signed_headers(one, 1, KEYS, NOON),
        "body": one.body,
    }
    node = subprocess.run(
        ["node", "--input-type=module", "--eval", script],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
    )
    assert node.stdout.strip() == "[true,false,false,true]", node.stderr


def test_the_vendors_own_sdk_takes_what_a_room_is_sent() -> None:
    room = Subscriber("meeting:1", Shape.ROOM, target=Target("https://room.example/", None, 3))
    client = Telnyx(api_key="unused", public_key=KEYS.document()["ed25519"])
    for told in values.occurrences(values.session(values.meeting(ACME))):
        one = delivery(told, room, Setting("Acme", None), NOON)
        assert one is not None
        headers = signed_headers(one, 1, KEYS, datetime.now(UTC))
        event = client.webhooks.unwrap(one.body, headers=headers)
        assert event.data is not None
        assert event.data.to_dict()["event_type"] == one.event
        with pytest.raises(ValueError, match="does not match"):
            client.webhooks.unwrap(one.body + " ", headers=headers)
