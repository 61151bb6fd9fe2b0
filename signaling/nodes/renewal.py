"""A pipe between two nodes that went silent gets another way: new sockets at both ends, so other ports.

    sound --an end hears nothing--> renewing --both ends hear each other--> sound
                                      |   ^
                                      +---+ not yet: again after a pause, PAUSES times in all, then given up

An end may have been silent already when a signaling process took its node over, and says so only once: the
node is asked then, and `handle_found_silent` begins as if it had just been said.

What the pipe carries stays in it, so nobody loses a subscription. A node that hangs or died is found by its
pings, not here. A line that does not come back by this is given up; should it come back by itself, the pipe
is sound again, and the next silence is met as the first one was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from sfu.control import messages as node
from signaling.errors import SignalingError
from signaling.nodes.link import NodeLink

log = structlog.get_logger(__name__)

PAUSES: Final = (0.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before each attempt."""
HEARD_WITHIN: Final = 5.0
"""Seconds after which an attempt has failed: an end says every half second that it is there."""


async def connect(pipe_id: str, links: Sequence[NodeLink], *, secure: bool, renew: bool = False) -> None:
    """Create both ends and tell each of the other. Raises `MediaUnavailableError`."""
    create = node.CreatePipe(pipe_id=pipe_id, secure=secure, renew=renew)
    ends = [await link.request(create) for link in links]
    for link, far in zip(links, reversed(ends), strict=True):
        assert isinstance(far, node.PipeCreated), "the reply to a pipe is its end"
        command = node.ConnectPipe(pipe_id=pipe_id, host=far.host, port=far.port, key=far.key)
        await link.request(command)


class Renewal:
    """Of one pipe. `close` when it is closed."""

    def __init__(
        self,
        pipe_id: str,
        links: Sequence[NodeLink],
        *,
        secure: bool,
        pauses: Sequence[float] = PAUSES,
        heard_within: float = HEARD_WITHIN,
    ) -> None:
        self.pipe_id = pipe_id
        self._links = tuple(links)
        self._secure = secure
        self._pauses = pauses
        self._heard_within = heard_within
        self._states: dict[str, str] = {}
        """By node id, what its end said last."""
        self._changed = asyncio.Event()
        self._given_up = False
        self._task: asyncio.Task[None] | None = None
        for link in self._links:
            link.register(pipe_id, _End(self, link.node_id))

    def handle_state(self, node_id: str, state: str) -> None:
        log.info("pipe.state", pipe=self.pipe_id, node=node_id, state=state)
        self._states[node_id] = state
        self._changed.set()
        if self._is_sound:
            self._given_up = False
        running = self._task is not None and not self._task.done()
        if state == "silent" and not running and not self._given_up:
            self._task = asyncio.create_task(self._renew(), name=f"renew {self.pipe_id}")

    def handle_found_silent(self, node_id: str) -> None:
        """An end was silent when its node was asked, which counts less than what it has said since."""
        if node_id not in self._states:
            self.handle_state(node_id, "silent")

    def close(self) -> None:
        for link in self._links:
            link.forget(self.pipe_id)
        if self._task is not None:
            self._task.cancel()

    async def wait_closed(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def _is_sound(self) -> bool:
        return all(self._states.get(link.node_id) == "connected" for link in self._links)

    async def _renew(self) -> None:
        for pause in self._pauses:
            await asyncio.sleep(pause)
            if self._is_sound:
                break
            self._states.clear()
            try:
                await connect(self.pipe_id, self._links, secure=self._secure, renew=True)
            except SignalingError as error:
                log.warning("pipe.not_renewed", pipe=self.pipe_id, error=error.message)
                continue
            if await self._is_heard():
                break
        else:
            self._given_up = True
            log.error("pipe.given_up", pipe=self.pipe_id, attempts=len(self._pauses))
            return
        log.info("pipe.renewed", pipe=self.pipe_id)

    async def _is_heard(self) -> bool:
        try:
            async with asyncio.timeout(self._heard_within):
                while not self._is_sound:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _End:
    """What one node says of its end."""

    renewal: Renewal
    node_id: str

    def handle_event(self, event: node.Event) -> None:
        if isinstance(event, node.PipeStateChanged):
            self.renewal.handle_state(self.node_id, event.state)

    def handle_lost(self) -> None:
        """`Pipes` hears of it as well, and closes the renewal."""
