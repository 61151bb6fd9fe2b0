"""A node by hand that outlived the process which had it, as the next one finds it."""

from __future__ import annotations

from dataclasses import dataclass

from sfu.client import NodeClient, NodeConfig
from signaling.nodes.testing.node import FakeNode


@dataclass
class FakeSurvivor:
    """A node by hand that outlived the process which had it."""

    found: FakeNode
    index: int = 0
    config: NodeConfig | None = None
    fitting: bool = True
    taken: bool = False
    ended: bool = False
    released: bool = False

    def fits(self, _wanted: NodeConfig) -> bool:
        return self.fitting

    async def take(self) -> NodeClient:
        self.taken = True
        return self.found

    async def end(self) -> None:
        self.ended = True
        self.found.closed = True

    def release(self) -> None:
        self.released = True
