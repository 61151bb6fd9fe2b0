"""A process that never rests on the core of a server's media workers, so that they get half of it.

A load generator in Python needs about as much CPU as the worker that it loads. So that one generator can ask
a worker for more than it can do, the worker gets less: as it would on a machine shared with others.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from tests.support.server import Server, media_workers

LEFT: Final = 0.5
"""Of a core, for the worker."""
AT_MOST: Final = 900
"""Seconds after which it ends by itself."""
_BUSY = f"import time; input(); end = time.monotonic() + {AT_MOST}\nwhile time.monotonic() < end: pass"


@asynccontextmanager
async def neighbour(server: Server) -> AsyncIterator[Callable[[], None]]:
    """What it yields lets the neighbour begin. Enter before the load gives way to the server: the neighbour
    gives way to nobody."""
    core = min(os.sched_getaffinity(0))
    for worker in media_workers(server):
        os.sched_setaffinity(worker, {core})
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _BUSY, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    try:
        os.sched_setaffinity(process.pid, {core})
        yield partial(process.stdin.write, b"\n")
    finally:
        process.kill()
        await process.wait()
