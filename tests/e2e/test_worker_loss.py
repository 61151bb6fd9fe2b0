"""A media worker that dies takes nobody out of the meeting: it is replaced, and pages rebuild their media.

What was turned on meanwhile is part of that.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.browsers import Browsers
from tests.e2e.cast import playing
from tests.e2e.eventually import eventually
from tests.e2e.pictures import ADA, GRACE
from tests.support.server import Server, running_server


@pytest_asyncio.fixture(loop_scope="session")
async def own_server(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    directory = tmp_path_factory.mktemp("doomed")
    async with running_server(directory, workers=1, arguments=("--web-dir", str(page))) as running:
        yield running


async def test_media_comes_back_without_a_reload_after_the_worker_was_killed(
    own_server: Server, browsers: Browsers
) -> None:
    async with playing(own_server, browsers, "Survivors") as cast:
        ada = await cast.enter(ADA, "group_call_host")
        grace = await cast.enter(GRACE)
        await ada.sees(grace)
        await grace.sees(ada)
        for person in (ada, grace):
            await person.page.evaluate(_WATCH)

        doomed = own_server.workers()
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)

        for person, other in ((ada, grace), (grace, ada)):
            await eventually(
                lambda one=person: one.page.evaluate("window.resets"),  # type: ignore[misc]
                lambda resets: resets == ["node_lost"],
                "the page is told of the lost node",
            )
            await person.sees_moving(other)
            assert await person.sdk("meeting.self.id") == person.peer_id
        assert not set(doomed) & set(own_server.workers())
        assert [person.unexpected_problems() for person in cast.people] == [[], []]


async def test_a_camera_turned_on_while_no_worker_takes_it_is_seen_once_there_is_another(
    own_server: Server, browsers: Browsers
) -> None:
    async with playing(own_server, browsers, "Between two workers") as cast:
        ada = await cast.enter(ADA, "group_call_host")
        grace = await cast.invite(GRACE)
        await grace.open()
        await grace.click("camera-toggle")
        await grace.go_in()
        await grace.page.evaluate(_WATCH)
        await expect(ada.tile_of(grace)).to_have_attribute("data-video", "off")

        # Silent, it is taken for dead after some seconds: until then nobody can know, and then there is none.
        for pid in own_server.workers():
            os.kill(pid, signal.SIGSTOP)
        await grace.click("camera-toggle")
        await ada.sees(grace)
        await ada.sees_moving(grace)
        assert await grace.page.evaluate("window.resets") == ["node_lost"]
        # Where the socket went first there was another node by the time it was asked for again.
        assert await grace.page.evaluate("window.refusals") in ([], ["MediaUnavailable"])
        await expect(grace.get("camera-toggle")).to_have_attribute("aria-pressed", "true")
        assert [person.unexpected_problems() for person in cast.people] == [[], []]


_WATCH = """
() => {
  window.resets = [];
  window.refusals = [];
  window.rostrum.self.on("publishError", ({ name }) => window.refusals.push(name));
  window.rostrum.connection.on("event", (event) => {
    if (event.type === "media_reset") window.resets.push(event.reason);
  });
}
"""
