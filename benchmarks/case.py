"""A load put on a server of its own, and the report that comes back: what table rows are made of."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bare_loop import nanoseconds_per_step
from tests.support.server import Server, running_server

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One load of `rostrum load`; `target_us` is the CPU per forwarded packet to aim at."""

    name: str
    arguments: tuple[str, ...]
    target_us: float | None = None


EVERYBODY = (
    *("--full-above", "1", "--full-packets", "1000000000"),
    *("--shed-above", "2", "--move-above", "1"),
)
"""A server that refuses nobody, moves nobody and gives up nothing, on a machine that others use as well."""


ADMITTING = ("--full-above", "0.85", "--full-packets", "250000", "--shed-above", "0.92")
"""The limits that a server has if it is not told others."""


@asynccontextmanager
async def fresh_server(*, workers: int = 1, arguments: Sequence[str] = ()) -> AsyncIterator[Server]:
    """A server with an empty data directory; `arguments` are further ones of `rostrum serve`."""
    with tempfile.TemporaryDirectory() as directory:
        arguments = (*EVERYBODY, *arguments)
        async with running_server(Path(directory), workers=workers, arguments=arguments) as server:
            yield server


GENERATOR_NICE = 5
"""Load comes from other machines, which take no core from the server. Here it does, so it gives way."""


def give_way(server: Server) -> None:
    """See `_give_way_to`: to a server of ours."""
    _give_way_to(len(server.udp_ports))


def _give_way_to(workers: int) -> None:
    """Let this thread, and the processes it starts from now on, give way to a server that runs already: by
    niceness, and by leaving a core to each of its workers where there are more.

    Of Linux, where each thread has a niceness and cores of its own.
    """
    os.nice(GENERATOR_NICE)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[workers:] or cores)


async def measure(case: Case, server: Server, seconds: float) -> Report:
    """Put one load on the server; `step_ns` says how fast the machine was before and after.

    Raises `RuntimeError` with the load's stderr when it could not be measured, and when its counts cannot
    be true.
    """
    step_before = nanoseconds_per_step()
    command = [
        sys.executable,
        *("-m", "signaling.cli", "load", "--key-file", str(server.key_file), "--json"),
        *("--server-pid", str(server.pid), "--seconds", str(seconds), *case.arguments),
    ]
    done = await asyncio.to_thread(run_giving_way, command, len(server.udp_ports))
    if done.returncode != 0:
        raise RuntimeError(f"{case.name}: {done.stderr.strip()}")
    report: Report = json.loads(done.stdout.splitlines()[-1])
    if report["impossible"]:
        raise RuntimeError(f"{case.name}: {'; '.join(report['impossible'])}")
    if not report["received"]:
        raise RuntimeError(f"{case.name}: nothing was received")
    report["step_ns"] = [round(step_before), round(nanoseconds_per_step())]
    return report


def run_giving_way(command: Sequence[str], workers: int) -> subprocess.CompletedProcess[str]:
    """Run a load that gives way to a server with so many busy processes. Blocks."""
    found: list[subprocess.CompletedProcess[str]] = []

    def run() -> None:
        _give_way_to(workers)
        found.append(subprocess.run(command, capture_output=True, text=True, check=False))

    # In a thread of its own, which ends with the load: who gives way once does so for ever.
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def flag(report: Report) -> str:
    """` (?)` behind a figure that the load generator may have limited."""
    return " (?)" if report["doubts"] else ""


def cost(report: Report) -> float:
    """Microseconds of CPU per forwarded packet."""
    return float(report["us_per_forwarded_packet"])
