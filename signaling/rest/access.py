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
from signaling.errors import ForbiddenError, InvalidTokenError
from signaling.rest.operation import Access, Operation, OperationTable
from signaling.services.reach import Reach

API_PREFIXES: Final = ("/v2/", "/accounts/", "/client/v4/")
SOCKET: Final = "/v2/ws"
"""Authenticates by what is said on it."""
_CALLER: Final = web.RequestKey("caller", Caller)
_MAX_TOKEN: Final = 8192
_MEETINGS: Final = frozenset({"meeting_id", "room_id"})
_SESSIONS: Final = frozenset({"session_id", "room_session_id"})
_PEERS: Final = frozenset({"peer_id", "room_participant_id"})
"""Names of parameters in paths."""
_OF_MEETINGS: Final = frozenset({"meetings", "participants", "sessions"})
"""Nouns, in scopes, of which each belongs to a meeting, and the meeting to a unit or to none."""


def access_middleware(authenticator: Authenticator, reach: Reach, table: OperationTable) -> Middleware:
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
            account_id = request.match_info.get("account_id")
            caller = await authenticator.caller(
                request.headers.get("Authorization"),
                account_id=account_id,
                app_id=None if account_id is None else request.match_info.get("app_id"),
            )
            request[_CALLER] = caller
            if isinstance(operation.access, Scope):
                caller.require(operation.access)
                await _check_unit(reach, caller, operation, request)
        return await handler(request)

    return check


async def _check_unit(reach: Reach, caller: Caller, operation: Operation, request: web.Request) -> None:
    """Who is limited to a unit gets no further than its meetings: where that cannot be told from the path
    and the handler does not look itself, not at all."""
    if caller.unit_id is None or operation.within_unit:
        return
    parameters = request.match_info
    for name in _MEETINGS & parameters.keys():
        alone = not operation.changes and operation.parameters[-1] == name and operation.path.endswith("}")
        await reach.check_meeting(caller, parameters[name], only_looks=alone)
    for name in _SESSIONS & parameters.keys():
        await reach.check_session(caller, parameters[name], only_looks=not operation.changes)
    for name in _PEERS & parameters.keys():
        await reach.check_peer(caller, parameters[name])
    noun = str(operation.access).partition(":")[0]
    if noun in _OF_MEETINGS and not (_MEETINGS | _SESSIONS | _PEERS) & parameters.keys():
        raise ForbiddenError("This needs a key of the whole organization. Yours is limited to a unit.")


def caller_of(request: web.Request) -> Caller:
    return request[_CALLER]


def organization_id_of(request: web.Request) -> str:
    """The organization (or app) whose credential came with the request."""
    return request[_CALLER].organization_id


def meeting_path_of(request: web.Request) -> tuple[str, str]:
    """The ids of that organization, and of the meeting that the path names."""
    return organization_id_of(request), request.match_info["meeting_id"]


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
