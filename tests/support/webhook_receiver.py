"""A server on loopback that webhooks are sent to. It keeps what it was sent and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.wait import PATIENCE, wait_until


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event_id(self) -> str:
        return self.headers["rostrum-event-id"]


@dataclass
class Receiver:
    """`answer` is asked for each answer; without one it is 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Awaitable[web.StreamResponse]] | None = None

    def to(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == path]

    async def wait_for(self, count: int, *, timeout: float = PATIENCE) -> None:
        await wait_until(
            lambda: len(self.received) >= count,
            lambda: f"{count} webhooks; there came {len(self.received)}",
            timeout=timeout,
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        one = Received(request.path, headers, await request.read())
        self.received.append(one)
        return web.Response() if self.answer is None else await self.answer(one)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.handle)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    made.url = f"http://127.0.0.1:{server.port}"
    try:
        yield made
    finally:
        await server.close()


@asynccontextmanager
async def raw_server(answer: bytes, *, hold: bool = False) -> AsyncIterator[str]:
    """Says the same to everybody, and with `hold` nothing after it; gives its URL."""
    held = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if hold:
            await held.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        held.set()
        server.close()
        await server.wait_closed()
