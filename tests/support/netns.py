"""Networks of our own: two Linux network namespaces joined by a cable, with addresses that are not loopback.

    client 10.77.0.10, fd77::10  ──── cable ────  10.77.0.1, 10.77.0.2, fd77::1, fd77::2  server

`inside` puts the calling thread into one of them: sockets that it opens and processes that it starts live
there, and a socket stays where it was opened. Needs root and `ip`; where that is missing, tests are skipped.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CLONE_NEWNET = 0x40000000
SERVER_V4, SERVER_V6 = ("10.77.0.1", "10.77.0.2"), ("fd77::1", "fd77::2")
CLIENT_V4, CLIENT_V6 = "10.77.0.10", "fd77::10"
OTHER_CLIENT_V4 = "10.77.0.11"


@dataclass(frozen=True, slots=True)
class Networks:
    """Names of the two namespaces."""

    server: str
    client: str

    def set_udp_blocked(self, *, blocked: bool) -> None:
        """Whether what the client sends by UDP vanishes on arrival, as behind a strict firewall."""
        verb = "add" if blocked else "del"
        _ip("-n", self.server, "rule", verb, "pref", "10", "iif", "cable0", "ipproto", "udp", "blackhole")

    def move_client(self, before: str, after: str) -> None:
        """The client's address becomes another one, as after a change of network."""
        _ip("-n", self.client, "address", "del", f"{before}/24", "dev", "cable0")
        _ip("-n", self.client, "address", "add", f"{after}/24", "dev", "cable0")

    def set_cable(self, *, plugged: bool) -> None:
        _ip("-n", self.client, "link", "set", "cable0", "up" if plugged else "down")


@cache
def why_not() -> str | None:
    """Why there can be no namespaces here; None if there can."""
    if shutil.which("ip") is None:
        return "`ip` is missing (Debian: apt install iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"rostrum-try-{os.getpid()}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"no network namespaces here: {tried.stderr.strip()}"
    _ip("netns", "del", name)
    return None


@contextmanager
def networks() -> Iterator[Networks]:
    number = secrets.token_hex(4)
    made = Networks(f"rostrum-server-{number}", f"rostrum-client-{number}")
    try:
        for name in (made.server, made.client):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
            # What is for this machine is looked up first, unless that rule makes room for others.
            for version in ("-4", "-6"):
                _ip(version, "-n", name, "rule", "add", "pref", "100", "lookup", "local")
                _ip(version, "-n", name, "rule", "del", "pref", "0")
        _ip(
            "-n", made.server, "link", "add", "cable0", "type", "veth", "peer", "cable0", "netns", made.client
        )
        for name, addresses in (
            (made.server, (*SERVER_V4, *SERVER_V6)),
            (made.client, (CLIENT_V4, CLIENT_V6)),
        ):
            for address in addresses:
                # Without "nodad" an IPv6 address is not used for its first seconds.
                bits = ("64", "nodad") if ":" in address else ("24",)
                _ip("-n", name, "address", "add", f"{address}/{bits[0]}", "dev", "cable0", *bits[1:])
            _ip("-n", name, "link", "set", "cable0", "up")
        yield made
    finally:
        for name in (made.server, made.client):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Move the calling thread into a namespace, and back."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{name}").open() as there:
        _set_namespace(libc, there.fileno())
        try:
            yield
        finally:
            _set_namespace(libc, home.fileno())


def _set_namespace(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
