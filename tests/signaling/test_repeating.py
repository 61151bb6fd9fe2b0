"""What is done again and again goes on when it fails, and is over once it is closed."""

from __future__ import annotations

import asyncio

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars
from structlog.testing import capture_logs

from signaling.errors import StoreUnavailableError
from signaling.repeating import Repeating
from tests.support.wait import wait_until


class Work:
    """Which fails the first two times."""

    def __init__(self) -> None:
        self.times = 0
        self.failures: list[Exception] = [StoreUnavailableError(), KeyError("a bug")]

    async def __call__(self) -> None:
        self.times += 1
        if self.failures:
            raise self.failures.pop(0)


async def test_it_goes_on_after_a_failure_which_is_logged_with_its_trace_where_nobody_expected_it() -> None:
    work = Work()
    repeating = Repeating("to work", work, every=0.001, at_once=True)
    with capture_logs() as logs:
        repeating.start()
        await wait_until(lambda: work.times > 2, "it was not done again")
        await repeating.close()
    expected, unexpected = (one for one in logs if one["event"] == "repeated.failed")
    assert expected == {
        "event": "repeated.failed",
        "work": "to work",
        "error": StoreUnavailableError().message,
        "log_level": "warning",
    }
    assert (unexpected["log_level"], unexpected["exc_info"]) == ("error", True)


async def test_the_first_time_is_at_once_only_where_that_is_said() -> None:
    now, later = Work(), Work()
    repeated = [Repeating("now", now, every=60, at_once=True), Repeating("later", later, every=60)]
    for one in repeated:
        one.start()
    await wait_until(lambda: now.times == 1, "it was not done at once")
    assert later.times == 0
    for one in repeated:
        await one.close()


async def test_work_that_is_being_done_is_over_when_it_is_closed() -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    repeating = Repeating("long", long, every=0, at_once=True)
    repeating.start()
    await begun.wait()
    await repeating.close()
    assert given_up.is_set()
    await repeating.close()


async def test_it_has_nothing_of_the_context_it_was_started_in() -> None:
    seen = asyncio.get_running_loop().create_future()

    async def look() -> None:
        seen.set_result(get_contextvars())

    bind_contextvars(request_id="somebody's")
    try:
        repeating = Repeating("look", look, every=60, at_once=True)
        repeating.start()
        assert await seen == {}
        await repeating.close()
    finally:
        clear_contextvars()
