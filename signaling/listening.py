"""The sockets that HTTP and WebSocket come in by: bound, not yet listening, one for each host.

"::" alone is every address of both IP versions; beside an IPv4 host it is every IPv6 one. Port 0 picks a
number that is free on all of them.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Final

from signaling.errors import InvalidInputError

FREE_PORT_ATTEMPTS: Final = 20
"""The system knows what is free on the first host; on another one somebody may have it."""


def bound_listeners(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Raises `InvalidInputError`, with none of them left open."""
    for _ in range(FREE_PORT_ATTEMPTS - 1 if port == 0 else 0):
        try:
            return _all_bound(hosts, port)
        except InvalidInputError as error:
            if not (isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE):
                raise
    return _all_bound(hosts, port)


def _all_bound(hosts: Sequence[str], port: int) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    try:
        for host in hosts:
            number = listeners[0].getsockname()[1] if listeners else port
            listeners.append(_bound(host, number, dual=tuple(hosts) == ("::",)))
    except InvalidInputError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _bound(host: str, port: int, *, dual: bool) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise InvalidInputError(f"--host: cannot use {host}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise InvalidInputError(f"--port: cannot listen on {host} port {port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener
