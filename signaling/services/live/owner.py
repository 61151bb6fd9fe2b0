"""One owner per session: whatever changes the session is done by it, one thing after the other.

`do` waits for the result, `post` does not. Somebody who stops waiting does not stop the work: a command that
was begun is carried out, so that node, store and aggregate never part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, TypeVar

import structlog

from signaling.errors import NotJoinedError, SignalingError

T = TypeVar("T")
log = structlog.get_logger(__name__)

_Work = tuple[Callable[[], Awaitable[Any]], "asyncio.Future[Any] | None"]


class Owner:
    """Runs as one task from `start` to `stop`."""

    def __init__(self, name: str, after: Callable[[], None] = lambda: None) -> None:
        """`after` is called when some work was done, before anybody has its result."""
        self._name = name
        self._after = after
        self._queue: asyncio.Queue[_Work | None] = asyncio.Queue()
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """In a context of its own, so that logs do not carry what belongs to whoever came first."""
        self._task = asyncio.create_task(self._run(), name=f"owner {self._name}", context=Context())

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """The work's result or error; `NotJoinedError` when the session is over before its turn."""
        if self._stopped:
            raise NotJoinedError("The session has ended. Join again.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((work, future))
        return await future

    def post(self, work: Callable[[], Awaitable[Any]]) -> None:
        if not self._stopped:
            self._queue.put_nowait((work, None))

    def stop(self) -> None:
        """Nothing more is taken; what waits is refused. The work that is being done is finished."""
        if not self._stopped:
            self._stopped = True
            self._queue.put_nowait(None)

    async def wait_stopped(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        while (item := await self._queue.get()) is not None:
            work, future = item
            if self._stopped:
                _refuse(future)
            else:
                await self._carry_out(work, future)

    def _look_after(self) -> None:
        try:
            self._after()
        except Exception:
            # A defect of ours: what was done stays done, and its result is not to be taken for another.
            log.exception("session.not_looked_after", session=self._name)

    async def _carry_out(
        self, work: Callable[[], Awaitable[Any]], future: asyncio.Future[Any] | None
    ) -> None:
        try:
            try:
                result = await work()
            except asyncio.CancelledError as error:
                if _being_cancelled():
                    raise
                # What the work waited for was cancelled, not the owner: nobody's later work may suffer by it.
                log.exception("session.work_cancelled", session=self._name)
                raise SignalingError from error
            finally:
                self._look_after()
        except Exception as error:
            if future is None:
                log.exception("session.work_failed", session=self._name)
            elif not future.done():
                future.set_exception(error)
        else:
            if future is not None and not future.done():
                future.set_result(result)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _refuse(future: asyncio.Future[Any] | None) -> None:
    if future is not None and not future.done():
        future.set_exception(NotJoinedError("The session has ended. Join again."))
