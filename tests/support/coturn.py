"""A real coturn, run with the configuration that `rostrum turn-config` makes."""

from __future__ import annotations

import secrets
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
PORT, TLS_PORT = 3478, 5349


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
        _wait_listening(process, log_path, listen, secure="\ncert=" in configuration)
        yield log_path
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_listening(
    process: subprocess.Popen[bytes], log_path: Path, hosts: Sequence[str], *, secure: bool
) -> None:
    """It opens one after the other: each address by UDP and TCP, and for TLS."""
    ports = (PORT, TLS_PORT) if secure else (PORT,)
    deadline = time.monotonic() + START_TIMEOUT
    for host in hosts:
        while not (_answers(host) and all(_accepts(host, port) for port in ports)):
            log = log_path.read_text(errors="replace")[-3000:]
            assert process.poll() is None, f"coturn ended with {process.returncode}:\n{log}"
            assert time.monotonic() < deadline, f"coturn does not listen after {START_TIMEOUT:.0f} s:\n{log}"
            time.sleep(0.05)


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _answers(host: str) -> bool:
    """A binding request by UDP (RFC 8489)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        try:
            sock.connect((host, PORT))
            sock.send(bytes.fromhex("000100002112a442") + secrets.token_bytes(12))
            return bool(sock.recv(1500))
        except OSError:
            return False
