"""The little of Janus' JSON interface that a load needs: one session and its handles over a WebSocket."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from sfu.bots.signalling import BotError, Message

TIMEOUT = 20.0
KEEP_ALIVE = 25.0
"""Seconds; a session that is not heard of for a minute ends."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plugin says to a request: its data, and an SDP where there is one to answer or to take."""

    data: Message
    sdp: str | None = None


class Gateway:
    """One session. `attach` gives handles; what their plugin says unasked goes to `on_event`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._transactions = itertools.count(1)
        self._waiting: dict[str, tuple[asyncio.Future[Message], bool]] = {}
        self._handlers: dict[int, Callable[[Answer], None]] = {}
        self._session = 0

    async def open(self) -> None:
        """Raises `BotError`."""
        try:
            self._socket = await self._http.ws_connect(self._url, protocols=("janus-protocol",))
        except (aiohttp.ClientError, TimeoutError) as error:
            await self._http.close()
            raise BotError(f"cannot open {self._url}: {error}") from error
        self._tasks = [asyncio.create_task(self._read(self._socket))]
        self._session = int((await self._ask("create"))["data"]["id"])
        self._tasks.append(asyncio.create_task(self._keep_alive()))

    async def attach(self, on_event: Callable[[Answer], None]) -> int:
        """A handle of the VideoRoom plugin."""
        answer = await self._ask("attach", session_id=self._session, plugin="janus.plugin.videoroom")
        handle = int(answer["data"]["id"])
        self._handlers[handle] = on_event
        return handle

    async def request(self, handle: int, sdp: tuple[str, str] | None = None, **body: Any) -> Answer:
        """A request to the plugin, with an offer or answer (`type`, SDP) or without. Raises `BotError`."""
        extra: Message = {} if sdp is None else {"jsep": {"type": sdp[0], "sdp": sdp[1]}}
        answer = _plugin_answer(
            await self._ask("message", session_id=self._session, handle_id=handle, body=body, **extra)
        )
        if "error" in answer.data:
            raise BotError(f"{body.get('request')}: {answer.data['error']}")
        return answer

    async def trickle(self, handle: int, address: str, port: int) -> None:
        """Our only candidate: without one it does not begin."""
        line = f"candidate:1 1 udp 2130706431 {address} {port} typ host"
        for candidate in ({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}, {"completed": True}):
            await self._ask("trickle", session_id=self._session, handle_id=handle, candidate=candidate)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        await self._http.close()

    async def _ask(self, kind: str, **fields: Any) -> Message:
        """The last word on a request."""
        assert self._socket is not None, "not open"
        transaction = str(next(self._transactions))
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = answer, kind == "message"
        try:
            await self._socket.send_str(json.dumps({"janus": kind, "transaction": transaction, **fields}))
            async with asyncio.timeout(TIMEOUT):
                message = await answer
        except TimeoutError as error:
            raise BotError(f"no answer to {kind} within {TIMEOUT:.0f} s") from error
        finally:
            del self._waiting[transaction]
        if message["janus"] == "error":
            raise BotError(f"{kind}: {message['error'].get('reason')}")
        return message

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            waiting, later = self._waiting.get(str(message.get("transaction")), (None, False))
            if waiting is not None:
                # Requests to a plugin are acknowledged first and answered later.
                if (message["janus"] != "ack" or not later) and not waiting.done():
                    waiting.set_result(message)
                continue
            handler = self._handlers.get(int(message.get("sender", 0)))
            if handler is not None and message["janus"] == "event":
                handler(_plugin_answer(message))

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE)
            await self._ask_keep_alive()

    async def _ask_keep_alive(self) -> None:
        assert self._socket is not None, "not open"
        message = {"janus": "keepalive", "session_id": self._session, "transaction": "alive"}
        await self._socket.send_str(json.dumps(message))


def _plugin_answer(message: Message) -> Answer:
    return Answer(message.get("plugindata", {}).get("data", {}), message.get("jsep", {}).get("sdp"))
