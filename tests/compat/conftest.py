"""A server, and the vendors' SDKs as anybody installs them: the base URL and the key are all that is set.

The SDKs, and what reads the description, take seconds to import. Every process of the tests imports all of
their modules, so here they are imported where a test that needs one runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from sfu.bot import Bot
from tests.compat.wire import Wire
from tests.support import compat
from tests.support.sdks import operation
from tests.support.server import Server, lasting_server
from tests.support.world import OPTIONS

if TYPE_CHECKING:
    from cloudflare.resources.realtime_kit import AsyncRealtimeKitResource
    from telnyx import AsyncTelnyx

    from tests.compat.openapi import Description


PERSON = replace(OPTIONS, device="desktop")
"""As a browser says of itself."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One media worker, SQLite. It must stop cleanly and log no unhandled error."""
    with lasting_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def description(server: Server) -> Description:
    from tests.compat.openapi import Description

    return Description(httpx.get(server.base_url + "/openapi.json").raise_for_status().json())


@pytest_asyncio.fixture
async def wire(request: pytest.FixtureRequest, description: Description) -> AsyncIterator[Wire]:
    """For the operation that the test's mark names."""
    (mark,) = request.node.iter_markers("shows")
    sdk, name = mark.args
    async with Wire(sdk, operation(sdk, name), description) as wire:
        yield wire
    assert not wire.problems, "\n".join(wire.problems)


@dataclass(frozen=True, slots=True)
class Kit:
    """`api` is the SDK's `realtime_kit`, `cloudflare` the package; `app` is what every call names."""

    cloudflare: ModuleType
    api: AsyncRealtimeKitResource
    app: dict[str, str]
    wire: Wire
    server: Server


@pytest.fixture
def kit(server: Server, wire: Wire) -> Kit:
    import cloudflare

    compat.note_version("cloudflare", cloudflare.__version__)
    key = server.credentials
    client = cloudflare.AsyncCloudflare(
        base_url=server.base_url, api_token=key.api_key, http_client=wire.http
    )
    app = {"account_id": key.organization_id, "app_id": key.organization_id}
    return Kit(cloudflare, client.realtime_kit, app, wire, server)


@dataclass(frozen=True, slots=True)
class Rooms:
    """`api` is the client: `await rooms.api.rooms.list()`; `telnyx` is the package."""

    telnyx: ModuleType
    api: AsyncTelnyx
    wire: Wire
    server: Server


@pytest.fixture
def rooms(server: Server, wire: Wire) -> Rooms:
    import telnyx

    compat.note_version("telnyx", telnyx.__version__)
    key = server.credentials
    client = telnyx.AsyncTelnyx(base_url=server.base_url + "/v2", api_key=key.api_key, http_client=wire.http)
    return Rooms(telnyx, client, wire, server)


@asynccontextmanager
async def joined(server: Server, token: str, **said: Any) -> AsyncIterator[Bot]:
    """In the meeting until the block ends. `said` is what the client says with its join."""
    bot = Bot(server.base_url, token, PERSON)
    try:
        if not said:
            await bot.join()
        else:
            await bot.signalling.open()
            bot.state = await bot.signalling.request("join", token=token, device="desktop", **said)
        yield bot
    finally:
        await bot.leave()
