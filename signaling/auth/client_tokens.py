"""Client tokens as JWTs, in the manner of Telnyx: what they are good for is said by a grant.

    aud      "rostrum:client"
    claims   iss, sub = the subject, iat, exp, jti, organization_id, preset_name, grants:
             [{"actions": ["join"], "resources": ["telnyx:video:rooms:<room id>"], "subjects": [<sub>]}]

The refresh token has the action "refresh". One grant, one action, one room: what says more, or less, is not
ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from signaling.auth.keyring import KeyRing
from signaling.domain.client_token import Action, ClientGrant, IssuedToken, resource_of
from signaling.errors import InvalidTokenError
from signaling.ids import new_uuid
from signaling.services.ports import Clock

CLIENT_AUDIENCE: Final = "rostrum:client"
_PREFIX: Final = resource_of("")


class JwtClientTokens:
    """Implements `signaling.services.ports.ClientTokens`."""

    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock

    def issue(self, grant: ClientGrant) -> IssuedToken:
        """Good to the second."""
        expires_at = grant.expires_at.replace(microsecond=0)
        token = self._ring.sign(
            {
                "aud": CLIENT_AUDIENCE,
                "sub": grant.subject,
                "iat": int(self._clock.now().timestamp()),
                "exp": int(expires_at.timestamp()),
                "jti": new_uuid(),
                "organization_id": grant.organization_id,
                "preset_name": grant.preset_name,
                "grants": [_printed(grant)],
            }
        )
        return IssuedToken(token, expires_at)

    def verify(self, token: str, action: Action) -> ClientGrant:
        return grant_of(self._ring.read(token, CLIENT_AUDIENCE), action)


def grant_of(claims: Mapping[str, Any], action: Action) -> ClientGrant:
    """Of a token that was verified. Raises `InvalidTokenError` where its one grant is not for that action."""
    try:
        (said,) = claims["grants"]
        (resource,) = said["resources"]
        grant = ClientGrant(
            action=action,
            organization_id=str(claims["organization_id"]),
            meeting_id=str(resource).removeprefix(_PREFIX),
            subject=str(claims["sub"]),
            preset_name=str(claims["preset_name"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (TypeError, ValueError, KeyError):
        raise InvalidTokenError from None
    if said != _printed(grant):
        raise InvalidTokenError(f"The token does not grant to {action}.")
    return grant


def _printed(grant: ClientGrant) -> dict[str, Any]:
    return {
        "actions": [grant.action.value],
        "resources": [resource_of(grant.meeting_id)],
        "subjects": [grant.subject],
    }
