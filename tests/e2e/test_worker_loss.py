"""A media worker that dies takes nobody out of the meeting: it is replaced, and pages rebuild their media."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

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


_WATCH = """
() => {
  window.resets = [];
  window.rostrum.connection.on("event", (event) => {
    if (event.type === "media_reset") window.resets.push(event.reason);
  });
}
"""
