"""What a server holds at one moment: memory and file descriptors by process, and what it counts itself.

Memory is `Pss_Anon` of proc(5): what a process has allocated, without the code that it maps and pages in as
it goes. Processes are told apart, since each may leak on its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import Server
from tests.support.wait import wait_until_async

SETTLE_TIMEOUT = 90.0
LOOKS, BETWEEN_LOOKS = 6, 0.5
"""And seconds: workers tell of themselves every two."""
EMPTY = (
    "rostrum_worker_routers",
    "rostrum_worker_transports",
    "rostrum_worker_producers_total",
    "rostrum_worker_consumers_total",
    "rostrum_worker_producers_piped_out_total",
    "rostrum_worker_producers_piped_in_total",
    "rostrum_sockets_open",
)
"""What is 0 when nobody is there. (The pipe between two workers stays; what it carried does not.)"""


@dataclass(frozen=True, slots=True)
class Process:
    memory: int
    """Bytes allocated."""
    descriptors: int


@dataclass(frozen=True, slots=True)
class Census:
    """`processes` by name: "signaling", "worker 0", ...; `tasks` of all of them together, the fewest of some
    looks: one that is about to end, as that of a request, is none that stayed."""

    processes: dict[str, Process]
    tasks: int

    @property
    def memory(self) -> int:
        return sum(process.memory for process in self.processes.values())

    @property
    def descriptors(self) -> int:
        return sum(process.descriptors for process in self.processes.values())


async def take(server: Server) -> Census:
    tasks = [await _tasks(server)]
    for _ in range(LOOKS - 1):
        await asyncio.sleep(BETWEEN_LOOKS)
        tasks.append(await _tasks(server))
    pids = {"signaling": server.pid}
    pids |= {f"worker {index}": pid for index, pid in enumerate(server.workers())}
    return Census(
        processes={name: Process(_allocated(pid), _descriptors(pid)) for name, pid in pids.items()},
        tasks=min(tasks),
    )


async def _tasks(server: Server) -> int:
    metrics = await server.metrics()
    return int(metrics["rostrum_tasks"] + metrics["rostrum_worker_tasks_total"])


async def wait_empty(server: Server) -> None:
    """Until the server counts nobody and nothing of theirs. Raises `AssertionError` with what is left."""
    left: dict[str, float] = {}

    async def is_empty() -> bool:
        metrics = await server.metrics()
        left.clear()
        left.update({name: metrics[name] for name in EMPTY if metrics.get(name, 0.0)})
        return not left

    await wait_until_async(
        is_empty, lambda: f"nothing left of those who went; left {left}", timeout=SETTLE_TIMEOUT
    )


def _allocated(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pss_Anon":
            return int(value.split()[0]) * 1024
    raise OSError(f"process {pid} shows no Pss_Anon; the kernel is older than 5.4")


def _descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
