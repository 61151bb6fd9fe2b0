"""A node in the loop of whoever holds it: `--workers 0`, and tests.

Implements `sfu.client.NodeClient`, as `sfu.control.link.SocketLink` does for a worker process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sfu.config import NodeConfig
from sfu.control.messages import Command, Done, Drain, Event, Reply
from sfu.control.replies import checked
from sfu.control.server import CommandServer
from sfu.node import Node


class InProcessLink:
    """A node in this loop. Events are delivered in a later turn, as over a socket."""

    def __init__(self, config: NodeConfig) -> None:
        self.node_id = config.node_id
        self.node = Node(config, self._emit)
        self._server = CommandServer(self.node)
        self._handler: Callable[[Event], None] | None = None
        self._early: list[Event] = []
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def start(cls, config: NodeConfig) -> InProcessLink:
        link = cls(config)
        await link.node.start()
        return link

    async def request(self, command: Command) -> Reply:
        if isinstance(command, Drain):
            await self.node.close(command.deadline)
            return Done()
        return checked(self._server.apply(command))

    def tell(self, command: Command) -> None:
        self._server.apply(command)

    def on_event(self, handler: Callable[[Event], None]) -> None:
        self._handler = handler
        for event in self._early:
            self._loop.call_soon(handler, event)
        self._early.clear()

    def on_lost(self, handler: Callable[[], None]) -> None:
        """A node in one's own process is not lost without the process."""

    def core_use(self) -> None:
        """Whoever asks has the core that it would have."""

    async def close(self) -> None:
        await self.node.close()

    async def abandon(self) -> None:
        await self.node.close()

    def kill(self) -> None:
        """It ends with its process."""

    async def leave(self) -> None:
        await self.node.close()

    def _emit(self, event: Event) -> None:
        if self._handler is None:
            self._early.append(event)
        else:
            self._loop.call_soon(self._handler, event)
