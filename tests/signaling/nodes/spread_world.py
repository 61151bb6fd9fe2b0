"""A session on two nodes made by hand, with its fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sfu.control import messages as node
from signaling.domain.publication import Grant, Publication, Subscription
from signaling.nodes.spread import SpreadMedia
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.nodes.testing import FakeNode, FakeNodes
from signaling.services.live.ports import MediaEvent

CAMERA = Grant("camera", "video")


def camera(peer_id: str) -> Publication:
    return Publication(f"pub_{peer_id}", peer_id, "0", "camera", "video")


class World:
    """Two nodes; the first peer is on the one, the second on the other, and so on in turn."""

    def __init__(self, fakes: FakeNodes, supervisor: NodeSupervisor) -> None:
        self.fakes = fakes
        self.supervisor = supervisor
        self.told: list[MediaEvent] = []
        self.media: SpreadMedia

    async def publish(self, peer_id: str) -> str:
        one = camera(peer_id)
        await self.media.handle_offer(peer_id, "offer", [CAMERA], [], [one])
        return one.id

    async def subscribe(self, peer_id: str, *publication_ids: str) -> dict[str, str]:
        wanted = [Subscription(peer_id, one) for one in publication_ids]
        return dict(await self.media.subscribe(peer_id, wanted))

    def node_of(self, peer_id: str) -> FakeNode:
        (found,) = [
            one
            for one in self.fakes.started
            if any(command.label == peer_id for command in one.heard(node.CreateTransport))  # type: ignore[union-attr]
            and not one.closed
        ]
        return found


@pytest.fixture
async def world() -> AsyncIterator[World]:
    fakes = FakeNodes()
    config = NodesConfig(workers=2, udp_port=0, first_pause=0.005, spread_above=0.0, place_within=2.0)
    supervisor = NodeSupervisor(config, launch=fakes.launch)
    await supervisor.start()
    made = World(fakes, supervisor)
    made.media = await supervisor.place("session", made.told.append)
    yield made
    await made.media.close()
    assert all(not one.routers for one in fakes.started if not one.closed), "no router is left behind"
    await supervisor.close()
