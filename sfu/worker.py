"""A media worker process: one loop, one node, one link to signaling on an inherited socket.

Started by `sfu.control.link.SocketLink.spawn` as `python -m sfu.worker FD`. It ends when told to drain, when
the link ends (signaling is gone), or on SIGTERM. SIGINT is left to signaling, which shuts down in order.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
import sys
import time

import structlog

from sfu.config import NodeConfig
from sfu.control import framing
from sfu.control.link import read_frame
from sfu.control.messages import Done, Drain, Event, command_adapter, event_adapter, reply_adapter
from sfu.control.server import CommandServer
from sfu.node import Node
from sfu.sweep import INTERVAL, Sweep

log = structlog.get_logger("sfu.worker")

GC_THRESHOLDS = (50_000, 50, 50)
"""The packet path makes no reference cycles, so the collector may come rarely by itself; what was closed is
collected when `sfu.sweep` says so."""


class Worker:
    """Serves one link until it ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._stop = asyncio.Event()

    async def run(self) -> int:
        """Returns the exit code: 0 after serving, 1 when the node could not start."""
        _, _, body = await read_frame(self._reader)
        values = json.loads(body)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        config = NodeConfig(**values | lists)
        node = Node(config, self._emit)
        try:
            await node.start()
        except OSError as error:
            reason = f"port {config.udp_port} on {', '.join(config.hosts)}: {error.strerror or error}"
            self._writer.write(framing.frame(framing.FAILED, 0, reason.encode()))
            await self._writer.drain()
            return 1
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        self._writer.write(framing.frame(framing.SERVING, 0, b"{}"))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        serving = asyncio.create_task(self._serve(node))
        stopping = asyncio.create_task(self._stop.wait())
        sweeping = asyncio.create_task(_sweep(node))
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (serving, stopping, sweeping):
            task.cancel()
        await asyncio.gather(serving, stopping, sweeping, return_exceptions=True)
        await node.close()
        return 0

    async def _serve(self, node: Node) -> None:
        server = CommandServer(node)
        while True:
            try:
                kind, number, body = await read_frame(self._reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                log.info("signaling is gone, ending")
                return
            if kind != framing.COMMAND:
                continue
            command = command_adapter.validate_json(body)
            if isinstance(command, Drain):
                await node.close(command.deadline)
                self._reply(number, reply_adapter.dump_json(Done()))
                await self._writer.drain()
                return
            self._reply(number, reply_adapter.dump_json(server.apply(command)))

    def _reply(self, number: int, body: bytes) -> None:
        self._writer.write(framing.frame(framing.REPLY, number, body))

    def _emit(self, event: Event) -> None:
        if not self._writer.is_closing():
            self._writer.write(framing.frame(framing.EVENT, 0, event_adapter.dump_json(event)))


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


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import uvloop
    except ImportError:
        code = asyncio.run(_main(int(sys.argv[1])))
    else:
        code = uvloop.run(_main(int(sys.argv[1])))
    sys.exit(code)


if __name__ == "__main__":
    main()
