"""A media worker process: one loop, one node, and one link to signaling after the other.

Started by `sfu.control.link.SocketLink.spawn` as `python -m sfu.worker FD`: the first link is a socket that
it inherits. Where it is told to (`NodeConfig.survive`), it goes on for a while when that link ends while
sessions are here, so that the next signaling process can take it over by its door. `sfu.control.custody` has
the rules. It ends when told to drain or on SIGTERM. SIGINT is left to signaling, which shuts down in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import json
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import structlog

from sfu.clock import monotonic
from sfu.config import NodeConfig, config_from
from sfu.control import door, framing
from sfu.control.custody import Custody, CustodyState
from sfu.control.link import read_frame
from sfu.control.messages import Done, Drain, Event, command_adapter, event_adapter, reply_adapter
from sfu.control.server import CommandServer
from sfu.control.version import protocol_version
from sfu.errors import DoorError
from sfu.huge_pages import keep_on_huge_pages
from sfu.node import Node
from sfu.sweep import INTERVAL, Sweep

log = structlog.get_logger("sfu.worker")

GC_THRESHOLDS = (50_000, 50, 50)
"""The packet path makes no reference cycles, so the collector may come rarely by itself; what was closed is
collected when `sfu.sweep` says so."""
TAKE_TIMEOUT = 30.0
"""Seconds that somebody at the door may look before taking the worker or going."""


class Link:
    """One signaling process, while it is there."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, kind: bytes, number: int, body: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(framing.frame(kind, number, body))


