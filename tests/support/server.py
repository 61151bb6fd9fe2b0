"""A real `rostrum serve` in a process of its own, with a data directory that goes away.

`running_server` starts it, waits until it is healthy, and at the end sends SIGTERM and holds it to what every
server owes: exit code 0, no process left over, nothing in the log that nobody handled.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from sfu.bot import Credentials

START_TIMEOUT = 90.0
UNMOVED = ("--shed-above", "2", "--full-above", "1")
"""However busy the machine that the tests run on is: nothing is given up, nobody refused. Those that are
about overload say otherwise in their arguments."""
STOP_TIMEOUT = 30.0
GONE_TIMEOUT = 10.0
"""Seconds until the processes below a server that ended are gone as well."""
_LOWEST_PORT = 11_000
"""Browsers refuse some below."""
_CHANCE = random.SystemRandom()
"""Which no test seeds: processes side by side would all choose the same ports."""
FORBIDDEN_IN_LOG = re.compile(r"Traceback|never retrieved|was destroyed but it is pending|never awaited")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `udp_ports` are those of its media workers, in order."""

    process: subprocess.Popen[bytes]
    base_url: str
    data_dir: Path
    udp_ports: tuple[int, ...]
    log_path: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def credentials(self) -> Credentials:
        return Credentials.from_file(self.key_file, self.base_url)

    @property
    def key_file(self) -> Path:
        return self.data_dir / "bootstrap.json"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")  # its end may be half a character

    def workers(self) -> list[int]:
        """Process ids of everything below the server."""
        return sorted(_descendants(self.pid))

    async def metrics(self) -> dict[str, float]:
        """Samples of `/metrics` without labels summed over labels, by metric name."""
        async with aiohttp.ClientSession() as http, http.get(self.base_url + "/metrics") as response:
            text = await response.text()
        totals: dict[str, float] = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                totals[name] = totals.get(name, 0.0) + float(value)
        return totals


@asynccontextmanager
async def running_server(
    data_dir: Path, *, workers: int = 1, arguments: Sequence[str] = (), check_log: bool = True
) -> AsyncIterator[Server]:
    """Serve on free loopback ports until the block ends."""
    server = start_server(data_dir, workers=workers, arguments=arguments)
    try:
        await wait_healthy(server)
        yield server
    finally:
        problems = await asyncio.to_thread(stop_server, server)
    _assert_ended_well(server, problems)
    if check_log:
        assert_no_unhandled(server)


@contextmanager
def lasting_server(data_dir: Path, *, workers: int = 1, arguments: Sequence[str] = ()) -> Iterator[Server]:
    """The same for what outlives an event loop: tests of a module or of a process that share it."""
    server = start_server(data_dir, workers=workers, arguments=arguments)
    try:
        asyncio.run(wait_healthy(server))
        yield server
    finally:
        problems = stop_server(server)
    _assert_ended_well(server, problems)
    assert_no_unhandled(server)


def assert_no_unhandled(server: Server, begun: int = 0) -> None:
    """No error that nobody handled in what was logged from that many characters on."""
    log = server.log[begun:]
    found = FORBIDDEN_IN_LOG.search(log)
    assert found is None, f"the server's log has {found!r}:\n{log[-4000:]}"


def _assert_ended_well(server: Server, problems: list[str]) -> None:
    assert not problems, "; ".join(problems) + "\n" + server.log[-4000:]


