"""A node that is a worker process behind a socket, as signaling holds it.

Implements `sfu.client.NodeClient`; `sfu.control.in_process` is the other way. A worker that was started here
inherited its end of a socket pair, so there is nobody to authenticate; one that was found came in by its door
(`sfu.control.survivor`). When either side dies, the other one reads the end of the stream. Nothing here
imports the node itself: the process that only talks to one is not to load all that media takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import socket
import sys
from collections.abc import Callable
from typing import Protocol

import structlog

from sfu.config import NodeConfig
from sfu.control import framing
from sfu.control.messages import (
    Command,
    Drain,
    Event,
    Reply,
    command_adapter,
    event_adapter,
    reply_adapter,
)
from sfu.control.replies import checked
from sfu.core_use import CoreUse, core_use
from sfu.errors import NodeCommandError, NodeLostError

log = structlog.get_logger("sfu.link")

START_TIMEOUT = 60.0
DRAIN_TIMEOUT = 5.0
EXIT_TIMEOUT = 2.0
"""Seconds a worker gets to answer that it has drained, and then to exit, before it is killed."""


class WorkerProcess(Protocol):
    """A child, or one that was found."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, signal: int) -> None: ...

    def kill(self) -> None: ...

    async def wait(self) -> int: ...


class SocketLink:
    """A worker process. Made by `spawn`, or `over` a link to one that runs."""

    def __init__(
        self,
        config: NodeConfig,
        process: WorkerProcess,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.node_id = config.node_id
        self.process = process
        self._reader = reader
        self._writer = writer
        self._pending: dict[int, asyncio.Future[Reply]] = {}
        self._number = 0
        self._handler: Callable[[Event], None] | None = None
        self._early: list[Event] = []
        self._lost_handler: Callable[[], None] | None = None
        self._lost = False
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(cls, config: NodeConfig) -> SocketLink:
        """Raises `NodeLostError` with the worker's own words when it does not start serving."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "sfu.worker",
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                )
        except BaseException:
            ours.close()
            raise
        try:
            return await cls._started(config, process, ours)
        except asyncio.CancelledError:
            if process.returncode is None:
                process.kill()  # whoever started it is stopping: nobody would end it later
            raise

    @classmethod
    async def _started(
        cls, config: NodeConfig, process: asyncio.subprocess.Process, ours: socket.socket
    ) -> SocketLink:
        reader, writer = await asyncio.open_connection(sock=ours, limit=framing.MAX_BODY)
        link = cls(config, process, reader, writer)
        writer.write(framing.frame(framing.HELLO, 0, json.dumps(dataclasses.asdict(config)).encode()))
        try:
            async with asyncio.timeout(START_TIMEOUT):
                kind, _, body = await read_frame(reader)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            await link._end_process()
            raise NodeLostError(f"worker {config.node_id} did not start: {error!r}") from error
        if kind != framing.SERVING:
            await link._end_process()
            raise NodeLostError(body.decode("utf-8", "replace"))
        return link._serving()

    @classmethod
    def over(
        cls,
        config: NodeConfig,
        process: WorkerProcess,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> SocketLink:
        """The link to a worker that serves already, and has agreed to serve us."""
        return cls(config, process, reader, writer)._serving()

    def _serving(self) -> SocketLink:
        self._task = asyncio.create_task(self._read(), name=f"link {self.node_id}")
        return self

    async def request(self, command: Command) -> Reply:
        if self._lost:
            raise NodeLostError(f"worker {self.node_id} is gone")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        number = self._send(command)
        self._pending[number] = future
        try:
            return checked(await future)
        finally:
            self._pending.pop(number, None)

    def tell(self, command: Command) -> None:
        if not self._lost:
            self._send(command)

    def _send(self, command: Command) -> int:
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._writer.write(framing.frame(framing.COMMAND, self._number, command_adapter.dump_json(command)))
        return self._number

    def on_event(self, handler: Callable[[Event], None]) -> None:
        self._handler = handler
        early, self._early = self._early, []
        for event in early:
            handler(event)

    def on_lost(self, handler: Callable[[], None]) -> None:
        self._lost_handler = handler
        if self._lost and not self._closing:
            handler()

    def core_use(self) -> CoreUse | None:
        return core_use(self.process.pid)

    async def close(self) -> None:
        """End the worker: it closes its transports and exits; killed if it does not."""
        if self._closing:
            return
        self._closing = True
        if not self._lost:
            with contextlib.suppress(NodeLostError, NodeCommandError, TimeoutError):
                async with asyncio.timeout(DRAIN_TIMEOUT):
                    await self.request(Drain(deadline=0.0))
        await self._end_process()
        if self._task is not None:
            await self._task

    def kill(self) -> None:
        """Without waiting for its end. It may be gone already."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    async def leave(self) -> None:
        """End the link and not the worker: another signaling process may take it over."""
        self._closing = True
        self._writer.close()
        if self._task is not None:
            await self._task

    async def abandon(self) -> None:
        """Kill the worker, which may be gone already or hang."""
        self._closing = True
        self.kill()
        await self._end_process()
        if self._task is not None:
            await self._task

    async def _end_process(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(EXIT_TIMEOUT):
                await self.process.wait()
        except TimeoutError:
            log.warning("worker does not end, killing it", node=self.node_id)
            self.kill()
            await self.process.wait()
        except asyncio.CancelledError:
            self.kill()
            raise

    async def _read(self) -> None:
        try:
            while True:
                kind, number, body = await read_frame(self._reader)
                if kind == framing.REPLY:
                    future = self._pending.get(number)
                    if future is not None and not future.done():
                        future.set_result(reply_adapter.validate_json(body))
                elif kind == framing.EVENT:
                    event = event_adapter.validate_json(body)
                    if self._handler is None:
                        self._early.append(event)
                    else:
                        self._handler(event)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._handle_lost()

    def _handle_lost(self) -> None:
        self._lost = True
        for future in self._pending.values():
            if not future.done():
                future.set_exception(NodeLostError(f"worker {self.node_id} is gone"))
        if not self._closing:
            log.error("worker lost", node=self.node_id, exit_code=self.process.returncode)
            if self._lost_handler is not None:
                self._lost_handler()


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, int, bytes]:
    """(type, number, body). Raises `asyncio.IncompleteReadError` at the end of the stream."""
    length, kind, number = framing.HEAD.unpack(await reader.readexactly(framing.HEAD.size))
    if length > framing.MAX_BODY:
        raise ConnectionError(f"a frame of {length} bytes on a control link")
    return kind, number, await reader.readexactly(length)
