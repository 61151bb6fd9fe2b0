"""Only what is wanted is sent: to a receiver that cannot see it, and by a publisher whom nobody watches."""

from __future__ import annotations

from typing import Any

from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.supply import HOLD
from tests.support.wait import PATIENCE, wait_until
from tests.support.world import World, wait_media, wait_silence

LOW, MIDDLE, HIGH = 1, 2, 3
SIMULCAST = VideoSpec((LOW, MIDDLE, HIGH), packets_per_second=320.0)


async def _show(bot: Bot, width: int, height: int) -> None:
    video = next(key for key, one in bot.publications.items() if one["kind"] == "video")
    tile = {"publication_id": video, "width": width, "height": height}
    await bot.signalling.request("set_tiles", tiles=[tile])


def _told(bot: Bot, kind: str) -> list[Any]:
    return [event for event in bot.events if event["type"] == kind]


def _last_wanted(bot: Bot) -> list[bool] | None:
    told = _told(bot, "publication_wanted")
    return list(told[-1]["encodings"]) if told else None


async def _wait_wanted(bot: Bot, encodings: list[bool]) -> None:
    await wait_until(
        lambda: _last_wanted(bot) == encodings,
        lambda: f"the publisher to be told {encodings}; it was told {_told(bot, 'publication_wanted')}",
        timeout=HOLD + PATIENCE,
    )


async def test_a_video_out_of_sight_gets_no_packets_while_its_voice_goes_on(world: World) -> None:
    watcher = await world.subscriber()
    await world.publisher(VideoSpec((1,), packets_per_second=100.0), AudioSpec(2))
    await wait_media(watcher, 1)
    await _show(watcher, 0, 0)
    await wait_silence(watcher, 1, beside=2)
    assert not _told(watcher, "subscription_paused"), "it was not for lack of bandwidth"
    await _show(watcher, 1280, 720)
    await wait_media(watcher, 1)


async def test_a_tile_gets_the_layer_that_fills_it(world: World) -> None:
    watcher = await world.subscriber()
    await world.publisher(SIMULCAST)
    await wait_media(watcher, HIGH)
    await _show(watcher, 300, 170)
    await wait_media(watcher, LOW)
    await _show(watcher, 640, 360)
    await wait_media(watcher, MIDDLE)


async def test_layers_that_nobody_receives_are_called_off_and_called_for_again(world: World) -> None:
    watcher = await world.subscriber()
    publisher = await world.publisher(SIMULCAST)
    await wait_media(watcher, HIGH)
    await _show(watcher, 300, 170)
    await _wait_wanted(publisher, [True, False, False])
    await _show(watcher, 1280, 720)
    await _wait_wanted(publisher, [True, False, True])
    await wait_media(watcher, HIGH)


async def test_a_publisher_without_receivers_is_told_and_told_when_one_comes(world: World) -> None:
    publisher = await world.publisher(VideoSpec((1,), packets_per_second=100.0))
    await _wait_wanted(publisher, [False])
    watcher = await world.subscriber()
    await _wait_wanted(publisher, [True])
    await wait_media(watcher, 1)
