"""Signaling is killed in the middle of a move: the peer is in one place afterwards, where its client is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from sfu.control import messages as node
from signaling.nodes.testing import FakeNode, Fuse
from tests.support.live_world import MEETING, TWO_NODES, LiveWorld, Refused, WsClient, live_world, until

STEPS: tuple[type[node.Message], ...] = (
    node.SetNotes,
    node.CreateTransport,
    node.CreatePipe,
    node.ConnectPipe,
    node.SendProducer,
    node.ReceiveProducer,
    node.Consume,
    node.HandleAnswer,
    node.CloseTransport,
)
"""What a move says to the nodes, at least."""


@dataclass
class Moving:
    """Made by `settled`: the viewer watches a camera of the first node, where it is; others are on both."""

    world: LiveWorld
    viewer: WsClient
    first: FakeNode
    second: FakeNode
    camera: str
    other: str
    told: bool = False
    """The client said that it moved; whether it was answered counts for nothing."""

    def receiving(self, peer_id: str) -> list[tuple[str, str]]:
        """(Node id, transport id) of the connections that the peer receives by."""
        return [
            (fake.node_id, one.id)
            for fake in (self.first, self.second)
            for one in fake.transports.values()
            if (one.label, one.direction) == (peer_id, "subscribe")
        ]

    async def move(self, fuse: Fuse) -> None:
        """As far as the fuse lets it go."""
        for fake in (self.first, self.second):
            fake.fuse = fuse
        self.world.live._running.get(MEETING).media.propose_moves(  # type: ignore[union-attr]
            self.first.node_id, self.second.node_id, 1
        )
        await until(lambda: fuse.blown or bool(self.viewer.heard("subscribe_move")), "the move to begin")
        for offer in self.viewer.heard("subscribe_move")[:1]:
            fields = {key: offer[key] for key in ("move", "version")}
            with contextlib.suppress(Refused):
                await self.viewer.request("subscribe_answer", answer="answer", **fields)
                self.told = True
                await self.viewer.request("subscribe_moved", move=offer["move"])


def by_peer(world: LiveWorld, client: WsClient) -> FakeNode:
    """The node that a peer is on."""
    labels = {one.label: fake for fake in world.nodes.started for one in fake.transports.values()}
    return labels[client.peer_id]


async def settled(world: LiveWorld) -> Moving:
    host, other, viewer = await world.join(), await world.join(), await world.join()
    camera = await host.publish("camera", "video")
    voice = await other.publish("microphone", "audio")
    first, second = by_peer(world, host), by_peer(world, other)
    second.emit(node.NodeLoad(cpu=0.3, routers=1, transports=1, packets_per_second=0.0, counters={}))
    await viewer.subscribe(camera)
    offer = await viewer.hears("subscribe_offer")
    await viewer.request("subscribe_answer", version=offer["version"], answer="answer")
    moving = Moving(world, viewer, first, second, camera, voice)
    assert [where for where, _ in moving.receiving(viewer.peer_id)] == [first.node_id]
    return moving


async def killed_after(commands: float) -> Fuse:
    """Kills signaling once so many commands of a move arrived, and looks what the next one makes of it."""
    fuse = Fuse(commands)
    async with live_world(nodes=TWO_NODES) as world:
        moving = await settled(world)
        await moving.move(fuse)
        heard = {one for fake in (moving.first, moving.second) for one in map(type, fake.commands)}
        assert fuse.blown or heard.issuperset(STEPS)
        before = moving.viewer.heard("subscribe_move")
        await world.die()
        for fake in (moving.first, moving.second):
            fake.fuse = None
        async with live_world(nodes=TWO_NODES, after=world) as second:
            await check(second, moving, [one["move"] for one in before])
    return fuse


async def check(world: LiveWorld, moving: Moving, numbers: list[int]) -> None:
    """The client asks whether it moved, where it had said so, and is where it believes to be."""
    viewer = await world.resume(moving.viewer, snapshot=True)
    snapshot: dict[str, Any] = viewer.joined["snapshot"]
    assert (snapshot["subscribes"], snapshot["subscriptions"]) == (True, [moving.camera])
    there = moving.first
    if moving.told:
        with contextlib.suppress(Refused):
            await viewer.request("subscribe_moved", move=numbers[0])
            there = moving.second
    ((place, transport_id),) = moving.receiving(viewer.peer_id)
    assert place == there.node_id, "the client is elsewhere"
    (consumer,) = [one for one in there.consumers.values() if one.transport_id == transport_id]
    assert consumer.producer_id in there.producers
    elsewhere = moving.second if there is moving.first else moving.first
    assert not elsewhere.consumers
    await until(lambda: _carried(moving) == (there is moving.second), "what nobody wants leaves the pipe")
    assert all(one["ok"] for one in await viewer.subscribe(moving.other))
    if there is moving.first:
        await moves_now(world, moving, viewer, numbers)


async def moves_now(world: LiveWorld, moving: Moving, viewer: WsClient, numbers: list[int]) -> None:
    """What was not done is done when it is asked for again, under another number."""
    await until(lambda: len(moving.first.consumers) == 2, "both are received")
    world.live._running.get(MEETING).media.propose_moves(  # type: ignore[union-attr]
        moving.first.node_id, moving.second.node_id, 1
    )
    offer = await viewer.hears("subscribe_move")
    assert offer["move"] not in numbers
    await viewer.request("subscribe_moved", move=offer["move"])
    assert [where for where, _ in moving.receiving(viewer.peer_id)] == [moving.second.node_id]


def _carried(moving: Moving) -> bool:
    """Whether the camera is brought to the second node."""
    return any(one.spec.source == "camera" for one in moving.second.producers.values())


async def test_wherever_signaling_is_killed_in_a_move_the_peer_is_in_one_place_afterwards() -> None:
    whole = await killed_after(float("inf"))
    assert whole.burnt >= len(STEPS)
    for commands in range(whole.burnt):
        await killed_after(commands)
