from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.tokens import AUDIENCE, ISSUER, JwtTokens
from signaling.domain.participant import Participant
from signaling.errors import InvalidInputError, InvalidTokenError
from signaling.testing import FakeClock
from tests.signaling import values

KEY = SigningKey.generate()
ADA = values.participant(values.meeting(values.organization()))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(clock: FakeClock) -> JwtTokens:
    return JwtTokens(KeyRing.of(KEY, clock), clock, timedelta(hours=1))


def claims(clock: FakeClock, **changes: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": ADA.id,
        "iat": now,
        "exp": now + 60,
        "organization_id": ADA.organization_id,
        "meeting_id": ADA.meeting_id,
        "participant_id": ADA.id,
    } | changes


def signed(payload: dict[str, Any], key: SigningKey = KEY, key_id: str | None = None) -> str:
    return jwt.encode(payload, key.private, "EdDSA", headers={"kid": key_id or key.key_id})


def test_a_token_says_who_and_where(tokens: JwtTokens, clock: FakeClock) -> None:
    said = tokens.verify(tokens.issue(ADA))
    assert (said.organization_id, said.meeting_id, said.participant_id) == (
        ADA.organization_id,
        ADA.meeting_id,
        ADA.id,
    )
    assert said.expires_at == clock.now() + timedelta(hours=1)


def test_a_token_carries_the_preset_name_and_nothing_personal(tokens: JwtTokens) -> None:
    body = jwt.decode(tokens.issue(ADA), options={"verify_signature": False})
    assert body["preset_name"] == ADA.preset_name
    assert ADA.name not in json.dumps(body)


@pytest.mark.asvs("9.2.1")
def test_it_expires(tokens: JwtTokens, clock: FakeClock) -> None:
    token = tokens.issue(ADA)
    clock.advance(3599)
    tokens.verify(token)
    clock.advance(1)
    with pytest.raises(InvalidTokenError, match="expired"):
        tokens.verify(token)


@pytest.mark.asvs("9.1.1", "9.1.2")
def test_unsigned_is_refused(tokens: JwtTokens, clock: FakeClock) -> None:
    token = jwt.encode(claims(clock), None, "none", headers={"kid": KEY.key_id})
    with pytest.raises(InvalidTokenError):
        tokens.verify(token)


@pytest.mark.parametrize("form", ["pem", "raw"])
@pytest.mark.asvs("9.1.2")
def test_the_public_key_is_no_secret_to_sign_with(tokens: JwtTokens, clock: FakeClock, form: str) -> None:
    secret = (
        KEY.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if form == "pem"
        else KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    token = _hs256(claims(clock), secret)
    with pytest.raises(InvalidTokenError):
        tokens.verify(token)


def _hs256(payload: dict[str, Any], secret: bytes) -> str:
    """By hand, for PyJWT itself refuses to do this."""
    import hashlib
    import hmac

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    header = {"alg": "HS256", "kid": KEY.key_id, "typ": "JWT"}
    text = part(json.dumps(header).encode()) + b"." + part(json.dumps(payload).encode())
    return (text + b"." + part(hmac.new(secret, text, hashlib.sha256).digest())).decode()


@pytest.mark.asvs("9.1.3")
def test_another_ed25519_key_is_refused_under_its_own_id_and_under_ours(
    tokens: JwtTokens, clock: FakeClock
) -> None:
    for key_id in (None, KEY.key_id):
        with pytest.raises(InvalidTokenError):
            tokens.verify(signed(claims(clock), SigningKey.generate(), key_id))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "someone"},
        {"aud": "rostrum:api"},
        {"aud": None},
        {"sub": "another"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": True},
        {"meeting_id": None},
    ],
)
@pytest.mark.asvs("9.2.3")
def test_claims_that_are_wrong_or_missing_are_refused_though_signed(
    tokens: JwtTokens, clock: FakeClock, change: dict[str, Any]
) -> None:
    payload = {name: value for name, value in claims(clock, **change).items() if value is not None}
    with pytest.raises(InvalidTokenError):
        tokens.verify(signed(payload))


@pytest.mark.asvs("9.1.1")
def test_a_changed_token_is_refused(tokens: JwtTokens) -> None:
    header, body, signature = tokens.issue(ADA).split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    said["meeting_id"] = "another"
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidTokenError):
        tokens.verify(f"{header}.{forged}.{signature}")


@given(
    st.text(max_size=200)
    | st.just("." * 5)
    | st.just("[" * 6000)
    | st.just(base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.e30")
)
def test_junk_is_refused_and_nothing_else_happens(junk: str) -> None:
    with pytest.raises(InvalidTokenError):
        JwtTokens(KeyRing.of(KEY, FakeClock()), FakeClock()).verify(junk)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.to_pem())
    path.chmod(0o644)
    with pytest.raises(InvalidInputError, match="chmod"):
        SigningKey.read(path)


@pytest.mark.asvs("9.1.2")
def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(InvalidInputError, match="Ed25519"):
        SigningKey.read(path)


def test_a_participant_is_not_needed_to_verify() -> None:
    """Existence is the store's word; a token of a removed participant still verifies here."""
    removed = Participant(**{name: getattr(ADA, name) for name in ADA.__slots__} | {"id": "gone"})
    clock = FakeClock()
    ring = KeyRing.of(KEY, clock)
    assert JwtTokens(ring, clock).verify(JwtTokens(ring, clock).issue(removed)).participant_id == "gone"
