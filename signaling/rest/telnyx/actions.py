"""`/v2/room_sessions/{room_session_id}/actions/...`: what moderation does to a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, Field

from signaling.domain.caller import Scope
from signaling.domain.targets import Targets
from signaling.errors import SessionEndedError, ValidationFailedError
from signaling.rest.access import organization_id_of
from signaling.rest.operation import Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.rest.telnyx.rendering import TELNYX, one
from signaling.rest.telnyx.room_sessions import SESSION
from signaling.services.session_actions import SessionActionService

MAX_NAMED: Final = 1000
Ids = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=255)], ...], Field(max_length=MAX_NAMED)]


class WhomBody(Body):
    """`participants`: "all", or ids of room participants, or of those of the meeting. `exclude`: of "all",
    whom not."""

    model_config = shown({"participants": "all", "exclude": ["peer_06ehx2k4m8n0p2r4t6v8x0z2b4"]})

    participants: Ids | Literal["all"] = ()
    exclude: Ids = ()

    def targets(self) -> Targets:
        """Raises `ValidationFailedError` where nobody is named."""
        if self.participants == "all":
            return Targets(everybody=True, exclude=self.exclude)
        if not self.participants:
            raise ValidationFailedError(
                'participants: name at least one, or send "all"', field="participants"
            )
        return Targets(peer_ids=self.participants, participant_ids=self.participants, exclude=self.exclude)


class ActionAnswer(Answer):
    model_config = shown({"result": "ok"})

    result: Literal["ok"] = "ok"


class RoomActionRoutes:
    def __init__(self, actions: SessionActionService) -> None:
        self._actions = actions

    def operations(self) -> list[Operation]:
        return [
            _action("end", self.end, "End a session for everybody", None),
            _action("kick", self.kick, "Put participants out of a session", WhomBody),
            _action("mute", self.mute, "Mute participants until they are unmuted", WhomBody),
            _action("unmute", self.unmute, "Let participants speak again", WhomBody),
        ]

    async def end(self, request: web.Request) -> web.Response:
        await self._actions.end(*_path(request))
        return one(ActionAnswer())

    async def kick(self, request: web.Request) -> web.Response:
        return await _done(request, self._actions.kick)

    async def mute(self, request: web.Request) -> web.Response:
        return await _done(request, self._actions.censor)

    async def unmute(self, request: web.Request) -> web.Response:
        return await _done(request, self._actions.unmute)


def _action(name: str, handler: Handler, summary: str, body: type[BaseModel] | None) -> Operation:
    return Operation(
        method="POST",
        path=f"{SESSION}/actions/{name}",
        handler=handler,
        name=f"{name}RoomSession",
        summary=summary,
        tag="Room sessions",
        access=Scope.SESSIONS_WRITE,
        body=body,
        answer=ActionAnswer,
        errors=(SessionEndedError,),
        rendering=TELNYX,
    )


async def _done(request: web.Request, act: Callable[[str, str, Targets], Awaitable[object]]) -> web.Response:
    body = await parse_body(request, WhomBody)
    await act(*_path(request), body.targets())
    return one(ActionAnswer())


def _path(request: web.Request) -> tuple[str, str]:
    """organization, session"""
    return organization_id_of(request), request.match_info["room_session_id"]
