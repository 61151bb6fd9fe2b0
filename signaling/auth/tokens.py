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

from signaling.auth.client_tokens import CLIENT_AUDIENCE, grant_of
from signaling.auth.keyring import ISSUER, KeyRing
from signaling.domain.client_token import Action
from signaling.domain.participant import Participant, ParticipantClaims
from signaling.errors import InvalidTokenError
from signaling.ids import new_uuid
from signaling.services.ports import Clock

__all__ = ["AUDIENCE", "DEFAULT_TTL", "ISSUER", "JwtTokens"]

AUDIENCE: Final = "rostrum:participant"
DEFAULT_TTL: Final = timedelta(hours=24)


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
        """A participant's token, or a client token that grants to join."""
        claims = self._ring.read(token, (AUDIENCE, CLIENT_AUDIENCE), ("sub", "organization_id"))
        if claims["aud"] == CLIENT_AUDIENCE:
            grant = grant_of(claims, Action.JOIN)
            return ParticipantClaims(
                grant.organization_id, grant.meeting_id, grant.subject, grant.expires_at, grant
            )
        participant_id, meeting_id = claims.get("participant_id"), claims.get("meeting_id")
        if claims["aud"] != AUDIENCE or None in (participant_id, meeting_id):
            raise InvalidTokenError
        if claims["sub"] != participant_id:
            raise InvalidTokenError
        return ParticipantClaims(
            organization_id=str(claims["organization_id"]),
            meeting_id=str(meeting_id),
            participant_id=str(participant_id),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
