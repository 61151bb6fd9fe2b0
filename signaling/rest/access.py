"""Who a request speaks for. Everything below /v2 needs an organization's key, but for what is listed here."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.auth.api_keys import Authenticator
from signaling.domain.organization import Organization
from signaling.errors import InvalidTokenError
from signaling.rest.cors import OPEN_PREFIXES

_ORGANIZATION: Final = web.RequestKey("organization", Organization)
INVITATION: Final = "/v2/invitation"
PUBLIC: Final = frozenset({"/v2/ws", INVITATION})
"""These authenticate by participant token: the one in its first message, the other in its header. So do the
paths below `OPEN_PREFIXES`."""
_MAX_TOKEN: Final = 8192


def access_middleware(authenticator: Authenticator) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path
        if path.startswith("/v2/") and path not in PUBLIC and not path.startswith(OPEN_PREFIXES):
            header = request.headers.get("Authorization")
            request[_ORGANIZATION] = await authenticator.organization(header)
        return await handler(request)

    return check


def organization_id_of(request: web.Request) -> str:
    """The organization whose key came with the request."""
    return request[_ORGANIZATION].id


def speaking_organization(request: web.Request) -> Organization | None:
    """None where no key speaks."""
    return request.get(_ORGANIZATION)


def participant_token_of(request: web.Request) -> str:
    """What follows `Authorization: Bearer`, not verified yet. Raises `InvalidTokenError` without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_TOKEN or not token.isascii():
        raise InvalidTokenError("Send the participant's token as 'Authorization: Bearer <token>'.")
    return token
