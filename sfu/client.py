"""What signaling holds of a node: send a command, get its reply; hear its events.

Siblings implement `NodeClient`: `sfu.control.link.InProcessLink` (the node in the same loop) and
`sfu.control.link.SocketLink` (a worker process behind a local socket). Whoever holds one cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sfu.control.messages import Command, Event, Reply
from sfu.errors import NodeCommandError, NodeLostError

__all__ = ["EventHandler", "NodeClient", "NodeCommandError", "NodeLostError"]

EventHandler = Callable[[Event], None]


class NodeClient(Protocol):
    """One node as seen from signaling."""

    @property
    def node_id(self) -> str: ...

    async def request(self, command: Command) -> Reply:
        """Send a command and wait for its reply.

        Raises `NodeCommandError` (code, message) when the node refused it, `NodeLostError` when the link
        broke before the reply came.
        """
        ...

    def on_event(self, handler: EventHandler) -> None:
        """Register the one receiver of events. It is called in order, in the loop, and must not block."""
        ...

    def on_lost(self, handler: Callable[[], None]) -> None:
        """Register the one receiver of the news that this node is gone for good."""
        ...

    async def close(self) -> None: ...
