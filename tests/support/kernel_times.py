"""When datagrams came, as the kernel says it (SO_TIMESTAMPNS).

It notes that while anybody on the machine asks, but the first one's asking takes effect a moment later: until
then it says of what comes when it is read. So a test that depends on it asks before, and until it is over.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from sfu.webrtc.trains import try_enable_times, unpack_time
from tests.support.wait import PATIENCE

UNREAD_FOR = 0.002
"""Seconds between the coming of a datagram and its reading."""


@pytest.fixture
def kernel_notes_times() -> Iterator[None]:
    """While this is in use."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        try_enable_times(asking)
        deadline = time.monotonic() + PATIENCE
        while not _noted(asking):
            assert time.monotonic() < deadline, "the kernel does not say when datagrams come"
        yield


def _noted(sock: socket.socket) -> bool:
    """Whether a datagram is said to have come before it was read."""
    sock.sendto(b"x", sock.getsockname())
    came_before = time.time()
    time.sleep(UNREAD_FOR)
    _, ancillary, *_ = sock.recvmsg(1, 64)
    ((_, _, value),) = ancillary
    seconds, nanoseconds = unpack_time(value)
    return seconds + 1e-9 * nanoseconds <= came_before + UNREAD_FOR / 2
