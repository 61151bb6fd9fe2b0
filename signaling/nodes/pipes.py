"""The pipes between the nodes of this process: made when two nodes first have a session in common.

Each end is created at its node and told of the other: address and, where packets leave the machine, the key.
A pipe serves every session that both nodes have, and ends with either of them.
"""

from __future__ import annotations

import asyncio

import structlog

from sfu.control import messages as node
from signaling.errors import MediaUnavailableError
from signaling.ids import new_id
from signaling.nodes.link import NodeLink

log = structlog.get_logger(__name__)


class Pipes:
    """`secure`: whether packets are sealed. Workers of one machine need not, see `sfu.pipes`."""

    def __init__(self, *, secure: bool = False) -> None:
        self._secure = secure
        self._between: dict[frozenset[str], asyncio.Task[str]] = {}
        self._links: dict[str, NodeLink] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        return len(self._between)

    async def between(self, one: NodeLink, other: NodeLink) -> str:
        """The id of the connected pipe between two nodes. Raises `MediaUnavailableError`."""
        if one.lost or other.lost:
            raise MediaUnavailableError
        ends = frozenset((one.node_id, other.node_id))
        making = self._between.get(ends)
        if making is None or (making.done() and (making.cancelled() or making.exception() is not None)):
            making = asyncio.create_task(self._make(one, other), name="pipe")
            self._between[ends] = making
            self._links |= {one.node_id: one, other.node_id: other}
        return await asyncio.shield(making)

    def take(self, pipe_id: str, one: NodeLink, other: NodeLink) -> None:
        """A pipe that connects the two nodes already. Call it in a running loop, before any other is made."""

        async def made() -> str:
            return pipe_id

        ends = frozenset((one.node_id, other.node_id))
        self._between[ends] = asyncio.create_task(made(), name="pipe")
        self._links |= {one.node_id: one, other.node_id: other}

    def handle_lost(self, node_id: str) -> None:
        """A node is gone: the ends that are left are closed."""
        self._links.pop(node_id, None)
        for ends in [ends for ends in self._between if node_id in ends]:
            making = self._between.pop(ends)
            making.cancel()
            (left,) = ends - {node_id}
            link = self._links.get(left)
            if link is not None and making.done() and not making.cancelled() and not making.exception():
                task = asyncio.create_task(link.end(node.ClosePipe(pipe_id=making.result())))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """The nodes end their pipes themselves."""
        tasks = [*self._between.values(), *self._closing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._between.clear()

    async def _make(self, one: NodeLink, other: NodeLink) -> str:
        pipe_id = new_id("pipe")
        try:
            await self._join(pipe_id, one, other)
        except BaseException:
            for link in (one, other):
                await link.end(node.ClosePipe(pipe_id=pipe_id))
            raise
        log.info("pipe.made", pipe=pipe_id, nodes=[one.node_id, other.node_id])
        return pipe_id

    async def _join(self, pipe_id: str, one: NodeLink, other: NodeLink) -> None:
        create = node.CreatePipe(pipe_id=pipe_id, secure=self._secure)
        ends = [await link.request(create) for link in (one, other)]
        for link, far in zip((one, other), reversed(ends), strict=True):
            assert isinstance(far, node.PipeCreated), "the reply to a pipe is its end"
            connect = node.ConnectPipe(pipe_id=pipe_id, host=far.host, port=far.port, key=far.key)
            await link.request(connect)
