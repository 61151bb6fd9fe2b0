"""The signing keys that this process knows: one signs, all verify.

The algorithm is pinned to EdDSA with an Ed25519 key, whatever a token's header says, so a token can be
neither unsigned nor signed with the public key as a secret. The header's key id only says which of our own
keys is tried.

    published ──▶ signs ──▶ verifies ──▶ gone
              from then on    since the     when the last token
              (`active_from`)  next signs    of it is over

A key is published some time before it signs: by then every server has read it, and whoever keeps a copy of
the JWKS document has taken a new one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.utils import base64url_encode

from signaling.auth.keys import SigningKey
from signaling.errors import InvalidTokenError
from signaling.services.ports import Clock

ALGORITHM: Final = "EdDSA"
ISSUER: Final = "rostrum"
_FOREIGN: Final = "The token was signed with a key that is not ours. Ask for a new one."


@dataclass(frozen=True, slots=True)
class RingKey:
    key: SigningKey
    active_from: datetime


class KeyRing:
    """`take` what there is; then `sign` and `read`."""

    def __init__(self, clock: Clock, keys: Sequence[RingKey] = ()) -> None:
        self._clock = clock
        self._keys: tuple[RingKey, ...] = ()
        self._public: dict[str, Ed25519PublicKey] = {}
        """By key id."""
        self._heads: dict[str, bytes] = {}
        """Of the tokens that a key signs, encoded, by its id."""
        self.take(keys)

    @classmethod
    def of(cls, key: SigningKey, clock: Clock) -> KeyRing:
        """With that one alone."""
        return cls(clock, [RingKey(key, datetime.fromtimestamp(0, UTC))])

    def take(self, keys: Sequence[RingKey]) -> None:
        """In place of those there were."""
        self._keys = tuple(sorted(keys, key=lambda one: one.active_from))
        self._public = {one.key.key_id: one.key.public for one in self._keys}
        self._heads = {name: _encoded({"alg": ALGORITHM, "kid": name, "typ": "JWT"}) for name in self._public}

    @property
    def signing(self) -> SigningKey:
        """The latest that is active; the first of all where none is yet."""
        now = self._clock.now()
        return next((one for one in reversed(self._keys) if one.active_from <= now), self._keys[0]).key

    def sign(self, claims: dict[str, Any]) -> str:
        """As a JWT (RFC 7519) in the compact form of RFC 7515, section 3.1. Written out, for PyJWT makes and
        checks the same header for each token anew: 15 us besides the signature, 8 so (medians, load 7)."""
        key = self.signing
        message = self._heads[key.key_id] + b"." + _encoded({"iss": ISSUER, **claims})
        return (message + b"." + base64url_encode(key.private.sign(message))).decode()

    def read(self, token: str, audience: str | Sequence[str], require: Sequence[str] = ()) -> dict[str, Any]:
        """The claims of a token of ours that is for this audience and not over, or `InvalidTokenError`."""
        claims = self._verified(token, audience, require)
        expires = claims["exp"]
        if not isinstance(expires, int):
            raise InvalidTokenError
        try:
            expires_at = datetime.fromtimestamp(expires, UTC)
        except (OverflowError, OSError, ValueError):
            raise InvalidTokenError from None
        if expires_at <= self._clock.now():
            raise InvalidTokenError("The token has expired. Ask for a new one and join again.")
        return claims

    def jwks(self) -> dict[str, Any]:
        """Their public halves (RFC 7517, RFC 8037)."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": one.key.public_text,
                    "kid": one.key.key_id,
                    "use": "sig",
                    "alg": ALGORITHM,
                }
                for one in self._keys
            ]
        }

    def _verified(self, token: str, audience: str | Sequence[str], require: Sequence[str]) -> dict[str, Any]:
        key = self._key_of(token)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=ISSUER,
                # the times are checked above, by the clock we were given
                options={
                    "require": ["iss", "aud", "iat", "exp", *require],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise InvalidTokenError from None
        return claims

    def _key_of(self, token: str) -> Ed25519PublicKey:
        head = token.partition(".")[0]
        try:
            header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except (ValueError, RecursionError):
            raise InvalidTokenError from None
        key_id = header.get("kid") if isinstance(header, dict) else None
        key = self._public.get(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise InvalidTokenError(_FOREIGN)
        return key


_to_json: Final = json.JSONEncoder(separators=(",", ":")).encode


def _encoded(part: dict[str, Any]) -> bytes:
    return base64url_encode(_to_json(part).encode())
