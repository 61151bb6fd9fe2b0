"""Asking another server. Implements `signaling.services.live.everywhere.OtherServers`."""

from __future__ import annotations

import json
from typing import Any, Final

import aiohttp
import structlog

from signaling.auth.keyring import KeyRing
from signaling.domain.server import SignalingServer
from signaling.errors import ServerUnreachableError
from signaling.internal.messages import PATH, parse_error, pass_for
from signaling.services.live.calls import Call
from signaling.services.ports import Clock

log = structlog.get_logger(__name__)

ANSWER_WITHIN: Final = 5.0
CONNECT_WITHIN: Final = 2.0
"""Seconds."""
MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes."""


class InternalClient:
    """Closed at the end."""

    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def ask(self, server: SignalingServer, call: Call, arguments: dict[str, Any]) -> Any:
        body = json.dumps({"call": call.name, "arguments": call.print(arguments)}).encode()
        try:
            said = await self._post(server, body)
            error = parse_error(said["error"]) if "error" in said else None
            answer = None if error is not None else call.answer.validate_python(said["answer"])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError) as problem:
            log.warning("server.not_reached", server=server.id, call=call.name, error=type(problem).__name__)
            raise ServerUnreachableError from None
        if error is not None:
            raise error
        return answer

    async def _post(self, server: SignalingServer, body: bytes) -> Any:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN, connect=CONNECT_WITHIN)
            self._http = aiohttp.ClientSession(timeout=timeout)
        headers = {
            "Authorization": f"Bearer {pass_for(self._ring, self._clock, server.id, body)}",
            "Content-Type": "application/json",
        }
        url = server.internal_url.rstrip("/") + PATH
        async with self._http.post(url, data=body, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"it answered {response.status}")
            text = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                text += chunk
                if len(text) > MAX_ANSWER:
                    raise ValueError("its answer has no end")
            return json.loads(text)
