"""The supervisor with real worker processes: what `rostrum serve --workers N` stands on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator

import pytest

from sfu.client import NodeLostError
from sfu.control.link import SocketLink
from sfu.control.messages import Command, Ping
from signaling.nodes.supervisor import NodesConfig, NodeSupervisor
from signaling.services.live.ports import MediaEvent, NodeLost
from tests.support.wait import PATIENCE


def config(workers: int, udp_port: int = 0) -> NodesConfig:
    return NodesConfig(
        workers=workers, hosts=("127.0.0.1",), udp_port=udp_port, announce=("127.0.0.1",), first_pause=0.05
    )


@pytest.fixture
async def nodes() -> AsyncIterator[NodeSupervisor]:
    supervisor = NodeSupervisor(config(workers=2))
    await supervisor.start()
    yield supervisor
    await supervisor.close()


def worker_of(nodes: NodeSupervisor, node_id: str) -> SocketLink:
    (client,) = [slot.client for slot in nodes._slots if slot.node_id == node_id]
    assert isinstance(client, SocketLink)
    return client


async def serves(nodes: NodeSupervisor, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while nodes.healthy() != count:
            await asyncio.sleep(0.02)


async def test_a_killed_worker_is_replaced_and_its_session_can_be_placed_again(
    nodes: NodeSupervisor,
) -> None:
    lost, told = asyncio.Event(), list[MediaEvent]()

    def listen(event: MediaEvent) -> None:
        told.append(event)
        lost.set()

    media = await nodes.place("session", listen)
    await media.subscribe("peer", [])
    doomed = media.node_id
    other = next(status.node_id for status in nodes.workers() if status.node_id != doomed)
    process = worker_of(nodes, doomed).process
    os.kill(process.pid, signal.SIGKILL)

    async with asyncio.timeout(PATIENCE):
        await lost.wait()
    assert told == [NodeLost(("peer",))]
    await serves(nodes, 2)
    assert other in {status.node_id for status in nodes.workers()}
    await media.recover(["peer"])
    assert media.node_id != doomed
    await media.subscribe("peer", [])
    await media.close()


@pytest.mark.slow
async def test_a_worker_that_hangs_is_ended_and_replaced() -> None:
    settings = NodesConfig(
        workers=1,
        hosts=("127.0.0.1",),
        udp_port=0,
        announce=("127.0.0.1",),
        first_pause=0.05,
        silent_after=1.5,
        watch_every=0.1,
    )
    nodes = NodeSupervisor(settings)
    await nodes.start()
    try:
        (before,) = [status.node_id for status in nodes.workers()]
        os.kill(worker_of(nodes, before).process.pid, signal.SIGSTOP)
        async with asyncio.timeout(40):
            while nodes.workers()[0].node_id in (before, "") or nodes.healthy() != 1:
                await asyncio.sleep(0.05)
    finally:
        await nodes.close()


async def test_every_worker_answers_and_ends_with_the_supervisor(nodes: NodeSupervisor) -> None:
    links = [worker_of(nodes, status.node_id) for status in nodes.workers()]
    ping: Command = Ping()
    for link in links:
        await link.request(ping)
    await nodes.close()
    assert all(link.process.returncode is not None for link in links)


async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        nodes = NodeSupervisor(config(workers=1, udp_port=taken.getsockname()[1]))
        with pytest.raises((NodeLostError, OSError)):
            await nodes.start()
        assert nodes.healthy() == 0
