"""What signaling holds of a node: send a command, get its reply; hear its events.

Siblings implement `NodeClient`: `sfu.control.in_process.InProcessLink` (the node in the same loop) and
`sfu.control.link.SocketLink` (a worker process behind a local socket). Whoever holds one cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from sfu.config import NodeConfig
from sfu.control.messages import Command, Event, Reply
from sfu.core_use import CoreUse
from sfu.errors import DoorError, NodeCommandError, NodeLostError

__all__ = [
    "CoreUse",
    "DoorError",
    "EventHandler",
    "NodeClient",
    "NodeCommandError",
    "NodeConfig",
    "NodeLostError",
    "Survivor",
    "find_survivors",
    "spawn_worker",
    "start_in_process",
]

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

    def tell(self, command: Command) -> None:
        """Send a command and wait for nothing; to one that is lost it goes nowhere."""
        ...

    def on_event(self, handler: EventHandler) -> None:
        """Register the one receiver of events. It is called in order, in the loop, and must not block."""
        ...

    def on_lost(self, handler: Callable[[], None]) -> None:
        """Register the one receiver of the news that this node is gone for good."""
        ...

    def core_use(self) -> CoreUse | None:
        """Of its process. None where nobody knows, and for a node in this process."""
        ...

    async def close(self) -> None:
        """End the node in order: it drains first."""
        ...

    async def abandon(self) -> None:
        """End a node that is gone or does not answer, at once."""
        ...

    async def leave(self) -> None:
        """Let go of the node; if it is a process and carries sessions, it goes on for its grace period."""
        ...

    def kill(self) -> None:
        """End it at once, without waiting: the process is ending."""
        ...


class Survivor(Protocol):
    """A worker that outlived the signaling process which started it. To look at it changes nothing."""

    @property
    def index(self) -> int:
        """Its place among the workers."""
        ...

    @property
    def config(self) -> NodeConfig | None:
        """None where it hangs or speaks another protocol."""
        ...

    def fits(self, wanted: NodeConfig) -> bool:
        """Whether it is what would be started in its place."""
        ...

    async def take(self) -> NodeClient:
        """Have it from now on. Raises `NodeLostError` when it just went."""
        ...

    async def end(self) -> None:
        """End it, with what it carries."""
        ...

    def release(self) -> None:
        """Leave it as it was; what was taken is not touched."""
        ...


async def start_in_process(config: NodeConfig) -> NodeClient:
    """Run a node in this loop (`--workers 0`, tests). Raises `OSError` when the port is taken."""
    from sfu.control.in_process import InProcessLink

    return await InProcessLink.start(config)


async def spawn_worker(config: NodeConfig) -> NodeClient:
    """Start a node in a process of its own and return once it serves.

    The link is a socket pair inherited by the child, so nothing listens anywhere. Raises `NodeLostError` with
    the child's reason when it does not come up (for example because the port is taken). `close()` drains and
    ends the process.
    """
    from sfu.control.link import SocketLink

    return await SocketLink.spawn(config)


async def find_survivors(folder: Path) -> Sequence[Survivor]:
    """Workers that outlived another signaling process and are to be found in that folder.

    Raises `DoorError` when it is not one that we alone can write to.
    """
    from sfu.control.survivor import find_survivors as find

    return await find(folder)
