"""Who a request speaks for. Everything below /v2 needs an organization's key, but for what is listed here."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.auth.api_keys import Authenticator
from signaling.domain.organization import Organization

_ORGANIZATION: Final = web.RequestKey("organization", Organization)
PUBLIC: Final = frozenset({"/v2/ws"})
"""The client protocol authenticates by participant token in its first message."""


def access_middleware(authenticator: Authenticator) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v2/") and request.path not in PUBLIC:
            header = request.headers.get("Authorization")
            request[_ORGANIZATION] = await authenticator.organization(header)
        return await handler(request)

    return check


def organization_id_of(request: web.Request) -> str:
    """The organization whose key came with the request."""
    return request[_ORGANIZATION].id
