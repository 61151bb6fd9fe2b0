"""One socket: reads requests one after the other, answers each, writes events as they come.

Reading and writing are two tasks. Whoever has something for the client pushes it and never waits; a writer
carries it to the socket. A client that does not read fills the queue up to its bound and is then cut off: its
peer is detached and may resume, nobody else notices.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from aiohttp import WSMessage, WSMsgType, web

from signaling.domain.peer import Origin
from signaling.errors import MisdirectedError, RateLimitedError, ResumeRefusedError, SignalingError
from signaling.protocol import messages
from signaling.protocol.closing import CloseCode
from signaling.protocol.envelope import MalformedFrame, failure, parse_request, success
from signaling.protocol.peer import PeerProtocol
from signaling.services.bucket import TokenBucket
from signaling.services.live.service import LiveService
from signaling.services.ports import Clock
from signaling.ws.hub import WsHub

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WsSettings:
    """Times in seconds. The queue must hold what a mailbox may replay."""

    join_within: float = 10.0
    heartbeat: float = 15.0
    close_within: float = 3.0
    rate: float = 50.0
    burst: int = 300
    max_strikes: int = 20
    """Malformed or refused-for-rate frames after which the socket is closed."""
    max_queued_frames: int = 4000
    max_queued_characters: int = 8 * 1024 * 1024


class Connection:
    """`run` serves the socket until it is closed. Implements `signaling.ws.hub.Socket`."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        abort: Callable[[], None],
        live: LiveService,
        hub: WsHub,
        clock: Clock,
        settings: WsSettings,
        counters: Counter[str],
        origin: Origin,
    ) -> None:
        self._ws = ws
        self._abort = abort
        self._live = live
        self._hub = hub
        self._clock = clock
        self._settings = settings
        self._counters = counters
        self._origin = origin
        self._protocol = PeerProtocol()
        self._peer_id: str | None = None
        self._bucket = TokenBucket(settings.rate, settings.burst, clock.monotonic())
        self._strikes = 0
        self._outgoing: asyncio.Queue[str | None] = asyncio.Queue()
        self._queued_characters = 0
        self._handling = False
        self._close_code: CloseCode | None = None
        self._give_up: asyncio.TimerHandle | None = None

    @property
    def closing(self) -> bool:
        return self._close_code is not None

    # --- what others may do ----------------------------------------------------------------------------

    def push(self, text: str) -> None:
        """Queue a frame. Too many of them cut the socket off."""
        if self.closing and not self._handling:
            return
        self._queued_characters += len(text)
        self._outgoing.put_nowait(text)
        if (
            self._outgoing.qsize() > self._settings.max_queued_frames
            or self._queued_characters > self._settings.max_queued_characters
        ):
            self._counters["too_slow"] += 1
            self._abort()

    def finish(self, code: CloseCode) -> None:
        """Close once everything queued is written, and the request being served is answered."""
        if self.closing:
            return
        self._close_code = code
        if not self._handling:
            self._begin_close()

    def _close_if_asked(self) -> None:
        if self.closing:
            self._begin_close()

    def _begin_close(self) -> None:
        self._outgoing.put_nowait(None)
        loop = asyncio.get_running_loop()
        self._give_up = loop.call_later(self._settings.close_within, self._abort)

    # --- serving ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        writer = asyncio.create_task(self._write(), name="socket writer")
        try:
            await self._read()
        finally:
            try:
                await self._gone()
            finally:  # also where whoever serves the socket is cancelled: the writer goes with it
                if not self.closing:
                    self.finish(CloseCode.LEFT)
                await asyncio.gather(writer, return_exceptions=True)
                if self._give_up is not None:
                    self._give_up.cancel()

    async def _gone(self) -> None:
        if self._peer_id is not None and self._hub.detach(self._peer_id, self):
            await self._live.detach(self._peer_id)

    async def _read(self) -> None:
        deadline = self._clock.monotonic() + self._settings.join_within
        while self._peer_id is None and not self.closing:
            try:
                message = await self._ws.receive(max(deadline - self._clock.monotonic(), 0.001))
            except TimeoutError:
                self.finish(CloseCode.NO_JOIN)
                return
            if not await self._handle(message):
                return
        while await self._handle(await self._ws.receive()):
            pass

    async def _handle(self, message: WSMessage) -> bool:
        """Whether there may be more to read."""
        if message.type is WSMsgType.TEXT:
            await self._handle_text(message.data)
            return True
        if message.type is WSMsgType.BINARY:
            self._malformed(MalformedFrame(None, "", "frames are JSON text, not binary"))
            return True
        return False

    async def _handle_text(self, text: str) -> None:
        if self.closing:
            return
        try:
            request = parse_request(text)
        except MalformedFrame as error:
            self._malformed(error)
            return
        if not self._bucket.take(self._clock.monotonic()):
            self._refuse_for_rate(request.id)
            return
        self._handling = True
        try:
            await self._serve(request)
        finally:
            self._handling = False
        self._close_if_asked()

    async def _serve(self, request: messages.AnyRequest) -> None:
        """Exactly one response."""
        try:
            self._protocol.check(request.type)
            if isinstance(request, messages.Join):
                await self._join(request)
            elif isinstance(request, messages.Resume):
                await self._resume(request)
            elif self._peer_id is None:
                self.push(success(request.id, messages.Empty()))  # a ping before the join
            else:
                self.push(success(request.id, await self._live.handle(self._peer_id, request)))
        except SignalingError as error:
            text = failure(
                request.id,
                error.code,
                error.name,
                error.message,
                field=error.field,
                retry_after=error.retry_after,
                reason=error.reason,
                url=error.url if isinstance(error, MisdirectedError) else None,
            )
            self.push(text)
        except Exception:
            log.exception("request.failed", peer=self._peer_id, request=request.type)
            internal = SignalingError()
            self.push(failure(request.id, internal.code, internal.name, internal.message))

    async def _join(self, request: messages.Join) -> None:
        joined = await self._live.join(request, self._origin)
        self.push(success(request.id, joined))
        self._peer_id = joined.peer_id
        self._protocol = self._hub.attach(joined.peer_id, self, joined.seq)

    async def _resume(self, request: messages.Resume) -> None:
        resumed = await self._live.resume(request, self._origin.socket_id)
        self.push(success(request.id, resumed))
        self._peer_id = resumed.peer_id
        try:
            self._protocol = self._hub.attach(resumed.peer_id, self, resumed.seq)
        except ResumeRefusedError:
            self.finish(CloseCode.TIMEOUT)  # so much happened since that the events are lost after all

    # --- what is wrong ---------------------------------------------------------------------------------

    def _malformed(self, error: MalformedFrame) -> None:
        self._counters["malformed"] += 1
        self.push(error.to_frame())
        self._strike()

    def _refuse_for_rate(self, request_id: int) -> None:
        self._counters["rate_limited"] += 1
        error = RateLimitedError()
        text = failure(request_id, error.code, error.name, error.message, retry_after=error.retry_after)
        self.push(text)
        self._strike()

    def _strike(self) -> None:
        self._strikes += 1
        if self._strikes >= self._settings.max_strikes:
            self.finish(CloseCode.POLICY)

    # --- writing ---------------------------------------------------------------------------------------

    async def _write(self) -> None:
        try:
            while (text := await self._outgoing.get()) is not None:
                self._queued_characters -= len(text)
                await self._ws.send_str(text)
            code = self._close_code or CloseCode.LEFT
            await self._ws.close(code=code, message=code.name.lower().encode())
        except ConnectionError:
            self._abort()  # the reader sees the end and detaches
