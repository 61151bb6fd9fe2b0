"""Two browsers in one meeting, each on a media worker of its own: the pipe between them is not to be seen."""

from __future__ import annotations

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
async def dealt_server(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Peers go to its two workers in turn."""
    arguments = ("--web-dir", str(page), "--spread-above", "0")
    async with running_server(tmp_path_factory.mktemp("dealt"), workers=2, arguments=arguments) as running:
        yield running


async def test_people_on_two_workers_see_each_other(dealt_server: Server, browsers: Browsers) -> None:
    async with playing(dealt_server, browsers, "Two workers") as cast:
        ada = await cast.enter(ADA, "group_call_host")
        grace = await cast.enter(GRACE)
        await ada.sees_moving(grace)
        await grace.sees_moving(ada)
        await eventually(
            dealt_server.metrics,
            lambda metrics: (
                metrics["rostrum_worker_routers"] == 2
                and metrics["rostrum_worker_producers_piped_in_total"] >= 2
            ),
            "the meeting is on both workers, and each has what the other one's person publishes",
        )
        assert [person.unexpected_problems() for person in cast.people] == [[], []]
