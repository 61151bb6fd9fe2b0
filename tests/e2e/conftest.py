"""The product in real browsers: its server, its page as built, Chromium.

All tests of this folder share one event loop, one server, one browser process per look and one without;
each has its own meeting and fresh browser contexts. Where there is no Chromium they fail and say what to do;
ROSTRUM_SKIP_E2E=1 leaves them out.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from sfu.bot import Organization
from tests.e2e import aftermath
from tests.e2e.browsers import NAMES, Browsers, find_chromium
from tests.e2e.cast import Cast
from tests.e2e.eventually import PATIENCE
from tests.e2e.firefox_cast import MixedCast, Theatre, mixed_cast, theatre
from tests.support.chromium_media import plain_chromium
from tests.support.server import Server, running_server

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = "web/apps/meet/dist/index.html"

expect.set_options(timeout=PATIENCE * 1000)

session = pytest_asyncio.fixture(loop_scope="session", scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if os.environ.get("ROSTRUM_SKIP_E2E") == "1":
            item.add_marker(pytest.mark.skip(reason="ROSTRUM_SKIP_E2E=1"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    aftermath.note_failure(item, report)
    return report


@session
async def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The web client as its sources are now, in a folder that no later build changes under a running server.

    Nothing is built where the build is current.
    """
    made = await asyncio.to_thread(
        subprocess.run, ["make", PAGE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if made.returncode != 0 or not (ROOT / PAGE).exists():
        pytest.fail(f"`make {PAGE}` cannot build the page:\n{made.stdout}{made.stderr}", pytrace=False)
    return Path(shutil.copytree((ROOT / PAGE).parent, tmp_path_factory.mktemp("page") / "dist"))


@session
async def browsers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browsers]:
    executable = find_chromium()
    if executable is None:
        pytest.fail(
            f"These tests drive Chromium, and none of {', '.join(NAMES)} is on the PATH. On Debian: "
            "sudo apt install chromium. To leave these tests out: ROSTRUM_SKIP_E2E=1",
            pytrace=False,
        )
    async with async_playwright() as playwright:
        running = Browsers(playwright, executable, tmp_path_factory.mktemp("looks"))
        yield running
        await running.close()


@session
async def plain_browser() -> AsyncIterator[Browser]:
    """For `media_in`."""
    async with plain_chromium() as browser:
        yield browser


@session
async def server(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One media worker. At the end it must stop cleanly, and its log must show no unhandled error."""
    directory = tmp_path_factory.mktemp("server")
    async with running_server(directory, workers=1, arguments=("--web-dir", str(page))) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def cast(server: Server, browsers: Browsers, request: pytest.FixtureRequest) -> AsyncIterator[Cast]:
    """A meeting with nobody in it. At the end no page may have complained of anything unexpected."""
    async with Organization(server.credentials) as organization:
        meeting_id = await organization.create_meeting("A play")
        cast = Cast(server, browsers, organization, meeting_id)
        try:
            yield cast
            problems = {person.look.name: person.unexpected_problems() for person in cast.people}
        finally:
            if aftermath.failed(request.node):
                await cast.tell(request.node.name)
            await cast.close()
    assert not any(problems.values()), f"the pages complained: {problems}"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def stage(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    """Firefox and Chromium at one end of a cable, a server at the other: for a module of tests."""
    async with theatre(page, tmp_path_factory.mktemp("theatre")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def mixed(stage: Theatre) -> AsyncIterator[MixedCast]:
    """A meeting on that stage with nobody in it."""
    async with mixed_cast(stage) as made:
        yield made
