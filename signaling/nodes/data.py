"""Data messages between the nodes of a session: each relays among its own peers, the rest goes by here."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any

from sfu.control import messages as node
from signaling.nodes.parts import Parts


class DataSpread:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def spread(self) -> None:
        """A node tells of data messages for other nodes where the session is on several."""
        for part in self._parts:
            await part.spread_data(spread=len(self._parts) > 1)

    def relay(self, node_id: str, message: node.DataForwarded) -> Iterator[Coroutine[Any, Any, None]]:
        """The work of bringing a message from that node to the nodes of those it is for."""
        to = message.to
        for part in self._parts:
            concerned = to is None or any(self._parts.publishing_on(part.node_id, one) for one in to)
            if part.node_id != node_id and concerned:
                yield part.deliver_data(message)
