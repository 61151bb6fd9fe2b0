"""Turns of many, worked off so that the loop comes to its sockets in between."""

from __future__ import annotations

import asyncio

from sfu.slices import LENGTH, SHARE, Slices
from tests.support.wait import wait_until


class Work:
    """Each turn takes so many seconds of a clock turned by hand."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.done: list[tuple[int, float]] = []
        self.slices: Slices[int] = Slices(asyncio.get_running_loop(), self._turn, lambda: self.now)
        self._seconds = seconds

    def _turn(self, one: int, now: float) -> None:
        self.done.append((one, now))
        self.now += self._seconds


async def test_short_turns_are_done_at_once() -> None:
    work = Work(LENGTH / 100)
    work.slices.begin(range(20))
    assert [one for one, _ in work.done] == list(range(20))
    assert not work.slices.busy


async def test_between_long_turns_the_loop_gets_to_what_waits() -> None:
    work = Work(LENGTH / 2)
    seen: list[int] = []

    def look() -> None:
        seen.append(len(work.done))
        if work.slices.busy:
            asyncio.get_running_loop().call_soon(look)

    work.slices.begin(range(9))
    look()
    await wait_until(lambda: not work.slices.busy, "all turns")
    assert seen == [2, 4, 6, 8, 9]
    assert [one for one, _ in work.done] == list(range(9))
    assert [now for _, now in work.done] == [number * LENGTH / 2 for number in range(9)], "told the time"


async def test_a_loop_that_is_away_for_long_leaves_turns_their_share_of_the_time() -> None:
    work = Work(LENGTH / 2)
    away = 8 * LENGTH / SHARE
    seen: list[int] = []

    def be_away() -> None:
        seen.append(len(work.done))
        work.now += away
        if work.slices.busy:
            asyncio.get_running_loop().call_soon(be_away)

    work.slices.begin(range(40))
    be_away()
    await wait_until(lambda: not work.slices.busy, "all turns")
    assert seen == [2, 18, 34, 40]


async def test_those_of_a_closed_one_are_not_done() -> None:
    work = Work(LENGTH)
    work.slices.begin(range(5))
    work.slices.close()
    done = len(work.done)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(work.done) == done
    assert not work.slices.busy
