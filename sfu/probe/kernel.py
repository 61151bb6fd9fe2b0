"""What the kernel offers the media nodes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

from sfu.webrtc.trains import SOL_UDP, UDP_GRO, UDP_SEGMENT, segment_control
from sfu.webrtc.udp import BUFFER_BYTES


@dataclass(frozen=True, slots=True)
class UdpOffer:
    """`buffer` in bytes: the smaller of the two that a socket gets, asked for as the nodes do."""

    segmentation: bool
    coalescing: bool
    buffer: int
    wanted_buffer: int = BUFFER_BYTES


def udp_offer() -> UdpOffer:
    """Tries it on loopback: one call sends three datagrams."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(1.0)
        coalescing = _can(lambda: receiver.setsockopt(SOL_UDP, UDP_GRO, 1))
        sender.connect(receiver.getsockname())
        segmentation = _can(lambda: sender.sendmsg([b"123" * 100] * 3, segment_control(300)))
        segmentation = segmentation and _can(lambda: sender.getsockopt(SOL_UDP, UDP_SEGMENT))
        return UdpOffer(segmentation, coalescing, _buffer(sender))


def _buffer(sock: socket.socket) -> int:
    """The kernel doubles what was asked for, and says the double."""
    sizes = []
    for option, force in ((socket.SO_RCVBUF, 33), (socket.SO_SNDBUF, 32)):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, force, BUFFER_BYTES)
        sizes.append(sock.getsockopt(socket.SOL_SOCKET, option) // 2)
    return min(sizes)


def _can(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True
