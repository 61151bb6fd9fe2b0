"""A real bottleneck in the path to a receiver: what does not fit is given up in time, and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sfu.bot import AudioSpec, Bot, VideoSpec
from tests.support.relay import Impairment, UdpRelay
from tests.support.wait import wait_until
from tests.support.world import World, packets_of, wait_media

NARROW_RATE = 500e3
WIDE, NARROW = Impairment(rate=6e6, delay=0.02), Impairment(rate=NARROW_RATE, delay=0.02, queue=0.3)
VIDEO = VideoSpec((1,), packets_per_second=150.0)
ADAPTS_WITHIN = 2.0
"""Seconds, counted in what the narrow line carries in them. A machine that is late lets less through."""


@pytest_asyncio.fixture
async def relay(world: World) -> AsyncIterator[UdpRelay]:
    relay = UdpRelay.open(("127.0.0.1", world.server.udp_ports[0]), seed=11, down=WIDE)
    yield relay
    relay.close()


async def test_video_gives_way_on_a_narrow_path_audio_does_not_and_it_comes_back(
    world: World, relay: UdpRelay
) -> None:
    watcher = await world.subscriber(route=relay.route, nack=True)
    await world.publisher(VIDEO, AudioSpec(2))
    await wait_media(watcher, 1, more=300)
    assert times(watcher, "subscription_paused") == 0, "a path wide enough is found without a pause"

    relay.impair(down=NARROW)
    before = packets_of(watcher, 1)
    await wait_until(
        lambda: times(watcher, "subscription_paused") > 0,
        lambda: f"the video of 1.4 Mbit/s gives way to a path of 0.5; {relay.down.lost} packets lost",
    )
    lost = relay.down.lost
    await wait_media(watcher, 2, more=100)
    carried = (packets_of(watcher, 1) - before) * 8 * VIDEO.payload_size
    assert carried < ADAPTS_WITHIN * NARROW_RATE, (
        "before the line has carried for two seconds, it is given up"
    )
    assert relay.down.lost - lost < 30, "with the video gone, nothing overflows"

    relay.impair(down=WIDE)
    await wait_media(watcher, 1, more=10)
    await wait_until(lambda: times(watcher, "subscription_resumed") > 0, "the client is told of it")
    assert packets_of(watcher, 2) > 0


def times(bot: Bot, kind: str) -> int:
    return sum(event["type"] == kind for event in bot.events)
