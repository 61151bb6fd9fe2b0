"""Workers that outlived the signaling process which started them, as the next one finds them.

Looking changes nothing: only a `take` makes the link, and only an `end` ends a worker. Its process is no
child of ours, so it is watched and ended through a pidfd, which cannot come to mean another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog

from sfu.config import NodeConfig, config_from
from sfu.control import door, framing
from sfu.control.link import SocketLink, read_frame
from sfu.control.version import protocol_version
from sfu.errors import DoorError, NodeLostError

log = structlog.get_logger("sfu.survivor")

WELCOME_TIMEOUT: Final = 3.0
"""Seconds within which a worker says who it is; one that does not hangs."""
END_TIMEOUT: Final = 5.0
"""Seconds from SIGTERM to SIGKILL."""


class AdoptedProcess:
    """A process that is no child. Implements `sfu.control.link.WorkerProcess`."""

    def __init__(self, pid: int) -> None:
        """Raises `ProcessLookupError` when it is gone."""
        self.pid = pid
        self.returncode: int | None = None
        self._descriptor = os.pidfd_open(pid)
        self._gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._descriptor, self._handle_gone)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Until it is gone. 0: nobody but its parent is told more."""
        await self._gone.wait()
        return 0

    def release(self) -> None:
        """Look no longer."""
        if self.returncode is None:
            self._handle_gone()

    def _handle_gone(self) -> None:
        self.returncode = 0
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._gone.set()


@dataclass(slots=True)
class Survivor:
    """`config` is None of a worker that hangs, or speaks another protocol."""

    index: int
    config: NodeConfig | None
    process: AdoptedProcess
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    taken: bool = False

    def fits(self, wanted: NodeConfig) -> bool:
        """Whether it is what would be started in its place."""
        return self.config is not None and replace(self.config, node_id=wanted.node_id) == wanted

    async def take(self) -> SocketLink:
        """The worker serves us from now on. Raises `NodeLostError` when it just went."""
        assert self.config is not None, "only a worker that fits is taken"
        self.writer.write(framing.frame(framing.TAKE, 0, b"{}"))
        try:
            async with asyncio.timeout(WELCOME_TIMEOUT):
                kind, _, _ = await read_frame(self.reader)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise NodeLostError(f"worker {self.config.node_id} was not taken over: {error!r}") from error
        if kind != framing.SERVING:
            raise NodeLostError(f"worker {self.config.node_id} was not taken over")
        self.taken = True
        return SocketLink.over(self.config, self.process, self.reader, self.writer)

    async def end(self) -> None:
        """It closes what it carries and ends; killed if it does not."""
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_TIMEOUT):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        self.writer.close()

    def release(self) -> None:
        """Leave it as it was; of one that was taken, the link has the rest."""
        if not self.taken:
            self.writer.close()
            self.process.release()


async def find_survivors(folder: Path) -> Sequence[Survivor]:
    """Those that have a door in the folder. Raises `DoorError` for a folder that is not ours alone."""
    if not door.supported():
        return []
    door.prepare_folder(folder)
    found = await asyncio.gather(*(_ask(index, path) for index, path in door.doors_in(folder)))
    return [one for one in found if one is not None]


async def _ask(index: int, path: Path) -> Survivor | None:
    try:
        connection = door.connect(path)
    except DoorError as error:
        log.warning("a door is another's", path=path.name, error=str(error))
        return None
    except OSError:
        return None  # nobody listens any more
    try:
        process = AdoptedProcess(door.check_peer(connection))
    except ProcessLookupError:
        connection.close()
        return None
    reader, writer = await asyncio.open_connection(sock=connection, limit=framing.MAX_BODY)
    try:
        async with asyncio.timeout(WELCOME_TIMEOUT):
            kind, _, body = await read_frame(reader)
        config = _welcomed(json.loads(body)) if kind == framing.WELCOME else None
    except (TimeoutError, ValueError, TypeError, KeyError):
        config = None
    except (asyncio.IncompleteReadError, ConnectionError):
        process.release()
        writer.close()
        return None
    return Survivor(index, config, process, reader, writer)


def _welcomed(body: dict[str, Any]) -> NodeConfig | None:
    return config_from(body["config"]) if body["protocol"] == protocol_version() else None
