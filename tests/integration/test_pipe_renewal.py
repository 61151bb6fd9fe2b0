"""Two real nodes whose pipe goes silent, because a box on the way does not let its ports through any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sfu.client import EventHandler
from sfu.control import messages as m
from signaling.nodes.link import NodeLink
from signaling.nodes.noting import ID
from signaling.nodes.renewal import Renewal
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.nodes.takeover import take_over
from tests.integration.test_pipe_between_machines import camera, states
from tests.support.node_pair import PIPE, Line, Side, joined, packets
from tests.support.wait import wait_until


class Overheard:
    """The `NodeClient` of one side, which hears its events as well."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.node_id = side.link.node_id

    async def request(self, command: m.Command) -> m.Reply:
        return await self._side.do(command)

    def tell(self, command: m.Command) -> None:
        self._side.link.tell(command)

    def on_event(self, handler: EventHandler) -> None:
        def both(event: m.Event) -> None:
            self._side.handle_event(event)
            handler(event)

        self._side.link.on_event(both)

    def on_lost(self, handler: Callable[[], None]) -> None:
        """It is not."""

    async def close(self) -> None:
        """Whoever started it does."""

    async def abandon(self) -> None:
        """Whoever started it ends it."""


@pytest.mark.parametrize("secure", [True, False])
async def test_media_goes_on_by_other_ports_for_the_same_subscribers(secure: bool) -> None:
    line = Line(0.0)
    async with joined(secure=secure, line=line) as pair:
        sides = (pair.first, pair.second)
        links = [NodeLink(Overheard(side), lambda load: None) for side in sides]
        renewal = Renewal(PIPE, links, secure=secure)
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before")
        line.loss = 1.0
        for side in sides:
            await wait_until(
                lambda side=side: states(side).count("connected") >= 2,  # type: ignore[misc]
                lambda side=side: f"the ends to find each other again, after {states(side)}",  # type: ignore[misc]
            )
        assert "silent" in states(pair.first) + states(pair.second)
        count, passed = packets(client, 1), line.passed
        await wait_until(lambda: packets(client, 1) > count + 50, "media after")
        assert line.passed == passed, "nothing goes by the old ports"
        assert not pair.second.told(m.ConsumerClosed)
        assert len(client.streams_of(1)) == 1
        assert sum(one.pipe.inlet.unidentified for one in sides) == 0
        renewal.close()
        await renewal.wait_closed()


async def test_a_pipe_that_was_silent_before_its_nodes_were_taken_over_is_renewed_too() -> None:
    line = Line(0.0)
    async with joined(secure=False, line=line) as pair:
        sides = (pair.first, pair.second)
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before")
        for side in sides:
            await side.do(m.SetNotes(router_id="r", revision=1, notes={ID: "session"}))
        line.loss = 1.0
        for side in sides:
            await wait_until(
                lambda side=side: states(side)[-1] == "silent",  # type: ignore[misc]
                lambda side=side: f"silence, which nobody listens for, after {states(side)}",  # type: ignore[misc]
            )
        links = [NodeLink(Overheard(side), lambda load: None) for side in sides]
        nodes = NodeSupervisor(NodesConfig())
        await take_over(links, nodes.pipes, nodes, loudest_audio=None)
        count, passed = packets(client, 1), line.passed
        await wait_until(lambda: packets(client, 1) > count + 50, "media after")
        assert line.passed == passed, "nothing goes by the old ports"
        assert not pair.second.told(m.ConsumerClosed)
        await nodes.pipes.close()
