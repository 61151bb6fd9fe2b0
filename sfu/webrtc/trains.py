"""Trains of datagrams and the time of their arrival: what a Linux kernel does for a UDP socket that asks.

Bursts come in as one `recvmsg` with UDP_GRO and go out as one `sendmsg` with UDP_SEGMENT; both are probed at
start and everything works without them, one datagram per call. With each comes when it arrived.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Sequence

SOL_UDP = 17
UDP_SEGMENT = 103
UDP_GRO = 104
SO_TIMESTAMPNS = 35
TIME_BYTES = 16
MAX_SEGMENTS = 64
MAX_SEGMENT_BYTES = 64_000

unpack_time = struct.Struct("@qq").unpack
"""Seconds and nanoseconds of an SO_TIMESTAMPNS message."""


def train_size(ancillary: Sequence[tuple[int, int, bytes]], default: int) -> int:
    """Bytes of each datagram of a train but the last, `default` for one that came alone."""
    for level, kind, value in ancillary:
        if level == SOL_UDP and kind == UDP_GRO:
            return int.from_bytes(value[:2], "little") or default
    return default


def try_enable_trains(sock: socket.socket) -> bool:
    try:
        sock.setsockopt(SOL_UDP, UDP_GRO, 1)
    except OSError:
        return False
    return True


def try_enable_times(sock: socket.socket) -> None:
    """Without them, nothing is ever found to be late."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def supports_segmentation(sock: socket.socket) -> bool:
    try:
        sock.getsockopt(SOL_UDP, UDP_SEGMENT)
    except OSError as error:
        if error.errno in (errno.ENOPROTOOPT, errno.EINVAL):
            return False
        raise
    return True


def segment_control(size: int) -> list[tuple[int, int, bytes]]:
    """Ancillary data that cuts one sendmsg into datagrams of `size` bytes (the last may be shorter)."""
    return [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", size))]
