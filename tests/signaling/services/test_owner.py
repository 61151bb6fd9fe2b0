from __future__ import annotations

import asyncio

import pytest

from signaling.errors import NotJoinedError, PermissionDenied, SignalingError
from signaling.services.live.owner import Owner
from tests.support.live_world import until
from tests.support.wait import PATIENCE


async def test_one_thing_is_done_after_the_other_in_the_order_of_asking() -> None:
    owner = Owner("ses")
    owner.start()
    running, most, done = 0, 0, list[int]()

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(number % 3):
            await asyncio.sleep(0)
        running -= 1
        done.append(number)
        return number

    results = await asyncio.gather(*(owner.do(lambda n=n: work(n)) for n in range(20)))
    assert results == done == list(range(20))
    assert most == 1
    owner.stop()
    await owner.wait_stopped()


async def test_an_error_goes_to_whoever_asked_and_the_owner_lives_on() -> None:
    owner = Owner("ses")
    owner.start()

    async def refuse() -> None:
        raise PermissionDenied

    async def answer() -> str:
        return "answer"

    with pytest.raises(PermissionDenied):
        await owner.do(refuse)
    owner.post(refuse)
    assert await owner.do(answer) == "answer"
    owner.stop()
    await owner.wait_stopped()


async def test_work_that_was_begun_is_finished_even_if_nobody_waits_for_it() -> None:
    owner = Owner("ses")
    owner.start()
    go, finished = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        finished.set()

    asking = asyncio.create_task(owner.do(work))
    await asyncio.sleep(0)
    asking.cancel()
    go.set()
    await until(finished.is_set, "the work")
    owner.stop()
    await owner.wait_stopped()


async def test_what_waits_when_it_stops_is_refused_and_so_is_what_comes_later() -> None:
    owner = Owner("ses")
    owner.start()

    async def stop() -> None:
        owner.stop()

    async def never() -> None:
        raise AssertionError("the session is over")

    stopping = asyncio.create_task(owner.do(stop))
    waiting = asyncio.create_task(owner.do(never))
    await stopping
    with pytest.raises(NotJoinedError):
        await waiting
    with pytest.raises(NotJoinedError):
        await owner.do(never)
    await owner.wait_stopped()


async def test_work_whose_awaited_was_cancelled_has_failed_and_what_comes_after_it_is_done() -> None:
    owner = Owner("ses")
    owner.start()
    awaited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await awaited

    async def answer() -> str:
        return "done"

    asking, next_one = asyncio.create_task(owner.do(wait)), asyncio.create_task(owner.do(answer))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    awaited.cancel()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(SignalingError):
            await asking
        assert await next_one == "done"
    owner.stop()
    await owner.wait_stopped()
