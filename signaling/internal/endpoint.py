"""`POST /internal/live`: another server asks about a session that this one has."""

from __future__ import annotations

import json
from collections.abc import Callable

import structlog
from aiohttp import web

from signaling.auth.keyring import KeyRing
from signaling.errors import InvalidInputError, InvalidTokenError, SignalingError
from signaling.internal.messages import PATH, check_pass, print_error
from signaling.services.live.calls import CALLS
from signaling.services.ports import LiveSessions

log = structlog.get_logger(__name__)


class InternalEndpoint:
    """`live` are those of this server alone: what was sent here is not sent on."""

    def __init__(self, live: LiveSessions, ring: KeyRing, server_id: Callable[[], str]) -> None:
        self._live = live
        self._ring = ring
        self._server_id = server_id

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """Raises `InvalidTokenError` and `InvalidInputError`; what the call raises is an answer."""
        body = await request.read()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidTokenError
        check_pass(self._ring, token.strip(), self._server_id(), body)
        try:
            said = json.loads(body)
            call = CALLS[said["call"]]
            arguments = call.parse(said["arguments"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InvalidInputError("This version knows no such call.") from None
        try:
            answer = await getattr(self._live, call.name)(**arguments)
        except SignalingError as error:
            return web.json_response({"error": print_error(error)})
        return web.json_response({"answer": call.answer.dump_python(answer, mode="json", by_alias=True)})
