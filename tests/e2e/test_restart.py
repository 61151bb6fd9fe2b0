"""Signaling is killed and started again under two people in a call: they see each other all the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.browsers import Browsers
from tests.e2e.cast import playing
from tests.e2e.eventually import eventually
from tests.e2e.pictures import ADA, GRACE
from tests.e2e.test_reconnect import TRACKS
from tests.support.server import (
    Server,
    kill_signaling,
    start_server,
    started_again,
    stop_server,
    wait_ended,
    wait_healthy,
)


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    directory = tmp_path_factory.mktemp("mortal")
    running = start_server(directory, workers=1, arguments=("--web-dir", str(page)))
    await wait_healthy(running)
    yield running
    await asyncio.to_thread(stop_server, running)


async def test_people_see_each_other_while_signaling_is_gone_and_go_on_when_it_is_back(
    mortal: Server, browsers: Browsers
) -> None:
    again: Server | None = None
    left: list[int] = []
    try:
        async with playing(mortal, browsers, "Mortals") as cast:
            ada = await cast.enter(ADA, "group_call_host")
            grace = await cast.enter(GRACE)
            pairs = ((ada, grace), (grace, ada))
            for person, other in pairs:
                await person.sees(other)
                await eventually(
                    lambda one=person: one.evaluate(TRACKS),  # type: ignore[misc]
                    lambda tracks: len(tracks) == 2 and all(tracks.values()),
                    "there is a track of all that the other publishes",
                )
                person.tolerate("WebSocket connection to|ERR_")
                await person.page.evaluate(_WATCH)

            left = await kill_signaling(mortal)
            for person, other in pairs:
                await eventually(
                    lambda one=person: one.sdk("meeting.meta.socketState.state"),  # type: ignore[misc]
                    lambda state: state == "reconnecting",
                    "the page notices",
                )
                await person.sees_more_frames(other, 30)
            again = await started_again(mortal)
            for person, other in pairs:
                await eventually(
                    lambda one=person: one.sdk("meeting.meta.socketState.state"),  # type: ignore[misc]
                    lambda state: state == "connected",
                    "the page is back",
                )
                await person.sees_more_frames(other, 15)
                watched = await person.page.evaluate("window.watched")
                assert watched == {"joins": 0, "resets": 0, "gone": 0, "tracks": 0}
                assert await person.sdk("meeting.self.id") == person.peer_id, "the same peer"

            await ada.click("mic-toggle")
            await expect(grace.tile_of(ada)).to_have_attribute("data-audio", "off")
            await grace.click("camera-toggle")
            await expect(ada.tile_of(grace)).to_have_attribute("data-video", "off")
            await grace.click("camera-toggle")
            await ada.sees_moving(grace)
            linus = await cast.enter(GRACE)
            await linus.sees(ada)
            await expect(ada.get("tile")).to_have_count(3)
            assert [person.unexpected_problems() for person in cast.people] == [[], [], []]
    finally:
        problems = [] if again is None else await asyncio.to_thread(stop_server, again)
    assert not problems
    await wait_ended(left)


_WATCH = """
() => {
  const watched = (window.watched = { joins: 0, resets: 0, gone: 0, tracks: 0 });
  const { connection, participants, subscriber } = window.rostrum;
  connection.on("joined", () => watched.joins++);
  connection.on("event", (event) => { if (event.type === "media_reset") watched.resets++; });
  participants.joined.on("participantLeft", () => watched.gone++);
  subscriber.on("track", () => watched.tracks++);
}
"""
"""Counts what a page would do if it began anew."""
