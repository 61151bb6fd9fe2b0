"""Who sends more than the preset grants is cut at the node, and comes back by keeping to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.bots.media import Vp8Frames
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.preset import merged
from tests.support.server import running_server
from tests.support.wait import wait_until
from tests.support.world import World, packets_of, stream_of, track_of, wait_media


async def _narrow_preset(world: World) -> str:
    member = next(preset for preset in DEFAULT_PRESETS if preset.name == "group_call_participant")
    video = {"config": {"media": {"video": {"quality": "qvga"}}}}
    preset = merged(member, {"name": f"narrow {world.meeting_id}", **video})
    await world.organization.call("POST", "/v2/presets", preset.to_dict())
    return preset.name


def _limited(bot: Bot) -> list[int]:
    return [event["forwarded"] for event in bot.events if event["type"] == "publication_limited"]


async def test_a_sender_that_ignores_its_limit_is_cut_and_comes_back(world: World) -> None:
    watcher = await world.subscriber()
    forger = await world.publisher(
        VideoSpec((1,), packets_per_second=250.0, size=(320, 180)), preset=await _narrow_preset(world)
    )
    await wait_media(watcher, 1)
    await wait_until(lambda: _limited(forger) == [0], "the forger is told that nothing goes on", timeout=15)
    cut = packets_of(watcher, 1)
    encoding = track_of(forger).encodings[0]
    sent = encoding.packets_sent
    await wait_until(lambda: encoding.packets_sent > sent + 200, "the forger goes on sending", timeout=15)
    assert packets_of(watcher, 1) <= cut + 10, "what was under way may still have come"

    encoding.interval *= 8
    await wait_until(lambda: _limited(forger) == [0, 1], "the limit is kept to", timeout=20)
    await wait_media(watcher, 1)


async def test_pictures_that_are_too_large_are_not_forwarded_until_they_are_smaller(world: World) -> None:
    """Of a simulcast the lower encodings go on, and everything comes back with the smaller pictures."""
    watcher = await world.subscriber()
    sender = await world.publisher(
        VideoSpec((1, 2, 3), packets_per_second=120.0, payload_size=200), preset=await _narrow_preset(world)
    )
    await wait_until(lambda: _limited(sender) == [1], "only the lowest encoding goes on", timeout=20)
    assert sender.events[-1]["reason"] == "frame_size"
    await wait_media(watcher, 1)
    cut = packets_of(watcher, 2) + packets_of(watcher, 3)
    await wait_media(watcher, 1, more=20)
    assert packets_of(watcher, 2) + packets_of(watcher, 3) <= cut + 2

    for rank, encoding in enumerate(track_of(sender).encodings):
        assert isinstance(encoding.frames, Vp8Frames)
        encoding.frames.resize(96 << rank, 54 << rank)
    await wait_until(lambda: _limited(sender) == [1, 3], "all of them go on", timeout=20)
    await wait_until(lambda: packets_of(watcher, 3) > 0, "the highest encoding again", timeout=20)


@pytest_asyncio.fixture
async def choosy(tmp_path: Path) -> AsyncIterator[World]:
    """A meeting in which only the two loudest are forwarded."""
    async with (
        running_server(tmp_path, workers=1, arguments=("--loudest-audio", "2")) as server,
        World.on(server) as world,
    ):
        yield world


async def test_only_the_loudest_are_forwarded_and_nobody_misses_a_packet(choosy: World) -> None:
    watcher = await choosy.subscriber()
    speakers = [await choosy.publisher(AudioSpec(number)) for number in (1, 2, 3)]
    tracks = [track_of(speaker, "microphone").encodings[0] for speaker in speakers]
    for track, level in zip(tracks, (20, 30, 60), strict=True):
        track.level = level
    for number in (1, 2):
        await wait_media(watcher, number)
    quiet, loud = packets_of(watcher, 3), packets_of(watcher, 1)
    await wait_until(lambda: packets_of(watcher, 1) > loud + 60, "the loud one goes on")
    assert packets_of(watcher, 3) <= quiet + 5

    tracks[2].level = 5
    await wait_media(watcher, 3, more=60)
    before = packets_of(watcher, 2)
    mark = packets_of(watcher, 3)
    await wait_until(lambda: packets_of(watcher, 3) > mark + 60, "the new voice goes on")
    assert packets_of(watcher, 2) <= before + 5, "the quieter of the first two gave way"
    assert packets_of(watcher, 1) > loud, "the loudest stays"
    for number in (1, 3):
        assert not stream_of(watcher, number).tally.missing
