"""Work in steps that leaves the rest of the time to others."""

from __future__ import annotations

import pytest

from signaling.pacing import Pace


class Time:
    """It passes by work and by sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.worked = 0.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.worked += seconds

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
async def test_steps_of_any_length_take_their_share_of_the_time(share: float) -> None:
    time = Time()
    pace = Pace(time.monotonic, share=share, sleep=time.sleep)
    for seconds in (0.01, 3.0, 0.0, 0.2):
        time.work(seconds)
        await pace.rest()
    assert time.worked / (time.worked + time.slept) == pytest.approx(share)


async def test_a_rest_that_was_longer_than_due_is_not_taken_for_work() -> None:
    time = Time()

    async def oversleep(seconds: float) -> None:
        await time.sleep(seconds + 60)

    pace = Pace(time.monotonic, share=0.5, sleep=oversleep)
    time.work(1.0)
    await pace.rest()
    time.work(1.0)
    await pace.rest()
    assert time.slept == pytest.approx(2.0 + 2 * 60)
