"""A real coturn, run with the configuration that `rostrum turn-config` makes."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SECRET = "0123456789abcdef0123456789abcdef"
START_TIMEOUT = 30.0
PORT = 3478


def why_not() -> str | None:
    """Why there is no coturn here; None if there is."""
    return None if shutil.which("turnserver") else "coturn is missing (Debian: apt install coturn)"


@contextmanager
def running_coturn(directory: Path, configuration: str, *, listen: Sequence[str]) -> Iterator[Path]:
    """In the network namespace of the calling thread, until the block ends. Gives the log."""
    directory.mkdir(parents=True, exist_ok=True)
    path, log_path = directory / "turnserver.conf", directory / "coturn.log"
    path.write_text(configuration + "".join(f"listening-ip={ip}\nrelay-ip={ip}\n" for ip in listen))
    path.chmod(0o600)
    command = ["turnserver", "-c", str(path), "--userdb", str(directory / "turn.db"), "--relay-threads=1"]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--pidfile", str(directory / "turn.pid")], stdout=log, stderr=log, cwd=directory
        )
    try:
        _wait_listening(process, log_path, listen[0])
        yield log_path
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_listening(process: subprocess.Popen[bytes], log_path: Path, host: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection((host, PORT), timeout=1).close()
        except OSError:
            log = log_path.read_text(errors="replace")[-3000:]
            assert process.poll() is None, f"coturn ended with {process.returncode}:\n{log}"
            assert time.monotonic() < deadline, f"coturn does not listen after {START_TIMEOUT:.0f} s:\n{log}"
            time.sleep(0.05)
        else:
            return
