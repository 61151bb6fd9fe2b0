"""Work that is done every so often for as long as a process serves, whatever became of it the last time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import structlog

from signaling.errors import SignalingError

log = structlog.get_logger(__name__)


class Repeating:
    """Runs from `start` to `close`, in a task and a context of its own. What it raises is logged: the next
    time makes up for it."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], *, every: float, at_once: bool = False
    ) -> None:
        """`every`: seconds between the end of one time and the next. `at_once`: the first is with `start`."""
        self.name = name
        self._work = work
        self._every = every
        self._at_once = at_once
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        assert self._task is None, f"{self.name} runs already"
        self._task = asyncio.create_task(self._run(), name=self.name, context=Context())

    async def close(self) -> None:
        """Work that is being done is cancelled, and over when this returns."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        if not self._at_once:
            await asyncio.sleep(self._every)
        while True:
            try:
                await self._work()
            except SignalingError as error:
                log.warning("repeated.failed", work=self.name, error=error.message)
            except Exception:
                log.exception("repeated.failed", work=self.name)
            await asyncio.sleep(self._every)
