"""What is told of all consumers together."""

from __future__ import annotations

from sfu.totals import layers_received
from tests.sfu.test_downlink import World


def received(world: World) -> list[int]:
    return layers_received(world.consumers.values())


def test_subscriptions_count_by_the_spatial_layer_that_is_on_the_wire() -> None:
    world = World()
    world.controller.estimate = 20e6
    world.add("all")
    few = world.add("few")
    world.add("voice", encodings=1, source="microphone")
    assert not any(received(world)), "nothing was sent yet"
    world.run(3.0)
    assert received(world)[:4] == [0, 0, 2, 0], "voices have no layers"
    world.controller.estimate = 450e3
    world.run(10.0)
    assert received(world)[:4] == [2, 0, 0, 0]
    few.pause()
    assert received(world)[:4] == [1, 0, 0, 0]
    world.consumers["all"].producer.pause()
    assert not any(received(world))
