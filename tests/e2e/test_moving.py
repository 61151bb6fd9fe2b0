"""A browser that receives from another media worker from now on: its picture goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from sfu.bot import AudioSpec
from tests.e2e.browsers import Browsers
from tests.e2e.cast import playing
from tests.e2e.eventually import eventually
from tests.e2e.pictures import ADA, GRACE
from tests.e2e.test_http_media import KEEP_CONNECTIONS
from tests.support.server import Server, running_server
from tests.support.world import World

TALKERS = 8


@pytest_asyncio.fixture(loop_scope="session")
async def easily_busy(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Everybody begins on the same one of its two workers, and some talk is enough to make it busy."""
    arguments = ("--web-dir", str(page), "--spread-above", "1", "--move-above", "0.05")
    async with running_server(tmp_path_factory.mktemp("busy"), workers=2, arguments=arguments) as running:
        yield running


async def test_a_page_moves_to_another_worker_and_its_picture_goes_on(
    easily_busy: Server, browsers: Browsers, record_property: Callable[[str, object], None]
) -> None:
    async with playing(easily_busy, browsers, "Two workers") as cast, World.on(easily_busy) as world:
        world.meeting_id = cast.meeting_id
        ada = await cast.enter(ADA, "group_call_host")
        # Who only receives goes first, on a slow machine before the others talk.
        grace = await cast.invite(GRACE, "webinar_viewer")
        await grace.page.add_init_script(KEEP_CONNECTIONS)
        await grace.join()
        await grace.page.evaluate(_WATCH_RESETS)
        await grace.sees_moving(ada)
        await grace.page.evaluate(_WATCH_GAPS, ada.peer_id)
        await asyncio.gather(
            *(world.publisher(AudioSpec(100 + number), auto_subscribe=True) for number in range(TALKERS))
        )
        await eventually(
            lambda: grace.page.evaluate("window.rostrum.subscriber.peerConnection !== window.connections[0]"),
            bool,
            "the page receives over another connection",
            timeout=60.0,
        )
        await grace.sees_more_frames(ada)
        await grace.sees_moving(ada)
        seen = await grace.page.evaluate("window.seen")
        record_property("longest_gap_ms", seen["longest"])
        record_property("median_gap_ms", seen["median"])
        assert await grace.page.evaluate("window.resets") == 0
        assert [person.unexpected_problems() for person in cast.people] == [[], []]


_WATCH_RESETS = """
() => {
  window.resets = 0;
  window.rostrum.connection.on("event", (event) => {
    if (event.type === "media_reset") window.resets++;
  });
}
"""

_WATCH_GAPS = """
(peerId) => {
  const seen = (window.seen = { longest: 0, median: 0 });
  const video = document.querySelector(`[data-testid="tile"][data-peer-id="${peerId}"] video`);
  const gaps = [];
  let last = performance.now();
  const step = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    gaps.sort((a, b) => a - b);
    seen.longest = Math.round(gaps[gaps.length - 1]);
    seen.median = Math.round(gaps[gaps.length >> 1]);
    video.requestVideoFrameCallback(step);
  };
  video.requestVideoFrameCallback(step);
}
"""
