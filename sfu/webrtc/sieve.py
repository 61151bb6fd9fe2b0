"""What the kernel drops of clients that send far more than they may, before anybody reads it.

To read a datagram and drop it costs this process about as much as to forward one, and all clients' datagrams
wait in one queue: a client that sends ten times what it may would take the time of all others, and the place.
So once a client is far over its budget (`sfu.webrtc.intake`), the socket gets a filter that lets only a share
of that client's datagrams in, drawn by lot: somewhat more than the budget, which the intake goes on to judge.
While datagrams wait for long all the same, it is less and less, for the others' packets wait as well.

    let in all --- twice the budget or more ---> let in a share --- nothing over it, no queue ---> more of it

`Share` decides how much of one client is let in, and `program` says it in the kernel's language (classic BPF,
socket(7) SO_ATTACH_FILTER; needs no privilege). Both are pure. Where the kernel takes no filter, everything
is read as before.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_MEMINFO = 26, 27, 55
INTERVAL: Final = 0.08
"""Seconds, at least, between two looks at what one client has sent over its budget: its turns."""
TOO_MANY: Final = 2.0
"""Times the budget from which the kernel drops some of it."""
MARGIN: Final = 1.2
"""Times the budget that is let in."""
EASE: Final = 1.15
"""By how much the share grows with each look that finds nothing over the budget, and no queue."""
QUEUED: Final = 0.7
"""By how much it shrinks with each that finds one."""
LEAST: Final = 0.005
MOST_CLIENTS: Final = 64
"""That are thinned out at a time: each datagram that comes in is compared with all of them."""

LOAD_HALF, LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x28, 0x20, 0x15, 0x35, 0x06
AUXILIARY, NETWORK, RANDOM = -0x1000, -0x100000, 56
"""Where SKF_AD_OFF and SKF_NET_OFF begin, and the place of a random word in the former."""
SOURCE_ADDRESS: Final = {socket.AF_INET: 12, socket.AF_INET6: 8}
"""Of the IP header."""
ALL: Final = 0xFFFFFFFF
_MEMINFO = struct.Struct("=9I")
_instruction = struct.Struct("=HBBI").pack


class Share:
    """How much of one client's datagrams is let in, 0 to 1. `budget`: datagrams it may send per second."""

    __slots__ = ("_at", "_budget", "_dropped", "value")

    def __init__(self, budget: float, now: float) -> None:
        self.value = 1.0
        self._budget = budget
        self._at = now
        self._dropped = 0

    def poll(self, dropped: int, now: float, queued_at: float) -> bool:
        """`dropped` datagrams were over the budget so far; `queued_at` is when any datagram, whosever it was,
        was read late last. Whether the share is another one now."""
        elapsed = now - self._at
        if elapsed < INTERVAL:
            return False
        queued = queued_at > self._at
        self._at = now
        over, self._dropped = dropped - self._dropped, dropped
        before = self.value
        allowed = self._budget * elapsed
        if over and (before < 1.0 or over >= (TOO_MANY - 1) * allowed):
            self.value = min(1.0, before * MARGIN * allowed / (over + allowed))
        elif before < 1.0 and not over and not queued:
            self.value = min(1.0, EASE * before)
        if before < 1.0 and queued:
            self.value = min(self.value, QUEUED * before)
        self.value = max(LEAST, self.value)
        return self.value != before


def program(shares: Mapping[tuple[Any, ...], float]) -> bytes:
    """Lets in the given share of datagrams from each (address, port, ...), and all of everybody else."""
    return b"".join(_one(address, share) for address, share in shares.items()) + _step(RETURN, ALL)


def _one(address: tuple[Any, ...], share: float) -> bytes:
    """Compares the source with one, word by word; at the first that differs it goes to what follows."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    packed = socket.inet_pton(family, address[0].partition("%")[0])
    words = [int.from_bytes(packed[at : at + 4], "big") for at in range(0, len(packed), 4)]
    at = NETWORK + SOURCE_ADDRESS[family]
    tests = [
        (LOAD_HALF, 0, address[1])
    ]  # UDP begins where a UDP socket's filter does, with the source's port
    tests += [(LOAD_WORD, at + 4 * number, word) for number, word in enumerate(words)]
    verdict = (
        _step(LOAD_WORD, AUXILIARY + RANDOM)
        + _step(JUMP_AT_LEAST, min(ALL, int(share * (1 << 32))), 1, 0)
        + _step(RETURN, ALL)
        + _step(RETURN, 0)
    )
    steps = b""
    for number, (load, place, expected) in enumerate(tests):
        left = 2 * (len(tests) - number - 1) + 4
        steps += _step(load, place) + _step(JUMP_EQUAL, expected, 0, left)
    return steps + verdict


def _step(code: int, operand: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return _instruction(code, if_so, if_not, operand & ALL)


class Sieve:
    """The filter of one UDP socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._shares: dict[tuple[Any, ...], float] = {}

    def thin(self, address: tuple[Any, ...], share: float) -> None:
        """Let in that share of what comes from there; 1 is all of it."""
        if share >= 1.0:
            if self._shares.pop(address, None) is None:
                return
        elif address in self._shares or len(self._shares) < MOST_CLIENTS:
            self._shares[address] = share
        else:
            return
        try:
            self._apply()
        except OSError:
            # Of a system that has no such filters: everything is read, as before.
            self._shares.clear()

    @property
    def dropped(self) -> int:
        """Datagrams that the kernel dropped so far: by the filter, or for want of room in the buffer."""
        try:
            return int(
                _MEMINFO.unpack(self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size))[8]
            )
        except (OSError, struct.error):
            return 0

    def _apply(self) -> None:
        if not self._shares:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
            return
        steps = program(self._shares)
        memory = ctypes.create_string_buffer(steps, len(steps))
        length, place = len(steps) // 8, ctypes.addressof(memory)
        # struct sock_fprog: the pointer is aligned.
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", length, place))
