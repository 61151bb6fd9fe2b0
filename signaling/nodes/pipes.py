"""The pipes between the nodes of this process: made when two nodes first have a session in common.

Each end is created at its node and told of the other: address and, where packets leave the machine, the key.
A pipe serves every session that both nodes have, and ends with either of them. A silent one is renewed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from sfu.control import messages as node
from signaling.errors import MediaUnavailableError
from signaling.ids import new_id
from signaling.nodes.link import NodeLink
from signaling.nodes.renewal import PAUSES, Renewal, connect

log = structlog.get_logger(__name__)


class Pipes:
    """`secure`: whether packets are sealed. Workers of one machine need not, see `sfu.pipes`."""

    def __init__(self, *, secure: bool = False, pauses: Sequence[float] = PAUSES) -> None:
        self._secure = secure
        self._pauses = pauses
        self._between: dict[frozenset[str], asyncio.Task[str]] = {}
        self._links: dict[str, NodeLink] = {}
        self._renewals: dict[frozenset[str], Renewal] = {}
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
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            if not making.cancelled():
                raise  # it is who asks that was
            raise MediaUnavailableError from None  # a node was lost meanwhile

    def take(self, pipe_id: str, one: NodeLink, other: NodeLink) -> None:
        """A pipe that connects the two nodes already. Call it in a running loop, before any other is made."""

        async def made() -> str:
            return pipe_id

        ends = frozenset((one.node_id, other.node_id))
        self._between[ends] = asyncio.create_task(made(), name="pipe")
        self._links |= {one.node_id: one, other.node_id: other}
        self._watch(pipe_id, one, other)

    def handle_found_silent(self, pipe_id: str, node_id: str) -> None:
        """An end of a pipe that was taken says that it hears nothing; see `Renewal`."""
        for ends, renewal in self._renewals.items():
            if node_id in ends and renewal.pipe_id == pipe_id:
                renewal.handle_found_silent(node_id)

    def handle_lost(self, node_id: str) -> None:
        """A node is gone: the ends that are left are closed."""
        self._links.pop(node_id, None)
        for ends in [ends for ends in self._between if node_id in ends]:
            making = self._between.pop(ends)
            making.cancel()
            renewal = self._renewals.pop(ends, None)
            if renewal is not None:
                renewal.close()
            (left,) = ends - {node_id}
            link = self._links.get(left)
            if link is not None and making.done() and not making.cancelled() and not making.exception():
                task = asyncio.create_task(link.end(node.ClosePipe(pipe_id=making.result())))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """The nodes end their pipes themselves."""
        renewals = list(self._renewals.values())
        self._renewals.clear()
        for renewal in renewals:
            renewal.close()
        tasks = [*self._between.values(), *self._closing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *(one.wait_closed() for one in renewals), return_exceptions=True)
        self._between.clear()

    async def _make(self, one: NodeLink, other: NodeLink) -> str:
        pipe_id = new_id("pipe")
        # Before it is connected: its ends may find each other, or not, before the last command is answered.
        self._watch(pipe_id, one, other)
        try:
            await connect(pipe_id, (one, other), secure=self._secure)
        except BaseException:
            self._unwatch(one, other)
            for link in (one, other):
                await link.end(node.ClosePipe(pipe_id=pipe_id))
            raise
        log.info("pipe.made", pipe=pipe_id, nodes=[one.node_id, other.node_id])
        return pipe_id

    def _watch(self, pipe_id: str, one: NodeLink, other: NodeLink) -> None:
        self._unwatch(one, other)
        ends = frozenset((one.node_id, other.node_id))
        self._renewals[ends] = Renewal(pipe_id, (one, other), secure=self._secure, pauses=self._pauses)

    def _unwatch(self, one: NodeLink, other: NodeLink) -> None:
        renewal = self._renewals.pop(frozenset((one.node_id, other.node_id)), None)
        if renewal is not None:
            renewal.close()
