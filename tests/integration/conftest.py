"""A server for a module of tests, and a meeting on it for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.server import FORBIDDEN_IN_LOG, Server, start_server, stop_server, wait_healthy
from tests.support.world import World


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One media worker. At the end it must stop cleanly, and its log must show no unhandled error."""
    data_dir: Path = tmp_path_factory.mktemp("server")
    running = start_server(data_dir, workers=1)
    try:
        asyncio.run(wait_healthy(running))
        yield running
    finally:
        problems = stop_server(running)
    assert not problems, "; ".join(problems) + "\n" + running.log[-4000:]
    found = FORBIDDEN_IN_LOG.search(running.log)
    assert found is None, f"the server's log has {found!r}:\n{running.log[-4000:]}"


@pytest_asyncio.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with World.on(server) as world:
        yield world
