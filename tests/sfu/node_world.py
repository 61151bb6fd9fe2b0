"""A node in the loop of the test, with one router: what tests of its commands and events begin with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from sfu.config import NodeConfig
from sfu.control import messages as m
from sfu.control.in_process import InProcessLink
from tests.sfu.client_sdp import chromium_offer
from tests.support.wait import PATIENCE

E = TypeVar("E")
CAMERA = m.Grant(source="camera", kind="video")
MICROPHONE = m.Grant(source="microphone", kind="audio")
BOTH = (CAMERA, MICROPHONE)
MIC_SPEC = m.ProducerSpec(producer_id="pr_mic", mid="0", source="microphone", kind="audio")
CAMERA_SPEC = m.ProducerSpec(producer_id="pr_cam", mid="1", source="camera", kind="video")


class World:
    """A node in this loop with one router, and every event it emitted."""

    def __init__(self, link: InProcessLink) -> None:
        self.link = link
        self.events: list[m.Event] = []
        link.on_event(self.events.append)

    async def do(self, command: m.Command) -> m.Reply:
        return await self.link.request(command)

    async def event(self, kind: type[E], when: Callable[[E], bool] = lambda _: True) -> E:
        """The first such event, taken out; waits until the node has emitted it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for position, event in enumerate(self.events):
                    if isinstance(event, kind) and when(event):
                        del self.events[position]
                        return event
                await asyncio.sleep(0)

    async def publish(
        self, *specs: m.ProducerSpec, grants: tuple[m.Grant, ...] = (CAMERA, MICROPHONE)
    ) -> str:
        await self.do(m.CreateTransport(router_id="r", transport_id="tp", direction="publish", grants=grants))
        reply = await self.do(m.HandleOffer(transport_id="tp", sdp=chromium_offer(), producers=specs))
        assert isinstance(reply, m.Answered)
        return reply.sdp

    async def subscribe(self, *specs: m.ConsumerSpec) -> m.OfferReady:
        await self.do(m.CreateTransport(router_id="r", transport_id="ts", direction="subscribe"))
        await self.do(m.Consume(transport_id="ts", consumers=specs))
        return await self.event(m.OfferReady)


@asynccontextmanager
async def node_world(*publishes: m.ProducerSpec) -> AsyncIterator[World]:
    """With the router `r`, and what transport `tp` publishes."""
    link = await InProcessLink.start(NodeConfig("nd_test", hosts=("127.0.0.1",), udp_port=0))
    world = World(link)
    try:
        await world.do(m.CreateRouter(router_id="r"))
        if publishes:
            await world.publish(*publishes)
        yield world
    finally:
        await link.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with node_world() as made:
        yield made
