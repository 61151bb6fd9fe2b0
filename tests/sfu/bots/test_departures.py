"""When packets left, and when they came."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from sfu.bots.channel import UdpChannel
from sfu.bots.departures import KEPT, Departures
from tests.support.kernel_times import kernel_notes_times
from tests.support.wait import PATIENCE

__all__ = ["kernel_notes_times"]


def test_each_packet_of_a_burst_left_when_the_burst_did() -> None:
    departures = Departures()
    departures.note(7, 0, 2, 1000)
    departures.note(7, 2, 3, 2000)
    assert [departures.when(7, counter) for counter in range(6)] == [1000, 1000, 2000, 2000, 2000, None]
    assert departures.when(8, 0) is None


def test_what_left_long_ago_is_forgotten() -> None:
    departures = Departures()
    for counter in range(0, 3 * KEPT, 2):
        departures.note(7, counter, 2, counter)
    known = [counter for counter in range(3 * KEPT) if departures.when(7, counter) is not None]
    assert known == list(range(2 * KEPT, 3 * KEPT))


@pytest.mark.usefixtures("kernel_notes_times")
async def test_who_reads_late_is_told_when_the_kernel_had_it() -> None:
    """The loop does not come to read before `late`."""
    taken: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        channel = UdpChannel(*server.getsockname(), lambda _data, _size, at: taken.append(at))
        try:
            before = time.time_ns()
            server.sendto(b"packet", channel.local_address)
            late = time.time_ns() + 50_000_000
            while time.time_ns() < late:
                pass  # the loop stands still
            async with asyncio.timeout(PATIENCE):
                while not taken:
                    await asyncio.sleep(0)
        finally:
            channel.close()
    assert before <= taken[0] < late
