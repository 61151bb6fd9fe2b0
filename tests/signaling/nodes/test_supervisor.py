from __future__ import annotations

import math

import pytest

from sfu.client import CoreUse
from sfu.control import messages as node
from signaling.errors import MediaUnavailableError
from signaling.nodes import silence
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.nodes.testing import FakeNodes
from signaling.services.live.ports import MediaEvent, NodeLost
from tests.support.live_world import until


def supervisor(
    fakes: FakeNodes, *, workers: int = 2, udp_port: int = 40000, place_within: float = 2.0
) -> NodeSupervisor:
    config = NodesConfig(
        workers=workers, udp_port=udp_port, first_pause=0.005, longest_pause=0.01, place_within=place_within
    )
    return NodeSupervisor(config, launch=fakes.launch)


def load(cpu: float, **counters: float) -> node.NodeLoad:
    return node.NodeLoad(cpu=cpu, packets_per_second=1.0, routers=1, transports=2, counters=counters)


def ignore(_event: MediaEvent) -> None:
    pass


async def test_each_worker_has_a_port_of_its_own_and_a_node_id() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes, workers=3)
    await nodes.start()

    assert [one.config.udp_port for one in fakes.started] == [40000, 40001, 40002]
    assert len({one.node_id for one in fakes.started}) == 3
    assert nodes.healthy() == 3
    await nodes.close()
    assert all(one.closed for one in fakes.started)


async def test_zero_workers_is_one_node() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes, workers=0)
    await nodes.start()
    assert len(fakes.started) == 1
    await nodes.close()


async def test_one_worker_that_does_not_start_is_an_error_and_closes_the_others() -> None:
    fakes = FakeNodes()
    fakes.failures = [OSError("port 40000 is taken")]
    nodes = supervisor(fakes)
    with pytest.raises(OSError, match="taken"):
        await nodes.start()
    assert all(one.closed for one in fakes.started)


async def test_a_worker_that_died_is_started_again_on_the_same_port_under_another_id() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes)
    await nodes.start()
    dead = fakes.started[1]
    fakes.failures = [OSError("port still taken")] * 3
    dead.die()
    await until(lambda: nodes.healthy() == 1, "the loss to be noticed")
    await until(lambda: nodes.healthy() == 2, "the worker to be back")

    assert fakes.latest.config.udp_port == dead.config.udp_port
    assert fakes.latest.node_id != dead.node_id
    assert [status.restarts for status in nodes.workers()] == [0, 1]
    await nodes.close()


async def test_sessions_of_a_lost_node_are_told_and_those_of_others_are_not() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes)
    await nodes.start()
    heard: dict[str, list[MediaEvent]] = {"a": [], "b": []}
    a = await nodes.place("a", heard["a"].append)
    b = await nodes.place("b", heard["b"].append)
    assert a.node_id != b.node_id
    await a.handle_offer("peer_a", "offer", [], [], [])
    await b.handle_offer("peer_b", "offer", [], [], [])

    next(one for one in fakes.started if one.node_id == a.node_id).die()
    await until(lambda: bool(heard["a"]), "the news")
    assert heard == {"a": [NodeLost(("peer_a",))], "b": []}
    with pytest.raises(MediaUnavailableError):
        await a.handle_offer("peer_a", "offer", [], [], [])
    await a.recover(["peer_a"])
    await a.handle_offer("peer_a", "offer", [], [], [])
    await a.close()  # what went with its node has ended
    await nodes.close()


async def test_a_placement_waits_for_a_node_to_come_up() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes, workers=1)
    await nodes.start()
    first = fakes.latest
    first.die()
    media = await nodes.place("session", ignore)

    assert media.node_id != first.node_id
    assert len(fakes.latest.routers) == 1
    await nodes.close()


async def test_a_placement_gives_up_when_none_does() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes, workers=1, place_within=0.05)
    await nodes.start()
    fakes.failures = [OSError("no")] * 1000
    fakes.latest.die()
    with pytest.raises(MediaUnavailableError):
        await nodes.place("session", ignore)
    await nodes.close()


async def test_reports_are_shown_by_worker_and_decide_on_placement() -> None:
    fakes = FakeNodes()
    nodes = supervisor(fakes)
    await nodes.start()
    busy, idle = fakes.started
    busy.emit(load(0.9, forwarded=10))
    idle.emit(load(0.1, forwarded=20))

    assert [status.cpu for status in nodes.workers()] == [0.9, 0.1]
    assert nodes.counters() == {busy.node_id: {"forwarded": 10}, idle.node_id: {"forwarded": 20}}
    assert (await nodes.place("session", ignore)).node_id == idle.node_id
    await nodes.close()


async def test_a_worker_that_answers_nothing_any_more_is_replaced() -> None:
    fakes = FakeNodes()
    config = NodesConfig(workers=1, udp_port=0, silent_after=0.2, watch_every=0.05, first_pause=0.001)
    nodes = NodeSupervisor(config, launch=fakes.launch)
    await nodes.start()
    silent = fakes.latest
    await until(lambda: len(silent.heard(node.Ping)) >= 8, "several pings, answered")
    assert fakes.latest is silent, "a worker that answers stays, whether it reports or not"
    silent.hung = True
    await until(lambda: fakes.latest is not silent, "another worker")
    assert silent.closed
    await nodes.close()


async def test_one_that_has_no_core_to_answer_on_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "MOST_PATIENCE", math.inf)
    fakes = FakeNodes()
    config = NodesConfig(workers=2, udp_port=0, silent_after=0.2, watch_every=0.05, first_pause=0.001)
    nodes = NodeSupervisor(config, launch=fakes.launch)
    await nodes.start()
    starved, silent = fakes.started
    starved.hung = silent.hung = True
    starved.use = CoreUse(0.0, ready=True)
    await until(lambda: len(fakes.started) == 3, "another worker")
    assert (starved.closed, silent.closed) == (False, True)
    starved.use = CoreUse(0.0, ready=False)
    await until(lambda: len(fakes.started) == 4, "one in the place of that which hangs by now")
    assert starved.closed
    await nodes.close()
