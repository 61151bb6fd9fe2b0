"""A receiver behind a narrow path gets what fits through it, and more again when it is wide."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sfu.bot import AudioSpec, VideoSpec
from tests.support.relay import Impairment, UdpRelay
from tests.support.wait import wait_until
from tests.support.world import World, packets_of, wait_media

LOW, MIDDLE, HIGH, VOICE = 1, 2, 3, 4
SIMULCAST = VideoSpec((LOW, MIDDLE, HIGH), packets_per_second=240.0)
"""About 130 kbit/s, 530 kbit/s and 2.1 Mbit/s."""


@pytest_asyncio.fixture
async def relay(world: World) -> AsyncIterator[UdpRelay]:
    relay = UdpRelay.open(("127.0.0.1", world.server.udp_ports[0]), seed=11)
    yield relay
    relay.close()


async def test_a_narrow_path_takes_the_layer_down_and_a_wide_one_brings_it_back(
    world: World, relay: UdpRelay
) -> None:
    watcher = await world.subscriber(route=relay.route)
    wide = await world.subscriber()
    await world.publisher(SIMULCAST, AudioSpec(VOICE))
    await wait_media(watcher, HIGH)
    relay.impair(down=Impairment(rate=1_000_000.0))
    await wait_media(watcher, MIDDLE, more=60)
    before = packets_of(watcher, HIGH)
    await wait_media(watcher, MIDDLE, more=60)
    assert packets_of(watcher, HIGH) - before < 60, "the layers are not mixed"
    await wait_media(wide, HIGH)
    relay.impair(down=Impairment())
    await wait_media(watcher, HIGH, more=100)


async def test_where_no_video_fits_the_voice_goes_on_and_the_client_is_told(
    world: World, relay: UdpRelay
) -> None:
    watcher = await world.subscriber(route=relay.route)
    await world.publisher(VideoSpec((HIGH,), packets_per_second=100.0), AudioSpec(VOICE))
    await wait_media(watcher, HIGH, more=100)
    relay.impair(down=Impairment(rate=200_000.0))
    await wait_until(
        lambda: any(event["type"] == "subscription_paused" for event in watcher.events),
        lambda: f"the pause to be told; heard {[event['type'] for event in watcher.events]}",
    )
    await wait_media(watcher, VOICE, more=100)
    relay.impair(down=Impairment())
    await wait_media(watcher, HIGH, more=50, timeout=60)
    await wait_until(
        lambda: any(event["type"] == "subscription_resumed" for event in watcher.events),
        lambda: f"its end to be told; heard {[event['type'] for event in watcher.events]}",
    )
