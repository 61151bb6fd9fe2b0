"""How a bot gets into a meeting: REST with an organization's key, then the client protocol on a WebSocket.

`Organization` creates meetings and participants. `Signalling` is one participant's socket: requests are
answered by id, events are handed to one handler in their order.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

Message = dict[str, Any]
EventHandler = Callable[[Message], None]

REQUEST_TIMEOUT = 20.0


class BotError(Exception):
    """A bot cannot go on: the server refused, or did not answer."""


class RefusedError(BotError):
    """The server answered a request with an error; `code`, `name` and `retry_after` (in seconds) are those of
    the protocol."""

    def __init__(
        self, request: str, code: int, name: str, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{request} was refused: {name} ({code}): {message}")
        self.code = code
        self.name = name
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Credentials:
    """An organization's API key and the server it is for."""

    base_url: str
    organization_id: str
    api_key: str

    @classmethod
    def from_file(cls, path: Path, base_url: str | None = None) -> Credentials:
        """Read a server's bootstrap.json. Raises `BotError` where that is not what it is."""
        try:
            content = json.loads(path.read_text())
            return cls(
                (base_url or content["base_url"]).rstrip("/"), content["organization_id"], content["api_key"]
            )
        except OSError as error:
            raise BotError(f"cannot read the key file {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BotError(f"{path} is not a bootstrap.json of a Rostrum server") from error


class Organization:
    """REST on behalf of an organization. Use as `async with`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Organization:
        auth = aiohttp.encode_basic_auth(self._credentials.organization_id, self._credentials.api_key)
        self._http = aiohttp.ClientSession(
            headers={"Authorization": auth}, timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def create_meeting(self, title: str) -> str:
        """Returns the meeting's id."""
        data = await self.call("POST", "/v2/meetings", {"title": title})
        return str(data["id"])

    async def create_participant(self, meeting_id: str, name: str, preset: str) -> str:
        """Returns the participant's token."""
        body = {"name": name, "preset_name": preset, "custom_participant_id": name}
        data = await self.call("POST", f"/v2/meetings/{meeting_id}/participants", body)
        return str(data["token"])

    async def call(self, method: str, path: str, body: Message | None = None) -> Message:
        """One request; gives the envelope's `data`. Raises `BotError`."""
        assert self._http is not None, "use `async with`"
        try:
            async with self._http.request(method, self._credentials.base_url + path, json=body) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BotError(
                f"{method} {path}: no answer from {self._credentials.base_url}: {error}"
            ) from error
        try:
            envelope = json.loads(text)
            if not envelope["success"]:
                raise BotError(f"{method} {path}: {response.status}: {envelope['error']['message']}")
            return dict(envelope["data"])
        except (ValueError, KeyError, TypeError) as error:
            raise BotError(f"{method} {path}: {response.status}: {text[:200]}") from error


class Signalling:
    """One participant's socket on `/v2/ws`."""

    def __init__(self, base_url: str, on_event: EventHandler) -> None:
        self.last_seq = 0
        self.closed = asyncio.Event()
        self._url = base_url.rstrip("/") + "/v2/ws"
        self._on_event = on_event
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._next_id = 1

    async def open(self) -> None:
        """Connect. Raises `BotError`."""
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await self._http.ws_connect(self._url, max_msg_size=4 << 20, heartbeat=20.0)
        except (aiohttp.ClientError, TimeoutError) as error:
            await self._http.close()
            raise BotError(f"cannot open {self._url}: {error}") from error
        self._reader = asyncio.create_task(self._read(self._socket))

    async def join(self, token: str, *, name: str | None = None, device: str = "bot") -> Message:
        """Join with a participant's token; gives the result of `join`, the whole state of the session."""
        result = await self.request("join", token=token, device=device, name=name)
        self.last_seq = int(result["seq"])
        return result

    async def resume(self, token: str, last_seq: int) -> Message:
        """Go on as the peer of that resume token, from the events or the snapshot that the server has."""
        result = await self.request("resume", resume_token=token, last_seq=last_seq, snapshot=True)
        self.last_seq = int(result["seq"])
        return result

    async def request(self, kind: str, **fields: Any) -> Message:
        """Send a request and wait for its result. Raises `RefusedError`, or `BotError` without an answer."""
        if self._socket is None or self.closed.is_set():
            raise BotError(f"{kind}: the socket is closed")
        number = self._next_id
        self._next_id += 1
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._socket.send_str(json.dumps({"id": number, "type": kind, **fields}))
            async with asyncio.timeout(REQUEST_TIMEOUT):
                response = await answer
        except TimeoutError as error:
            raise BotError(f"{kind}: no answer within {REQUEST_TIMEOUT:.0f} s") from error
        except (ConnectionError, aiohttp.ClientError) as error:
            raise BotError(f"{kind}: the socket broke: {error}") from error
        finally:
            self._waiting.pop(number, None)
        if not response["ok"]:
            problem = response["error"]
            raise RefusedError(
                kind, problem["code"], problem["name"], problem["message"], problem.get("retry_after")
            )
        return dict(response["result"])

    async def send_text(self, text: str) -> None:
        """Send a frame as it is, however wrong."""
        assert self._socket is not None, "open first"
        await self._socket.send_str(text)

    def lose(self) -> None:
        """End the connection below the WebSocket, without a close frame, as a network that goes away does."""
        if self._socket is not None:
            connection: socket.socket | None = self._socket.get_extra_info("socket")
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Close the socket without leaving (a reload, a lost network). Idempotent."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        if self._http is not None:
            await self._http.close()

    async def _read(self, frames: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for frame in frames:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._handle(json.loads(frame.data))
        finally:
            self.closed.set()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(BotError("the server closed the socket"))

    def _handle(self, message: Message) -> None:
        if "event" in message:
            self.last_seq = int(message["seq"])
            self._on_event(message["event"])
            return
        answer = self._waiting.get(message["id"]) if message["id"] is not None else None
        if answer is not None and not answer.done():
            answer.set_result(message)
