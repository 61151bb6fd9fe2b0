"""A pipe of which an end says that it hears nothing: which commands the two nodes get, and until when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from sfu.config import NodeConfig
from sfu.control import messages as node
from signaling.nodes.link import NodeLink
from signaling.nodes.renewal import Renewal, connect
from signaling.nodes.testing import FakeNode, FakeNodes
from tests.signaling.nodes.spread_world import World, world
from tests.support.live_world import until

__all__ = ["world"]

PIPE = "pipe_1"
ATTEMPTS = 3
State = Literal["connected", "silent"]


class Ends:
    """Two nodes with a pipe between them, which is sound."""

    def __init__(self, nodes: list[FakeNode], renewal: Renewal) -> None:
        self.nodes = nodes
        self.renewal = renewal

    def say(self, state: State, *, ends: tuple[int, ...] = (0, 1)) -> None:
        for index in ends:
            self.nodes[index].emit(node.PipeStateChanged(pipe_id=PIPE, state=state))

    @property
    def renewed(self) -> list[int]:
        """How often each end was."""
        return [
            sum(command.renew for command in one.heard(node.CreatePipe))  # type: ignore[union-attr]
            for one in self.nodes
        ]

    @property
    def connected(self) -> list[int]:
        return [len(one.heard(node.ConnectPipe)) for one in self.nodes]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    fakes = FakeNodes()
    nodes = [await fakes.launch(NodeConfig(f"nd_{name}", udp_port=0)) for name in "ab"]
    links = [NodeLink(one, lambda load: None) for one in nodes]
    renewal = Renewal(PIPE, links, secure=False, pauses=(0.0,) * ATTEMPTS, heard_within=0.05)
    await connect(PIPE, links, secure=False)
    made = Ends(fakes.started, renewal)
    made.say("connected")
    yield made
    renewal.close()
    await renewal.wait_closed()
    assert [link.registered for link in links] == [0, 0]


async def test_both_ends_of_a_silent_pipe_are_renewed_and_connected_once(ends: Ends) -> None:
    ends.say("silent")
    await until(lambda: ends.connected == [2, 2], "both to be connected anew")
    ends.say("connected")
    await ends.renewal.wait_closed()
    assert (ends.renewed, ends.connected) == ([1, 1], [2, 2])


async def test_one_end_that_hears_nothing_is_enough(ends: Ends) -> None:
    ends.say("silent", ends=(1,))
    await until(lambda: ends.connected == [2, 2], "both to be connected anew")


async def test_an_end_that_is_found_silent_is_renewed_unless_it_said_since_that_it_hears(ends: Ends) -> None:
    ends.renewal.handle_found_silent("nd_a")
    await ends.renewal.wait_closed()
    assert ends.renewed == [0, 0]
    links = [NodeLink(one, lambda load: None) for one in ends.nodes]
    taken = Renewal(PIPE, links, secure=False, pauses=(0.0,), heard_within=0.05)
    taken.handle_found_silent("nd_b")
    await until(lambda: ends.connected == [2, 2], "both to be connected anew")
    taken.close()
    await taken.wait_closed()


async def test_it_is_given_up_after_some_attempts_and_begun_anew_once_it_was_sound_again(ends: Ends) -> None:
    ends.say("silent")
    await until(lambda: ends.renewed == [ATTEMPTS, ATTEMPTS], "all attempts")
    await ends.renewal.wait_closed()
    ends.say("silent")
    await ends.renewal.wait_closed()
    assert ends.renewed == [ATTEMPTS, ATTEMPTS]
    ends.say("connected")
    ends.say("silent")
    await until(lambda: ends.renewed == [ATTEMPTS + 1, ATTEMPTS + 1], "another attempt")


async def test_a_node_that_refuses_costs_an_attempt(ends: Ends) -> None:
    ends.nodes[1].refuses.add(node.CreatePipe)
    ends.say("silent")
    await until(lambda: ends.renewed == [ATTEMPTS, ATTEMPTS], "all attempts")
    assert ends.connected == [1, 1]


async def test_what_a_pipe_carries_stays_in_it(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    await world.subscribe("b", "pub_a")
    far = world.node_of("b")
    (pipe_id,) = far.pipes
    await until(lambda: world.told, "the offer")
    told = list(world.told)
    far.emit(node.PipeStateChanged(pipe_id=pipe_id, state="silent"))
    await until(lambda: len(far.heard(node.ConnectPipe)) == 2, "it to be connected anew")
    assert list(far.pipes) == [pipe_id]
    assert world.told == told
    assert not far.heard(node.ClosePipe)
