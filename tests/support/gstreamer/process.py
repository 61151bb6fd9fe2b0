"""Drives `client.py`, GStreamer behind WHIP and WHEP, from a test: starts it, reads what it says, ends it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.compat import note_version
from tests.support.wait import PATIENCE

PYTHON = "/usr/bin/python3"
"""The one that the distribution's bindings are for."""
FOLDER = Path(__file__).parent


def missing_gstreamer() -> str | None:
    """Why GStreamer cannot be driven on this machine; None where it can."""
    if not os.access(PYTHON, os.X_OK):
        return f"there is no {PYTHON}"
    try:
        subprocess.run(
            [PYTHON, str(FOLDER / "probe.py")], check=True, capture_output=True, text=True, env=_environment()
        )
    except subprocess.CalledProcessError as error:
        return str(error.stderr).strip().splitlines()[-1]
    return None


def _environment() -> dict[str, str]:
    """Without what leads the system's Python to our packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@dataclass
class GStreamer:
    """What the process said: `status` of the POST, decoded `frames` by kind, ICE states, the rest."""

    process: asyncio.subprocess.Process
    status: int | None = None
    frames: dict[str, int] = field(default_factory=dict)
    ice: list[str] = field(default_factory=list)
    other: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> str:
        return f"status {self.status}, frames {self.frames}, ice {self.ice}, {self.other}"

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            self.status = said.pop("status", self.status)
            self.frames = said.pop("frames", self.frames)
            if "version" in said:
                note_version("GStreamer", said.pop("version"))
            if "ice" in said:
                self.ice.append(said.pop("ice"))
            if said:
                self.other.append(said)


@asynccontextmanager
async def gstreamer(role: str, url: str, token: str, codec: str) -> AsyncIterator[GStreamer]:
    """A running client, until the block ends. It then has to end by itself."""
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, str(FOLDER / "client.py"), role, url, token, codec),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    client = GStreamer(process)
    reader = asyncio.create_task(client.read())
    try:
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reader
