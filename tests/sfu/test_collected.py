"""What was closed is let go: a node refers to nothing of those who left, so their memory is free again."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

from sfu.clock import monotonic
from sfu.control import messages as m
from tests.sfu.client_sdp import answer
from tests.sfu.forwarding.world import feed, vp8
from tests.sfu.node_world import CAMERA_SPEC, MIC_SPEC, World, world
from tests.sfu.test_node import Client

__all__ = ["world"]

NOW = 1000.0
CACHED = "sfu.rtp.parameters."
"""Parts of descriptions, some of which caches of a given size keep."""


async def _objects(world: World) -> Counter[str]:
    """How many of each class of a node there are that the collector cannot take.

    What it told, the test keeps. Its timer rests meanwhile, or a report of its load might be on the way.
    """
    node = world.link.node
    assert node._timer is not None
    node._timer.cancel()
    await asyncio.sleep(0)
    while node._slices.busy:
        await asyncio.sleep(0)
    await asyncio.sleep(0)  # what was told last is handed over
    node._schedule_tick(monotonic())
    world.events.clear()
    gc.collect()
    kinds = [type(one) for one in gc.get_objects()]
    names = (f"{kind.__module__}.{kind.__name__}" for kind in kinds)
    return Counter(name for name in names if name.startswith("sfu.") and not name.startswith(CACHED))


async def _come_and_go(world: World) -> Counter[str]:
    """One publishes, another receives it, both leave; what there was while they were there."""
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    specs = [m.ConsumerSpec(consumer_id=f"c_{one}", producer_id=f"pr_{one}") for one in ("mic", "cam")]
    offer = await world.subscribe(*specs)
    await world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer(offer.sdp)))
    Client(world).send(501, mid="1", rid="m")
    feed(world.link.node.producers["pr_cam"].encodings[0], (1, 0, vp8(key=True, start=True)), now=NOW)
    there = await _objects(world)
    for transport in ("ts", "tp"):
        await world.do(m.CloseTransport(transport_id=transport))
    return there


async def test_nothing_is_kept_of_those_who_came_and_went(world: World) -> None:
    await _come_and_go(world)
    once = await _objects(world)
    there = await _come_and_go(world)
    await _come_and_go(world)
    for kind in ("publish_transport.PublishTransport", "subscribe_transport.SubscribeTransport"):
        assert there[f"sfu.{kind}"]
    assert await _objects(world) - once == Counter()
