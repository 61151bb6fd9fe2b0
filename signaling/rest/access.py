"""Who a request speaks for, and whether they may.

What an operation asks for is in its entry (`signaling.rest.operation`). Below the prefixes of the APIs a path
that is no operation needs a credential as well: nobody else is told what there is.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.auth.api_keys import Authenticator
from signaling.domain.caller import Caller, Scope
from signaling.errors import InvalidTokenError
from signaling.rest.operation import Access, OperationTable

API_PREFIXES: Final = ("/v2/", "/accounts/")
SOCKET: Final = "/v2/ws"
"""Authenticates by what is said on it."""
_CALLER: Final = web.RequestKey("caller", Caller)
_MAX_TOKEN: Final = 8192


def access_middleware(authenticator: Authenticator, table: OperationTable) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = table.of(request)
        if operation is None:
            if (
                request.path.startswith(API_PREFIXES)
                and request.path != SOCKET
                and request.method != "OPTIONS"
            ):
                await authenticator.caller(request.headers.get("Authorization"))
        elif isinstance(operation.access, Scope) or operation.access is Access.CREDENTIAL:
            caller = await authenticator.caller(
                request.headers.get("Authorization"),
                account_id=request.match_info.get("account_id"),
                app_id=request.match_info.get("app_id"),
            )
            request[_CALLER] = caller
            if isinstance(operation.access, Scope):
                caller.require(operation.access)
        return await handler(request)

    return check


def caller_of(request: web.Request) -> Caller:
    return request[_CALLER]


def organization_id_of(request: web.Request) -> str:
    """The organization (or app) whose credential came with the request."""
    return request[_CALLER].organization_id


def speaking_caller(request: web.Request) -> Caller | None:
    """None where no credential speaks."""
    return request.get(_CALLER)


def participant_token_of(request: web.Request) -> str:
    """What follows `Authorization: Bearer`, not verified yet. Raises `InvalidTokenError` without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_TOKEN or not token.isascii():
        raise InvalidTokenError("Send the participant's token as 'Authorization: Bearer <token>'.")
    return token
