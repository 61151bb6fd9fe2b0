"""A media worker dies. Its meetings are placed again, and clients publish and subscribe afresh."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import aiohttp
import pytest_asyncio

from sfu.bot import Bot, VideoSpec
from tests.support.server import Server, media_workers, running_server
from tests.support.wait import wait_until_async
from tests.support.world import World, wait_media


@pytest_asyncio.fixture
async def lossy(tmp_path: Path) -> AsyncIterator[Server]:
    """A server of this test alone, because its worker will be killed."""
    async with running_server(tmp_path, workers=1) as server:
        yield server


async def reset(bot: Bot) -> None:
    await bot.wait_for(lambda event: event["type"] == "media_reset", "the news of the lost node")


async def test_peers_are_told_once_and_have_media_again_on_the_worker_in_its_place(
    lossy: Server, record_property: Callable[[str, object], None]
) -> None:
    async with World.on(lossy) as world:
        publisher, watcher = await world.publisher(), await world.subscriber()
        await wait_media(watcher, 1)
        for pid in media_workers(lossy):
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        await reset(publisher)
        await reset(watcher)
        publisher.forget_media()
        watcher.forget_media()
        await publisher.publish([VideoSpec((2,), packets_per_second=100.0)])
        assert publisher.publisher is not None
        publisher.publisher.start()
        await wait_media(watcher, 2)
        record_property("back_after_s", round(time.monotonic() - killed, 2))
        for bot in (publisher, watcher):
            assert [event["type"] for event in bot.events].count("media_reset") == 1


async def test_a_new_meeting_starts_on_the_restarted_worker(lossy: Server) -> None:
    before = media_workers(lossy)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await wait_until_async(
        partial(is_replaced, lossy, before), lambda: "a worker that serves in place of the killed one"
    )
    async with World.on(lossy) as world:
        await world.publisher()
        watcher = await world.subscriber()
        await wait_media(watcher, 1)


async def is_replaced(server: Server, killed: list[int]) -> bool:
    """Whether others than those serve: not only their processes are there."""
    workers = media_workers(server)
    if not workers or not set(workers).isdisjoint(killed):
        return False
    async with aiohttp.ClientSession() as http, http.get(server.base_url + "/healthz") as response:
        return bool((await response.json())["status"] == "ok")
