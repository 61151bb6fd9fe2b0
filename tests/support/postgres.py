"""A real PostgreSQL for the tests of a process: started by the first that needs it, ended with the process.

It is reached by a socket file only, keeps its data below the temporary directory, and syncs nothing to disk.
It refuses to run as root: there it runs as the user that Debian's package makes.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest

USER = "postgres"
START_TIMEOUT = 30.0
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "jit": "off",
    "max_wal_senders": "0",
    "wal_level": "minimal",
}
_numbers = count(1)


def why_not() -> str | None:
    """Why there is no PostgreSQL here; None if there is."""
    if _program("initdb") is None:
        return "PostgreSQL is missing (Debian: apt install postgresql)"
    return None


@dataclass
class Postgres:
    """`new_database()` is the URL of an empty one."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Also again, after `stop`."""
        options = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        command = [str(_program("postgres")), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, cwd=self.folder, **_as_somebody()
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            assert self._process.poll() is None, f"PostgreSQL ended:\n{self.log[-3000:]}"
            assert time.monotonic() < deadline, f"PostgreSQL does not answer:\n{self.log[-3000:]}"
            time.sleep(0.02)

    def stop(self) -> None:
        """At once, as if it had crashed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """SIGKILL to all of it: the first process and those that serve connections and write. The data
        directory is as they left it; `start` recovers it."""
        assert self._process is not None, "it runs"
        first = self._process.pid
        os.kill(first, signal.SIGSTOP)  # so that it starts nobody meanwhile
        deadline = time.monotonic() + START_TIMEOUT
        while _state(first) != "T":
            assert time.monotonic() < deadline, "it does not stop"
            time.sleep(0.001)
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(30)
        self._process = None
        deadline = time.monotonic() + START_TIMEOUT
        while any(_is_there(int(pid)) for pid in children):
            assert time.monotonic() < deadline, "killed processes are still there"
            time.sleep(0.01)

    def new_database(self) -> str:
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def execute(self, *statements: str, database: str = USER) -> str:
        """What psql prints."""
        commands = [argument for one in statements for argument in ("-c", one)]
        done = self._psql([*commands], database)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _answers(self) -> bool:
        return self._psql(["-c", "SELECT 1"], USER).returncode == 0

    def _psql(self, arguments: Sequence[str], database: str) -> subprocess.CompletedProcess[str]:
        command = [
            str(_program("psql")),
            "-X",
            "-q",
            "-A",
            "-t",
            "-U",
            USER,
            "-h",
            str(self.folder),
            "-d",
            database,
        ]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def made_cluster() -> Postgres:
    """In a folder of its own; remove it with `removed`."""
    folder = Path(tempfile.mkdtemp(prefix="rostrum-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    command = [str(_program("initdb")), "-D", str(folder / "data"), "-U", USER, "--auth=trust", "--no-sync"]
    subprocess.run(
        [*command, "--encoding=UTF8", "--locale=C", "--no-instructions"],
        check=True,
        capture_output=True,
        cwd=folder,
        **_as_somebody(),
    )
    return Postgres(folder)


def remove(cluster: Postgres) -> None:
    cluster.stop()
    shutil.rmtree(cluster.folder, ignore_errors=True)


@contextlib.contextmanager
def cluster_or_skip() -> Iterator[Postgres]:
    """For a test, which is skipped where there is no PostgreSQL."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    cluster = made_cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        remove(cluster)


def _is_there(pid: int) -> bool:
    """And no zombie, which has nothing any more."""
    return _state(pid) not in (None, "Z")


def _state(pid: int) -> str | None:
    """As proc(5) has it; None for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def _as_somebody() -> dict[str, object]:
    """Not as root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@cache
def _program(name: str) -> Path | None:
    """Debian keeps them out of the path."""
    found = shutil.which(name)
    if found:
        return Path(found)
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return installed[-1] if installed else None
