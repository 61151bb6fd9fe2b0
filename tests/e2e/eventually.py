"""Waiting for something that has to be asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

PATIENCE = 30.0
"""Seconds: generous, as browsers, encoders and the server share few cores."""


async def eventually(
    probe: Callable[[], Awaitable[Value]],
    accept: Callable[[Value], bool],
    what: str,
    *,
    timeout: float = PATIENCE,
    interval: float = 0.1,
) -> Value:
    """Asks until the answer is accepted, and gives it. Fails with `what` and the last answer."""
    deadline = time.monotonic() + timeout
    while True:
        value = await probe()
        if accept(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; last: {value!r}")
        await asyncio.sleep(interval)


async def settled(
    probe: Callable[[], Awaitable[Value]], what: str, *, seconds: float = 1.0, timeout: float = PATIENCE
) -> Value:
    """Asks until the answer stayed the same for so long, and gives it: what was on its way when something
    ended may come before."""
    last, since = await probe(), time.monotonic()
    deadline = since + timeout
    while time.monotonic() < since + seconds:
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; last: {last!r}")
        await asyncio.sleep(0.1)
        value = await probe()
        if value != last:
            last, since = value, time.monotonic()
    return last


async def watch(
    probe: Callable[[], Awaitable[Value]], seconds: float, *, interval: float = 0.1
) -> list[Value]:
    """Every answer during a stretch of time, for what must not happen."""
    deadline = time.monotonic() + seconds
    answers = []
    while time.monotonic() < deadline:
        answers.append(await probe())
        await asyncio.sleep(interval)
    return answers
