"""Waiting for a condition, with a limit and a reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 40.0
"""Seconds: a busy machine takes ten times as long as an idle one, and only what fails waits for all of it."""


async def wait_until(
    condition: Callable[[], bool], what: str | Callable[[], str], *, timeout: float = PATIENCE
) -> None:
    """Until `condition` holds. `what` says what did not come about; a callable, how far it got."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            reason = what() if callable(what) else what
            raise AssertionError(f"not within {timeout:g} s: {reason}")
        await asyncio.sleep(0.02)


async def wait_until_async(
    condition: Callable[[], Awaitable[bool]], what: Callable[[], str], *, timeout: float = PATIENCE
) -> None:
    """The same for a condition that has to ask somebody, five times a second."""
    deadline = time.monotonic() + timeout
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what()}")
        await asyncio.sleep(0.2)
