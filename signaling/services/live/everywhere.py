"""The live sessions of all servers, as if they were here.

What is asked about a meeting goes to the server that has its session, looked up in the store; what is news
for all goes to all. It returns, as `LiveSessions` promises, once the change is in force there. A server that
does not answer is an error to who asked; news is repeated to it until it answers or its lease is over, since
what the news is about is in the store already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol, cast

import structlog

from signaling.domain.server import SignalingServer
from signaling.errors import MisdirectedError, ServerUnreachableError
from signaling.services.live.calls import CALLS, Call
from signaling.services.live.ownership import Ownership
from signaling.services.live.service import LiveService
from signaling.services.ports import LiveSessions

log = structlog.get_logger(__name__)

AGAIN_AFTER: Final = 1.0
"""Seconds between repetitions of news."""
MAX_REPEATED: Final = 1000
"""News that is being repeated at a time."""
_STORED: Final = (
    "It is stored, but the server that has the meeting does not answer: those who are in it may have the "
    "former state for some seconds."
)


class OtherServers(Protocol):
    async def ask(self, server: SignalingServer, call: Call, arguments: dict[str, Any]) -> Any:
        """The call's answer, or the error of ours that it answers. Raises `ServerUnreachableError`."""
        ...


class Everywhere:
    """Has every method of `LiveSessions`: see `as_live_sessions`."""

    def __init__(self, here: LiveService, servers: Ownership, others: OtherServers) -> None:
        self._here = here
        self._servers = servers
        self._others = others
        self._repeating: set[asyncio.Task[None]] = set()

    def as_live_sessions(self) -> LiveSessions:
        return cast(LiveSessions, self)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        call = CALLS.get(name)
        if call is None:
            raise AttributeError(name)
        return partial(self._carry_out, call)

    async def close(self) -> None:
        """Nothing is repeated from now on."""
        for task in self._repeating:
            task.cancel()
        await asyncio.gather(*self._repeating, return_exceptions=True)

    async def _carry_out(self, call: Call, *args: Any, **named: Any) -> Any:
        arguments = call.bound(*args, **named)
        if call.for_all:
            return await self._tell_all(call, arguments)
        meeting_id = call.meeting_of(arguments)
        if self._here.runs(meeting_id):
            return await self._do_here(call, arguments)
        server = await self._servers.elsewhere(meeting_id)
        if server is not None:
            return await self._ask(server, call, arguments)
        try:
            return await self._do_here(call, arguments)
        except MisdirectedError as error:
            # It was begun there between our look and our word, or is to be begun there.
            server = await self._servers.elsewhere(meeting_id) or await self._servers.at(error.url)
            if server is None:
                raise
            return await self._ask(server, call, arguments)

    async def _tell_all(self, call: Call, arguments: dict[str, Any]) -> None:
        await self._do_here(call, arguments)
        others = await self._servers.others()
        told = await asyncio.gather(
            *(self._ask(one, call, arguments) for one in others), return_exceptions=True
        )
        for outcome in told:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _do_here(self, call: Call, arguments: dict[str, Any]) -> Any:
        return await getattr(self._here, call.name)(**arguments)

    async def _ask(self, server: SignalingServer, call: Call, arguments: dict[str, Any]) -> Any:
        try:
            return await self._others.ask(server, call, arguments)
        except ServerUnreachableError:
            if not call.news:
                raise
            self._repeat(server, call, arguments)
            raise ServerUnreachableError(_STORED) from None

    def _repeat(self, server: SignalingServer, call: Call, arguments: dict[str, Any]) -> None:
        if len(self._repeating) >= MAX_REPEATED:
            log.error("news.dropped", server=server.id, call=call.name)
            return
        task = asyncio.create_task(self._repeat_until_heard(server, call, arguments), name="repeat news")
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    async def _repeat_until_heard(
        self, server: SignalingServer, call: Call, arguments: dict[str, Any]
    ) -> None:
        while True:
            await asyncio.sleep(AGAIN_AFTER)
            try:
                if server not in await self._servers.others():
                    return  # its sessions have ended, or will be with it
                await self._others.ask(server, call, arguments)
            except ServerUnreachableError:
                continue
            except Exception as error:  # whatever it says: it has heard it
                log.warning("news.refused", server=server.id, call=call.name, error=repr(error))
            return
