"""`GET /v2/ws`: upgrades to a WebSocket and serves it.

Any origin may connect: what admits is the participant token in the first request, which no page gets from the
browser on its own. Frames are JSON text of at most 256 KiB.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from aiohttp import web

from signaling.domain.peer import Origin
from signaling.ids import new_id
from signaling.protocol.closing import CloseCode
from signaling.protocol.messages import MAX_MESSAGE_LENGTH
from signaling.services.live.service import LiveService
from signaling.services.ports import Clock
from signaling.ws.connection import Connection, WsSettings
from signaling.ws.hub import WsHub

log = structlog.get_logger(__name__)

MAX_USER_AGENT: Final = 512
"""Characters that are kept of it."""


def _nearest(request: web.Request) -> str | None:
    return request.remote


def _user_agent(request: web.Request) -> str | None:
    """What a database takes of it: a header may have any bytes."""
    said = request.headers.get("User-Agent", "").encode("ascii", "replace").decode()
    return "".join(one if one.isprintable() else "?" for one in said[:MAX_USER_AGENT]) or None


class WsHandler:
    """All sockets of this process: `app.router.add_get("/v2/ws", handler.handle)`."""

    def __init__(
        self,
        live: LiveService,
        hub: WsHub,
        clock: Clock,
        settings: WsSettings | None = None,
        *,
        address_of: Callable[[web.Request], str | None] = _nearest,
    ) -> None:
        """`address_of`: where a request comes from, proxies considered."""
        self._live = live
        self._hub = hub
        self._clock = clock
        self._settings = settings or WsSettings()
        self._address_of = address_of
        self._connections: set[Connection] = set()
        self._counters: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(
            heartbeat=self._settings.heartbeat,
            timeout=self._settings.close_within,
            max_msg_size=MAX_MESSAGE_LENGTH,
            compress=False,
        )
        await ws.prepare(request)
        transport = request.transport

        def abort() -> None:
            if transport is not None:
                transport.abort()

        connection = Connection(
            ws,
            abort,
            self._live,
            self._hub,
            self._clock,
            self._settings,
            self._counters,
            Origin(
                user_agent=_user_agent(request),
                address=self._address_of(request),
                socket_id=new_id("sock"),
                opened_at=self._clock.now(),
            ),
        )
        self._counters["accepted"] += 1
        self._connections.add(connection)
        self._idle.clear()
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            if not self._connections:
                self._idle.set()
        return ws

    __call__ = handle

    def counters(self) -> Mapping[str, float]:
        """Totals since start (accepted, malformed, rate_limited, too_slow) and `open` now."""
        return {**self._counters, "open": len(self._connections)}

    async def close(self) -> None:
        """Closes every socket with 1012; sockets of peers were told why by `LiveService.close` before."""
        for connection in list(self._connections):
            connection.finish(CloseCode.SERVICE_RESTART)
        try:
            async with asyncio.timeout(self._settings.close_within + 1.0):
                await self._idle.wait()
        except TimeoutError:
            log.warning("sockets.left_open", count=len(self._connections))