def start_server(data_dir: Path, *, workers: int = 1, arguments: Sequence[str] = ()) -> Server:
    """Start the process, without waiting for it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    port = free_ports(1 + max(1, workers))
    udp_port = port + 1
    log_path = data_dir / "server.log"
    command = [
        sys.executable,
        *("-m", "signaling.cli", "serve", "--host", "127.0.0.1", "--port", str(port)),
        *("--udp-port", str(udp_port), "--announce", "127.0.0.1"),
        *("--data-dir", str(data_dir), "--workers", str(workers), *UNMOVED, *arguments),
    ]
    process = _launched(command, log_path)
    ports = tuple(range(udp_port, udp_port + max(1, workers)))
    return Server(process, f"http://127.0.0.1:{port}", data_dir, ports, log_path)


def _launched(command: Any, log_path: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRUM_")}
    with log_path.open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


async def kill_signaling(server: Server) -> list[int]:
    """SIGKILL to the server alone. Gives the process ids of what it leaves behind."""
    below = server.workers()
    server.process.kill()
    await asyncio.to_thread(server.process.wait)
    return below


async def started_again(server: Server) -> Server:
    """The same command once more, healthy."""
    again = replace(server, process=_launched(server.process.args, server.log_path))
    await wait_healthy(again)
    return again


async def wait_ended(pids: Iterable[int], *, timeout: float = 40.0) -> None:
    """Until none of these processes is left."""
    left = set(pids)
    async with asyncio.timeout(timeout):
        while left := {pid for pid in left if _parent_of(pid) is not None}:
            await asyncio.sleep(0.05)


def stop_server(server: Server) -> list[str]:
    """Send SIGTERM and wait; gives what the server did wrong in closing."""
    below = _descendants(server.pid)
    problems = []
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
    try:
        code = server.process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
        problems.append(f"still running {STOP_TIMEOUT:.0f} s after SIGTERM")
    else:
        if code != 0:
            problems.append(f"exit code {code} after SIGTERM")
    left = _wait_gone(below)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    if left:
        problems.append(f"{len(left)} processes outlived it")
    return problems


async def wait_healthy(server: Server) -> None:
    """Until `/healthz` answers 200. Raises with the log if the server ends before."""
    deadline = time.monotonic() + START_TIMEOUT
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            code = server.process.poll()
            assert code is None, f"the server ended with {code}:\n{server.log}"
            try:
                async with http.get(server.base_url + "/healthz") as response:
                    if response.status == 200 and server.key_file.exists():
                        return
            except aiohttp.ClientError:
                # Not listening yet; the deadline bounds how often this may happen.
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(f"not healthy within {START_TIMEOUT:.0f} s:\n{server.log}")


def _descendants(root: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent_of(int(entry.name))
            if parent is not None:
                parents[int(entry.name)] = parent
    found: set[int] = set()
    while True:
        more = {pid for pid, parent in parents.items() if parent == root or parent in found} - found
        if not more:
            return found
        found |= more


def _parent_of(pid: int) -> int | None:
    """None for a process that is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, parent = text[text.rindex(")") + 2 :].split()[:2]
    return None if state == "Z" else int(parent)


def _wait_gone(pids: set[int]) -> set[int]:
    deadline = time.monotonic() + GONE_TIMEOUT
    left = {pid for pid in pids if _parent_of(pid) is not None}
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {pid for pid in left if _parent_of(pid) is not None}
    return left


def free_ports(count: int) -> int:
    """The first of `count` numbers in a row that are free for UDP and TCP.

    Below those that the system deals out: of these a client somewhere would get one in the seconds until the
    server has it. So would a server of tests that run beside, if each process had not a part of its own.
    """
    lowest, end = _own_ports(_LOWEST_PORT, _first_dealt_out())
    for _ in range(100):
        first = _CHANCE.randint(lowest, end - count)
        if all(_is_free(first + index) for index in range(count)):
            return first
    raise RuntimeError("no free ports")


def _own_ports(lowest: int, end: int) -> tuple[int, int]:
    """Of these, where the first of this process is, and where those of the next one begin (pytest-xdist)."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    share = (end - lowest) // processes
    return lowest + number * share, lowest + (number + 1) * share


def _first_dealt_out() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32_768


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True


def media_workers(server: Server) -> list[int]:
    """Process ids of the server's media workers."""
    found = []
    for pid in server.workers():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"sfu.worker" in command:
            found.append(pid)
    return found


def worker_on(server: Server, udp_port: int) -> int:
    """The process id of the media worker that has that UDP port open."""
    rows = (line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:])
    sockets = {f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == udp_port}
    (worker,) = [pid for pid in media_workers(server) if not sockets.isdisjoint(_open_files(pid))]
    return worker


def _open_files(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except FileNotFoundError:
            # Closed since it was listed.
            continue
    return found
