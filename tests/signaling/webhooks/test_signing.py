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

from signaling.auth.sealing import SecretBox
from signaling.clock import SystemClock
from signaling.domain.webhook import Shape, subscriber_of
from signaling.domain.webhook_delivery import Delivery
from signaling.domain.webhook_events import Setting, delivery
from signaling.domain.webhook_key import ANNOUNCED_BEFORE, KEPT_AFTER
from signaling.errors import ConflictError, InvalidInputError
from signaling.services.ports import Clock
from signaling.store.database import Database
from signaling.testing import FakeClock
from signaling.webhooks.key_pairs import PURPOSE, WebhookKeyPairs
from signaling.webhooks.key_ring import WebhookKeyRing
from signaling.webhooks.signing import WebhookKeys, signed_headers
from tests.signaling import values
from tests.signaling.values import NOON

KEYS = WebhookKeys.generate()
DOCUMENT = WebhookKeyRing.of(KEYS, SystemClock()).document()
ACME = values.organization()
DELIVERY = values.deliveries(values.session(values.meeting(ACME)), values.webhook(ACME))[0]


def verify_ed25519(headers: dict[str, str], body: bytes, vendor: str = "rostrum") -> None:
    """As a receiver does, with nothing but the published key. Raises `InvalidSignature`."""
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(DOCUMENT["ed25519"]))
    signed = headers[f"{vendor}-timestamp"].encode() + b"|" + body
    public.verify(base64.b64decode(headers[f"{vendor}-signature-ed25519"]), signed)


def verify_rsa(headers: dict[str, str], body: bytes, vendor: str) -> None:
    public = load_pem_public_key(DOCUMENT["publicKey"].encode())
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
    for one in DOCUMENT["keys"]:
        (rsa if one["kty"] == "RSA" else okp).update(one)
    assert jwt.PyJWK(rsa).key.public_numbers() == KEYS.rsa.public_key().public_numbers()
    assert jwt.PyJWK(okp).key == KEYS.ed25519.public_key()
    assert not {"d", "p", "q"} & (rsa.keys() | okp.keys())


SECRET = "a secret key of the tests, long enough"


async def stored(database: Database, clock: Clock, secret: str = SECRET) -> WebhookKeyPairs:
    """Those of one more server."""
    keys = WebhookKeyPairs(database, SecretBox(secret, PURPOSE), clock)
    await keys.start()
    return keys


def told(keys: WebhookKeyPairs) -> list[tuple[str, str]]:
    """The Ed25519 keys that are published."""
    return [(one["kid"], one["status"]) for one in keys.ring.document()["keys"] if one["kty"] == "OKP"]


async def test_the_keys_are_made_once_for_all_servers_on_a_database(either: Database) -> None:
    clock = SystemClock()
    first, second = await asyncio.gather(*(stored(either, clock) for _ in range(2)))
    later = await stored(either, clock)
    assert first.ring.document() == second.ring.document() == later.ring.document()


@pytest.mark.asvs("13.3.1")
async def test_the_keys_are_sealed_in_the_database(database: Database) -> None:
    made = await stored(database, SystemClock())
    async with database(reading=True) as uow:
        (kept,) = await uow.webhook_keys.all()
    for kind, secret in made.ring.signing.to_secrets().items():
        assert base64.b64encode(secret).decode()[:40] not in getattr(kept, kind)
    with pytest.raises(InvalidInputError, match="another secret key"):
        await stored(database, SystemClock(), SECRET + "!")


@pytest.mark.asvs("13.3.4")
async def test_the_next_keys_are_announced_a_day_before_they_sign_and_the_former_kept_for_one(
    database: Database,
) -> None:
    clock = FakeClock()
    here, there = await stored(database, clock), await stored(database, clock)
    old = here.ring.signing
    await here.rotate()
    with pytest.raises(ConflictError, match="announced already"):
        await here.rotate()
    await there.look()
    new = there.ring.document()["keys"][2]["kid"]
    assert told(here) == told(there) == [(old.ed25519_id, "current"), (new, "next")]
    clock.advance(ANNOUNCED_BEFORE.total_seconds() - 1)
    assert there.ring.signing.ed25519_id == old.ed25519_id
    clock.advance(1)
    for one in (here, there):
        assert told(one) == [(new, "current"), (old.ed25519_id, "previous")], "without a look"
        headers = signed_headers(DELIVERY, 1, one.ring.signing, NOON)
        assert headers["rostrum-key-id"] == new
        published = {key["kid"]: key for key in one.ring.document()["keys"]}
        assert published[headers["rostrum-rsa-key-id"]]["alg"] == "RS256"
        jwt.PyJWK(published[new]).key.verify(
            base64.b64decode(headers["rostrum-signature-ed25519"]),
            headers["rostrum-timestamp"].encode() + b"|" + DELIVERY.body.encode(),
        )
        assert one.ring.document()["ed25519"] == one.ring.signing.ed25519_text
    clock.advance(KEPT_AFTER.total_seconds())
    await there.look()
    assert told(there) == [(new, "current")]
    assert told(await stored(database, clock)) == told(there), "also in the store"


@pytest.mark.asvs("13.3.4")
async def test_keys_that_somebody_else_has_can_be_replaced_at_once(database: Database) -> None:
    clock = FakeClock()
    here, there = await stored(database, clock), await stored(database, clock)
    old = told(here)
    await here.rotate()
    await here.rotate(at_once=True)
    await there.look()
    ((kid, status),) = told(there)
    assert (status, there.ring.signing.ed25519_id) == ("current", kid)
    assert told(here) == told(there)
    assert kid != old[0][0]


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
    script["verify"](headers, body, DOCUMENT["keys"])
    with pytest.raises(InvalidSignature):
        script["verify"](headers, body + b" ", DOCUMENT["keys"])
    with pytest.raises(ValueError, match="too old"):
        script["verify"](signed_headers(one, 1, KEYS, NOON), body, DOCUMENT["keys"])
    with pytest.raises(ValueError, match="unknown key"):
        script["verify"](headers, body, [])


def test_the_documented_javascript_verifies_what_is_sent_and_so_does_who_prints_it_anew() -> None:
    one = hard_delivery()
    script = f"""{documented("js")}
        import {{ verify as rsa }} from "node:crypto";
        import {{ readFileSync }} from "node:fs";
        const {{ document, headers, body, old }} = JSON.parse(readFileSync(0));
        const printed = Buffer.from(JSON.stringify(JSON.parse(body)));
        const signature = Buffer.from(headers["dyte-signature"], "base64");
        console.log(JSON.stringify([
            verified(headers, Buffer.from(body), document.keys),
            verified(headers, Buffer.from(body + " "), document.keys),
            verified(old, Buffer.from(body), document.keys),
            rsa("RSA-SHA256", printed, document.publicKey, signature),
        ]));
    """
    told = {
        "document": DOCUMENT,
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
