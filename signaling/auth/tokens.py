"""Participant tokens: signed JWTs that say who may join which meeting, and nothing more.

    header   {"alg": "EdDSA", "kid": <key id>, "typ": "JWT"}
    claims   iss "rostrum", aud "rostrum:participant", sub = participant_id, iat, exp, jti,
             organization_id, meeting_id, participant_id, preset_name

A valid token is not yet an admission: whether the participant still exists is asked of the store at every
join, so removing one revokes its tokens, on every server at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from signaling.auth.keyring import ISSUER, KeyRing
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.errors import InvalidTokenError
from signaling.ids import new_uuid
from signaling.services.ports import Clock

__all__ = ["AUDIENCE", "DEFAULT_TTL", "ISSUER", "JwtTokens"]

AUDIENCE: Final = "rostrum:participant"
DEFAULT_TTL: Final = timedelta(hours=24)
_REQUIRED: Final = ("sub", "organization_id", "meeting_id", "participant_id")


class JwtTokens:
    """Implements `signaling.services.ports.Tokens`."""

    def __init__(self, ring: KeyRing, clock: Clock, ttl: timedelta = DEFAULT_TTL) -> None:
        self._ring = ring
        self._clock = clock
        self._ttl = ttl

    def issue(self, participant: Participant) -> str:
        now = self._clock.now()
        return self._ring.sign(
            {
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
        )

    def verify(self, token: str) -> ParticipantClaims:
        claims = self._ring.read(token, AUDIENCE, _REQUIRED)
        participant_id = claims["participant_id"]
        if claims["sub"] != participant_id:
            raise InvalidTokenError
        return ParticipantClaims(
            organization_id=str(claims["organization_id"]),
            meeting_id=str(claims["meeting_id"]),
            participant_id=str(participant_id),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
