"""A preset's limits are in the answer; who sends more is cut at the node, and comes back by keeping to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.bots.media import Vp8Frames
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.preset import merged
from tests.sfu.client_sdp import chromium_offer
from tests.support.server import running_server
from tests.support.wait import wait_until
from tests.support.world import (
    World,
    assert_nothing_lost,
    packets_of,
    track_of,
    wait_media,
    wait_silence,
)


async def _preset_with(world: World, **media: Any) -> str:
    """The name of a participant's preset with other media limits."""
    member = next(preset for preset in DEFAULT_PRESETS if preset.name == "group_call_participant")
    preset = merged(
        member, {"name": f"limits {world.meeting_id} {len(world.bots)}", "config": {"media": media}}
    )
    await world.organization.call("POST", "/v2/presets", preset.to_dict())
    return preset.name


async def _narrow_preset(world: World) -> str:
    return await _preset_with(world, video={"quality": "qvga"})


def _limited(bot: Bot) -> list[int]:
    return [event["forwarded"] for event in bot.events if event["type"] == "publication_limited"]


MODEST = 8
"""So many times as seldom what is sent is within every limit of these tests."""


@pytest.mark.parametrize(
    ("quality", "kilobits", "stereo", "high", "opus"),
    [
        ("qvga", 600, False, False, {"usedtx=1"}),
        ("vga", 1500, True, False, {"stereo=1", "sprop-stereo=1"}),
        ("hd", 4000, False, True, {"maxaveragebitrate=128000"}),
        ("fhd", 8000, True, True, {"stereo=1", "sprop-stereo=1", "maxaveragebitrate=256000"}),
        ("uhd", 20_000, False, False, {"usedtx=1"}),
    ],
)
async def test_the_limits_of_a_preset_are_in_the_answer(
    world: World, *, quality: str, kilobits: int, stereo: bool, high: bool, opus: set[str]
) -> None:
    preset = await _preset_with(
        world,
        video={"quality": quality},
        audio={"enable_stereo": stereo, "enable_high_bitrate": high},
    )
    bot = await world.join(preset)
    announced = (("0", "microphone", "audio"), ("1", "camera", "video"))
    answered = await bot.signalling.request(
        "publish",
        offer=chromium_offer(),
        publications=[{"mid": mid, "source": source, "kind": kind} for mid, source, kind in announced],
    )
    _, audio, video = answered["answer"].split("m=")
    assert {line for line in video.splitlines() if line.startswith("b=")} == {
        f"b=AS:{kilobits}",
        f"b=TIAS:{kilobits}000",
    }
    assert f"x-google-max-bitrate={kilobits}" in _format_of(video, "96")
    assert f"x-google-start-bitrate={min(kilobits, 1000)}" in _format_of(video, "96")
    assert _format_of(audio, "111") == {"minptime=10", "useinbandfec=1", *opus}
    assert "\nb=" not in audio


def _format_of(section: str, payload_type: str) -> set[str]:
    prefix = f"a=fmtp:{payload_type} "
    (line,) = (line for line in section.splitlines() if line.startswith(prefix))
    return set(line.removeprefix(prefix).split(";"))


async def test_senders_that_ignore_a_limit_are_cut_and_come_back(world: World) -> None:
    """One sends too many bits, another too many frames that take few bits: from the moment on at which both
    are received."""
    watcher = await world.subscriber()
    bits = VideoSpec((1,), packets_per_second=250.0, size=(320, 180))
    frames = VideoSpec((2,), packets_per_second=100.0, payload_size=200, size=(320, 180))
    many_bits = await world.join(await _narrow_preset(world))
    many_frames = await world.join(await _preset_with(world, video={"frame_rate": 15}))
    for forger, spec in ((many_bits, bits), (many_frames, frames)):
        await forger.publish([spec])
        track_of(forger).encodings[0].interval *= MODEST
        assert forger.publisher is not None
        forger.publisher.start()
    for stream_id in (1, 2):
        await wait_media(watcher, stream_id)
    for forger in (many_bits, many_frames):
        track_of(forger).encodings[0].interval /= MODEST
    await asyncio.gather(
        _is_cut_and_comes_back(watcher, many_bits, 1, "bitrate"),
        _is_cut_and_comes_back(watcher, many_frames, 2, "frame_rate"),
    )


async def _is_cut_and_comes_back(watcher: Bot, forger: Bot, stream_id: int, reason: str) -> None:
    await wait_until(lambda: _limited(forger) == [0], "the forger is told that nothing goes on")
    told = next(event for event in forger.events if event["type"] == "publication_limited")
    assert told["reason"] == reason
    await sends(forger, 100)  # What was under way may still have come.
    cut = packets_of(watcher, stream_id)
    await sends(forger, 200)
    assert packets_of(watcher, stream_id) == cut

    track_of(forger).encodings[0].interval *= MODEST
    await wait_until(lambda: _limited(forger) == [0, 1], "the limit is kept to")
    await wait_media(watcher, stream_id)


async def sends(bot: Bot, more: int) -> None:
    encoding = track_of(bot).encodings[0]
    goal = encoding.packets_sent + more
    await wait_until(lambda: encoding.packets_sent >= goal, lambda: f"{more} more packets sent")


async def test_pictures_that_are_too_large_are_not_forwarded_until_they_are_smaller(world: World) -> None:
    """Of a simulcast the lower encodings go on, and everything comes back with the smaller pictures."""
    watcher = await world.subscriber()
    sender = await world.publisher(
        VideoSpec((1, 2, 3), packets_per_second=120.0, payload_size=200), preset=await _narrow_preset(world)
    )
    await wait_until(lambda: _limited(sender)[-1:] == [1], "only the lowest encoding goes on")
    told = [event for event in sender.events if event["type"] == "publication_limited"]
    assert {event["reason"] for event in told} == {"frame_size"}
    await wait_media(watcher, 1)
    for stream_id in (2, 3):
        await wait_silence(watcher, stream_id, beside=1, packets=20)

    for rank, encoding in enumerate(track_of(sender).encodings):
        assert isinstance(encoding.frames, Vp8Frames)
        encoding.frames.resize(96 << rank, 54 << rank)
    await wait_until(lambda: _limited(sender)[-1:] == [3], "all of them go on")
    await wait_until(lambda: packets_of(watcher, 3) > 0, "the highest encoding again")


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
    await wait_silence(watcher, 3, beside=1, packets=60)

    tracks[2].level = 5
    await wait_media(watcher, 3, more=60)
    await wait_silence(watcher, 2, beside=3, packets=60)
    await wait_media(watcher, 1)
    await assert_nothing_lost(choosy, watcher, 1, 3)
