"""Transport-wide feedback read in bulk, for those who get it from every receiver many times a second.

`sfu.rtp.transport_feedback` reads the same messages into one value per packet. Here the usual message (all
packets came, each soon after the one before) is a few calls into C whatever its length, and only messages
with losses or long gaps are walked through packet by packet.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from typing import Final, NamedTuple

from sfu.errors import RtcpError
from sfu.rtp.transport_feedback import LARGE, LOST, MAX_RUN, MAX_STATUSES, SMALL, TICKS_PER_REFERENCE

MISSING: Final = -(1 << 40)
"""Stands for the arrival of a packet that did not arrive; below every time there can be."""
FIXED_LENGTH: Final = 20
FIRST_CHUNK, DELTAS = FIXED_LENGTH, FIXED_LENGTH + 2
CLOCK_BITS: Final = 32
"""The receiver's clock wraps after 2^24 references of 256 ticks."""

_unpack_fixed = struct.Struct("!HHL").unpack_from
_BITS = [bytes(value >> shift & 1 for shift in range(6, -1, -1)) for value in range(128)]
"""Seven statuses of one bit each, by the seven bits they are written in."""


class Arrivals(NamedTuple):
    """`times[n]` is when packet `base` + n arrived, in ticks after `reference`, or `MISSING`.

    A tick is 250 microseconds; `reference` counts the same ones, modulo 2^32. `complete`: they all came, in
    the order they were sent, so the times ascend.
    """

    base: int
    reference: int
    times: list[int]
    complete: bool = False


_arrivals: Callable[[tuple[int, int, list[int], bool]], Arrivals] = partial(tuple.__new__, Arrivals)


def parse_arrivals(data: bytes) -> Arrivals:
    """Read one packet of transport-wide feedback, header included. Raises `RtcpError`."""
    end = len(data)
    if end < FIXED_LENGTH:
        raise RtcpError("transport-wide feedback is cut off")
    if data[0] & 0x20:
        end -= data[-1]
    base, count, time_and_number = _unpack_fixed(data, 12)
    if count > MAX_STATUSES:
        raise RtcpError("transport-wide feedback is about too many packets")
    reference = (time_and_number >> 8) * TICKS_PER_REFERENCE
    all_small = (SMALL << 13 | count).to_bytes(2, "big")
    if data[FIRST_CHUNK:DELTAS] == all_small and count <= MAX_RUN and DELTAS + count <= end:
        # One chunk says of all of them that they came, each soon after the one before.
        return _arrivals((base, reference, list(accumulate(data[DELTAS : DELTAS + count])), True))
    statuses, offset = _read_statuses(data, count, end)
    if LARGE in statuses:
        return Arrivals(base, reference, _walk(data, statuses, offset, end))
    received = count - statuses.count(LOST)
    if offset + received > end:
        raise RtcpError("transport-wide feedback has too few deltas")
    times = list(accumulate(data[offset : offset + received]))
    if received != count:
        following = iter(times)
        times = [next(following) if status else MISSING for status in statuses]
    return Arrivals(base, reference, times)


def _read_statuses(data: bytes, count: int, end: int) -> tuple[bytes, int]:
    """One byte for each packet, and where the deltas begin."""
    offset = FIXED_LENGTH
    statuses = b""
    while len(statuses) < count:
        if offset + 2 > end:
            raise RtcpError("transport-wide feedback has too few chunks")
        chunk = data[offset] << 8 | data[offset + 1]
        offset += 2
        if chunk < 0x8000:
            statuses += bytes((chunk >> 13,)) * (chunk & 0x1FFF)
        elif chunk < 0xC000:
            statuses += _BITS[chunk >> 7 & 0x7F] + _BITS[chunk & 0x7F]
        else:
            statuses += bytes([chunk >> shift & 3 for shift in range(12, -1, -2)])
    statuses = statuses[:count]
    if 3 in statuses:
        raise RtcpError("transport-wide feedback has a reserved status")
    return statuses, offset


def _walk(data: bytes, statuses: bytes, offset: int, end: int) -> list[int]:
    times: list[int] = []
    ticks = 0
    for status in statuses:
        if status == LOST:
            times.append(MISSING)
            continue
        after = offset + status
        if after > end:
            raise RtcpError("transport-wide feedback has too few deltas")
        ticks += int.from_bytes(data[offset:after], "big", signed=status == LARGE)
        offset = after
        times.append(ticks)
    return times