class Worker:
    """Serves links until it is to end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._first = Link(reader, writer)
        self._link: Link | None = None
        self._custody = Custody(0.0)
        self._changed = asyncio.Event()
        self._visits: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Returns the exit code: 0 after serving, 1 when the node could not start."""
        try:
            _, _, body = await read_frame(self._first.reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0  # signaling went before it said what to be
        config = config_from(json.loads(body))
        node = Node(config, self._emit)
        try:
            await node.start()
        except OSError as error:
            reason = f"port {config.udp_port} on {', '.join(config.hosts)}: {error.strerror or error}"
            self._first.send(framing.FAILED, 0, reason.encode())
            await self._first.writer.drain()
            return 1
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        listener = _open_door(config)
        self._custody = Custody(config.survive if listener is not None else 0.0)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end)
        self._serve(node, self._first)
        tasks = [asyncio.create_task(_sweep(node)), asyncio.create_task(keep_on_huge_pages())]
        if listener is not None:
            tasks.append(asyncio.create_task(self._watch_door(node, listener)))
        await self._until_ending()
        for task in (*tasks, *self._visits):
            task.cancel()
        await asyncio.gather(*tasks, *self._visits, return_exceptions=True)
        await node.close()
        if listener is not None and config.door is not None:
            listener.close()
            door.door_path(Path(config.door), config.index).unlink(missing_ok=True)
        return 0

    # --- whose it is -----------------------------------------------------------------------------------

    def _serve(self, node: Node, link: Link) -> None:
        """The link is this one from now on."""
        self._custody.handle_linked()
        before, self._link = self._link, link
        if before is not None:
            before.writer.close()
        link.send(framing.SERVING, 0, b"{}")
        self._visit(self._serving(node, link))
        self._changed.set()

    async def _serving(self, node: Node, link: Link) -> None:
        try:
            drained = await self._commands(node, link)
        except Exception:
            # A frame that cannot be what it should: whoever has us sees the link end, and replaces us.
            log.exception("the link failed")
            self._custody.end()
            drained = True
        if self._link is not link:
            return  # another one has taken its place
        self._link = None
        link.writer.close()
        if drained:
            self._custody.end()
        else:
            self._custody.handle_link_ended(monotonic(), sessions=len(node.routers))
            if self._custody.state is CustodyState.ALONE:
                log.warning("signaling is gone, going on without it", sessions=len(node.routers))
            else:
                log.info("signaling is gone, ending")
        self._changed.set()

    async def _until_ending(self) -> None:
        while self._custody.state is not CustodyState.ENDING:
            self._changed.clear()
            until = self._custody.until
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if until is None else max(0.0, until - monotonic())):
                    await self._changed.wait()
            self._custody.handle_time(monotonic())

    def _end(self) -> None:
        self._custody.end()
        self._changed.set()

    # --- the door --------------------------------------------------------------------------------------

    async def _watch_door(self, node: Node, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            visitor, _ = await loop.sock_accept(listener)
            self._visit(self._receive(node, visitor))

    async def _receive(self, node: Node, visitor: socket.socket) -> None:
        """Say who we are; who says then that it takes us has us."""
        try:
            door.check_peer(visitor)
        except DoorError as error:
            log.warning("turned somebody away at the door", error=str(error))
            visitor.close()
            return
        reader, writer = await asyncio.open_connection(sock=visitor, limit=framing.MAX_BODY)
        link = Link(reader, writer)
        welcome = {"protocol": protocol_version(), "config": dataclasses.asdict(node.config)}
        link.send(framing.WELCOME, 0, json.dumps(welcome).encode())
        try:
            async with asyncio.timeout(TAKE_TIMEOUT):
                kind, _, _ = await read_frame(reader)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            kind = b""
        if kind == framing.TAKE and self._custody.state is not CustodyState.ENDING:
            log.info("another signaling process takes over", sessions=len(node.routers))
            self._serve(node, link)
        else:
            writer.close()

    def _visit(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)

    # --- commands and events ---------------------------------------------------------------------------

    async def _commands(self, node: Node, link: Link) -> bool:
        """Until the link ends (False) or has the node drained (True)."""
        server = CommandServer(node)
        while True:
            try:
                kind, number, body = await read_frame(link.reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                return False
            if kind != framing.COMMAND:
                continue
            command = command_adapter.validate_json(body)
            if isinstance(command, Drain):
                await node.close(command.deadline)
                link.send(framing.REPLY, number, reply_adapter.dump_json(Done()))
                with contextlib.suppress(ConnectionError):
                    await link.writer.drain()
                return True
            link.send(framing.REPLY, number, reply_adapter.dump_json(server.apply(command)))

    def _emit(self, event: Event) -> None:
        """To whoever has us; while nobody has, it is not kept: see `sfu.holdings`."""
        if self._link is not None:
            self._link.send(framing.EVENT, 0, event_adapter.dump_json(event))


def _open_door(config: NodeConfig) -> socket.socket | None:
    """None where it is not to survive, or cannot: then it ends with its link."""
    if config.door is None or config.survive <= 0 or not door.supported():
        return None
    try:
        return door.listen(door.door_path(Path(config.door), config.index))
    except OSError as error:
        log.warning("no door, so it will end with its signaling process", error=str(error))
        return None


async def _sweep(node: Node) -> None:
    """Collect what was closed, for as long as the worker serves."""
    sweep = Sweep()
    while True:
        await asyncio.sleep(INTERVAL)
        if sweep.poll(node.closed, node.live):
            begun = time.perf_counter()
            freed = gc.collect()
            log.debug("swept", freed=freed, live=node.live, ms=round(1000 * (time.perf_counter() - begun), 1))


async def _main(descriptor: int) -> int:
    reader, writer = await asyncio.open_connection(
        sock=socket.socket(fileno=descriptor), limit=framing.MAX_BODY
    )
    return await Worker(reader, writer).run()


class _Log:
    """What a worker says where its signaling process says it. That the reader of it went with that process is
    no reason to stop."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(message + "\n")
            sys.stdout.flush()

    log = debug = info = warn = warning = error = critical = exception = fatal = msg


def configure_logging() -> None:
    """Once, at start. A traceback shows the lines of code and never the variables, which hold keys."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=lambda *_: _Log(),
    )


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging()
    try:
        import uvloop
    except ImportError:
        code = asyncio.run(_main(int(sys.argv[1])))
    else:
        code = uvloop.run(_main(int(sys.argv[1])))
    sys.exit(code)


if __name__ == "__main__":
    main()
