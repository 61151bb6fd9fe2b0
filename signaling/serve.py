"""The life of a serving process: from `rostrum serve` until a signal ends it.

SIGTERM or SIGINT stop the server; a second one ends the process at once.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import click
import structlog

from signaling.app import Server
from signaling.config import Settings
from signaling.logging import configure_logging

log = structlog.get_logger(__name__)

_SWITCH_INTERVAL: Final = 0.0005
"""Seconds. The thread that commits needs the interpreter twice for each commit, and every other unit of work
waits for that one; while the loop is busy it would get it after the usual 5 ms only."""
_GC_THRESHOLDS: Final = 10_000, 10, 10
"""A join makes some thousand objects that last: at the usual thresholds each would be looked at several
times, and all that the start made with them. Until it has started there is no looking at all."""


def serve(settings: Settings) -> None:
    """Runs until a signal comes. Raises `InvalidInputError` before it serves; what comes later is logged."""
    configure_logging(settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve_until_signalled(settings))


async def _serve_until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    server = Server(settings)

    def handle_signal() -> None:
        if stop.is_set():
            server.kill()
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle_signal)
    await _serving(server, stop)


async def _serving(server: Server, stop: asyncio.Event) -> None:
    async with server:
        click.echo(f"Rostrum is ready at {server.base_url}")
        for link in server.links:
            click.echo(f"  {link.label:<18} {link.url}")
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        gc.enable()
        sys.setswitchinterval(_SWITCH_INTERVAL)
        await stop.wait()
        log.info("server.stopping")
    log.info("server.stopped")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
