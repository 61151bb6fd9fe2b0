"""Access tokens: what a login asks with, for ten minutes.

    claims   iss "rostrum", aud "rostrum:access", sub = user_id, sid = login_id, iat, exp, jti,
             organization_id

They are signed with the keys that sign participant tokens, and neither is ever taken for the other: the
audience differs. What its bearer may do does not stand in it: that is looked up with each request, so whoever
is disabled, logged out or given another role is so at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from signaling.auth.keyring import KeyRing
from signaling.errors import InvalidTokenError
from signaling.ids import new_uuid
from signaling.services.ports import AccessToken, Clock

AUDIENCE: Final = "rostrum:access"
TTL: Final = timedelta(minutes=10)
_REQUIRED: Final = ("sub", "sid", "organization_id")
_REFUSED: Final = (
    "The access token is not valid or has expired. Get another one with the refresh token, or log in again."
)


class JwtAccessTokens:
    """Implements `signaling.services.ports.AccessTokens`."""

    def __init__(self, ring: KeyRing, clock: Clock, ttl: timedelta = TTL) -> None:
        self._ring = ring
        self._clock = clock
        self._ttl = ttl

    def issue(self, login_id: str, user_id: str, organization_id: str) -> AccessToken:
        now = self._clock.now()
        expires_at = now + self._ttl
        claims = {
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": login_id,
            "organization_id": organization_id,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "jti": new_uuid(),
        }
        return AccessToken(self._ring.sign(claims), expires_at)

    def verify(self, token: str) -> str:
        try:
            return str(self._ring.read(token, AUDIENCE, _REQUIRED)["sid"])
        except InvalidTokenError:
            raise InvalidTokenError(_REFUSED) from None
