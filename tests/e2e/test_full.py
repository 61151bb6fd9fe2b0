"""A server that takes nobody any more: the page says so, and tries again by itself, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.browsers import Browsers
from tests.e2e.cast import playing
from tests.e2e.eventually import eventually
from tests.e2e.pictures import ADA
from tests.support.server import Server, running_server


@pytest_asyncio.fixture(loop_scope="session")
async def full_server(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    arguments = ("--web-dir", str(page), "--full-above", "0")
    async with running_server(tmp_path_factory.mktemp("full"), workers=1, arguments=arguments) as running:
        yield running


async def test_a_full_server_is_told_of_and_tried_again_once(full_server: Server, browsers: Browsers) -> None:
    async with playing(full_server, browsers, "Full") as cast:
        ada = await cast.invite(ADA)
        ada.tolerate("Overloaded|503|WebSocket")
        sockets: list[str] = []
        ada.page.on("websocket", lambda socket: sockets.append(socket.url))
        await ada.page.goto(f"{full_server.base_url}/meet/#token={ada.token}")
        await ada.page.get_by_test_id("join-button").click()
        await expect(ada.get("join-again")).to_contain_text("Trying again in")
        before = len(sockets)

        async def tried() -> bool:
            gone = await ada.page.get_by_test_id("join-again").count() == 0
            told = await ada.page.get_by_test_id("join-error").count() == 1
            return gone and told and len(sockets) == before + 1

        await eventually(tried, bool, "it tried once more, and says why it is not in", timeout=40.0)
        await expect(ada.get("join-button")).to_be_enabled()
