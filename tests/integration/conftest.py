"""A server for all tests of a process, as it starts no faster than most of them run; a meeting for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.server import Server, assert_no_unhandled, lasting_server
from tests.support.world import World


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """At the end it must stop cleanly, and its log must show no unhandled error."""
    with lasting_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Iterator[Server]:
    """One media worker. Its `/metrics` count from before the test. What a module of tests leaves in its log
    must show no unhandled error."""
    begun = len(shared_server.log)
    yield shared_server
    assert shared_server.process.poll() is None, f"the server ended:\n{shared_server.log[-4000:]}"
    assert_no_unhandled(shared_server, begun)


@pytest_asyncio.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with World.on(server) as world:
        yield world
