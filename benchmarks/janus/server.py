"""A Janus of its own, with the VideoRoom plugin and its WebSocket interface and nothing else.

It has no use for loopback addresses, so it runs in a network namespace; so does whoever talks to it.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support import netns

HOST, PORT = "127.0.0.1", 8188
"""Of its WebSocket interface, in the namespace."""
START_TIMEOUT, STOP_TIMEOUT = 15.0, 10.0
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")
SILENT = 1
"""Janus' debug level at which only what is fatal is told."""


@dataclass(frozen=True, slots=True)
class JanusServer:
    """`enter` is what a command line begins with that is to reach it."""

    pid: int
    enter: tuple[str, ...]
    url: str = f"ws://{HOST}:{PORT}"


def why_not() -> str | None:
    """Why there can be no Janus here; None if there can."""
    if shutil.which("janus") is None or not LIBRARIES.is_dir():
        return "janus is missing (Debian: apt install janus)"
    return netns.why_not()


@asynccontextmanager
async def running_janus(*, event_loops: int) -> AsyncIterator[JanusServer]:
    """Serve until the block ends, with so many threads for all connections (0: one for each, its default).

    Raises `RuntimeError` when it does not start.
    """
    if (reason := why_not()) is not None:
        raise RuntimeError(reason)
    with tempfile.TemporaryDirectory() as directory, netns.networks() as networks:
        folder = Path(directory)
        _write_configuration(folder, event_loops)
        enter = ("ip", "netns", "exec", networks.server)
        with (folder / "log").open("wb") as output:
            command = (*enter, "janus", "--configs-folder", directory, "--disable-colors")
            process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
        try:
            if not await asyncio.to_thread(_serves, networks.server):
                said = await asyncio.to_thread((folder / "log").read_text, errors="replace")
                raise RuntimeError(f"janus does not serve: {said[-1000:]}")
            yield JanusServer(process.pid, enter)
        finally:
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


def _serves(namespace: str) -> bool:
    """Whether it does before `START_TIMEOUT` is over."""
    deadline = time.monotonic() + START_TIMEOUT
    with netns.inside(namespace):
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection((HOST, PORT)):
                return True
            time.sleep(0.1)
    return False


def _write_configuration(folder: Path, event_loops: int) -> None:
    (folder / "janus.jcfg").write_text(
        f"""
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{LIBRARIES}/plugins"
    transports_folder = "{LIBRARIES}/transports"
    debug_level = {SILENT}
    session_timeout = 0
    event_loops = {event_loops}
}}
media: {{ ipv6 = false }}
plugins: {{ disable = "{_all_but("plugins", "libjanus_videoroom")}" }}
transports: {{ disable = "{_all_but("transports", "libjanus_websockets")}" }}
"""
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        f'general: {{ ws = true, ws_port = {PORT}, ws_ip = "{HOST}", wss = false, json = "compact" }}\n'
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")


def _all_but(kind: str, kept: str) -> str:
    names = sorted(path.name for path in (LIBRARIES / kind).glob("*.so"))
    return ",".join(name for name in names if not name.startswith(kept))
