"""A server for all tests of a process, as it starts no faster than most of them run; a meeting for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.server import FORBIDDEN_IN_LOG, Server, start_server, stop_server, wait_healthy
from tests.support.world import World


@pytest.fixture(scope="session")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """At the end it must stop cleanly, and its log must show no unhandled error."""
    data_dir: Path = tmp_path_factory.mktemp("server")
    running = start_server(data_dir, workers=1)
    try:
        asyncio.run(wait_healthy(running))
        yield running
    finally:
        problems = stop_server(running)
    assert not problems, "; ".join(problems) + "\n" + running.log[-4000:]
    _assert_no_error(running, 0)


@pytest.fixture(scope="module")
def server(lasting_server: Server) -> Iterator[Server]:
    """One media worker. Its `/metrics` count from before the test. What a module of tests leaves in its log
    must show no unhandled error."""
    begun = len(lasting_server.log)
    yield lasting_server
    assert lasting_server.process.poll() is None, f"the server ended:\n{lasting_server.log[-4000:]}"
    _assert_no_error(lasting_server, begun)


@pytest_asyncio.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with World.on(server) as world:
        yield world


def _assert_no_error(server: Server, begun: int) -> None:
    """In what was logged from that many characters on."""
    log = server.log[begun:]
    found = FORBIDDEN_IN_LOG.search(log)
    assert found is None, f"the server's log has {found!r}:\n{log[-4000:]}"
