"""Participant tokens: signed JWTs that say who may join which meeting, and nothing more.

    header   {"alg": "EdDSA", "kid": <key id>, "typ": "JWT"}
    claims   iss "rostrum", aud "rostrum:participant", sub = participant_id, iat, exp, jti,
             organization_id, meeting_id, participant_id, preset_name

The algorithm is pinned to EdDSA with an Ed25519 key, whatever a header says, so a token can be neither
unsigned nor signed with the public key as a secret. A valid token is not yet an admission: whether the
participant still exists is asked of the store at every join, so removing one revokes its tokens.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import jwt

from signaling.auth.keys import SigningKey
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.errors import InvalidTokenError
from signaling.ids import new_uuid
from signaling.services.ports import Clock

ISSUER: Final = "rostrum"
AUDIENCE: Final = "rostrum:participant"
DEFAULT_TTL: Final = timedelta(hours=24)
_ALGORITHM: Final = "EdDSA"
_FOREIGN: Final = "The token was signed with a key that is not ours. Ask for a new one."
_REQUIRED: Final = ["iss", "aud", "sub", "iat", "exp", "organization_id", "meeting_id", "participant_id"]


class JwtTokens:
    """Implements `signaling.services.ports.Tokens`."""

    def __init__(self, key: SigningKey, clock: Clock, ttl: timedelta = DEFAULT_TTL) -> None:
        self._key = key
        self._public = key.public
        self._clock = clock
        self._ttl = ttl

    def issue(self, participant: Participant) -> str:
        now = self._clock.now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": participant.id,
            "iat": int(now.timestamp()),
            "exp": int((now + self._ttl).timestamp()),
            "jti": new_uuid(),
            "organization_id": participant.organization_id,
            "meeting_id": participant.meeting_id,
            "participant_id": participant.id,
            "preset_name": participant.preset_name,
        }
        return jwt.encode(claims, self._key.private, _ALGORITHM, headers={"kid": self._key.key_id})

    def verify(self, token: str) -> ParticipantClaims:
        try:
            read = jwt.decode_complete(
                token,
                self._public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # the times are checked below, by the clock we were given
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise self._refusal(token) from None
        if not self._is_ours(read["header"]):
            raise InvalidTokenError(_FOREIGN)
        return self._checked(read["payload"])

    def _is_ours(self, header: dict[str, object]) -> bool:
        return header.get("kid") == self._key.key_id

    def _refusal(self, token: str) -> InvalidTokenError:
        """Why a token that cannot be verified is refused."""
        try:
            ours = self._is_ours(jwt.get_unverified_header(token))
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return InvalidTokenError()
        return InvalidTokenError() if ours else InvalidTokenError(_FOREIGN)

    def _checked(self, claims: dict[str, object]) -> ParticipantClaims:
        expires, participant_id = claims["exp"], claims["participant_id"]
        if not isinstance(expires, int) or claims["sub"] != participant_id:
            raise InvalidTokenError
        try:
            expires_at = datetime.fromtimestamp(expires, UTC)
        except (OverflowError, OSError, ValueError):
            raise InvalidTokenError from None
        if expires_at <= self._clock.now():
            raise InvalidTokenError("The token has expired. Ask for a new one and join again.")
        return ParticipantClaims(
            organization_id=str(claims["organization_id"]),
            meeting_id=str(claims["meeting_id"]),
            participant_id=str(participant_id),
            expires_at=expires_at,
        )
