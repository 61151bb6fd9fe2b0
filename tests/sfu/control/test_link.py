"""A worker process on its link: it serves, it refuses, it dies, and signaling hears of each."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from sfu.client import NodeCommandError, NodeConfig, NodeLostError, spawn_worker
from sfu.control import messages as m
from sfu.control.link import SocketLink
from tests.support.wait import PATIENCE


def config() -> NodeConfig:
    return NodeConfig("nd_worker", hosts=("127.0.0.1",), udp_port=0, announce=("127.0.0.1",))


async def worker() -> SocketLink:
    link = await spawn_worker(config())
    assert isinstance(link, SocketLink)
    return link


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_worker_answers_commands_in_order_and_ends_when_closed() -> None:
    link = await worker()
    events: list[m.Event] = []
    link.on_event(events.append)
    replies = await asyncio.gather(
        link.request(m.CreateRouter(router_id="r")),
        link.request(m.CreateTransport(router_id="r", transport_id="t", direction="publish")),
        link.request(m.GetStats(router_id="r")),
    )
    assert isinstance(replies[2], m.Stats)
    assert replies[2].counters["transports"] == 1
    with pytest.raises(NodeCommandError) as failure:
        await link.request(m.PauseProducer(producer_id="x"))
    assert failure.value.code == "producer_not_found"
    await link.close()
    assert link.process.returncode == 0
    assert [event.state for event in events if isinstance(event, m.TransportStateChanged)] == ["closed"]
    with pytest.raises(NodeLostError):
        await link.request(m.Ping())


async def test_a_taken_port_is_told_in_words() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(NodeLostError, match=f"port {port} on 127.0.0.1: Address already in use"):
            await spawn_worker(NodeConfig("nd_late", hosts=("127.0.0.1",), udp_port=port))


async def test_a_killed_worker_is_noticed_and_requests_under_way_fail() -> None:
    link = await worker()
    lost = asyncio.Event()
    link.on_lost(lost.set)
    os.kill(link.process.pid, signal.SIGSTOP)
    request = asyncio.create_task(link.request(m.Ping()))
    await asyncio.sleep(0)
    os.kill(link.process.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE):
        await lost.wait()
        with pytest.raises(NodeLostError):
            await request
    await link.close()
    assert link.process.returncode == -signal.SIGKILL


async def test_a_worker_ends_when_signaling_is_gone() -> None:
    link = await worker()
    link._writer.transport.abort()
    async with asyncio.timeout(PATIENCE):
        assert await link.process.wait() == 0
    await link.close()


async def test_a_worker_ends_on_sigterm_and_stays_on_sigint() -> None:
    link = await worker()
    link.process.send_signal(signal.SIGINT)
    await link.request(m.Ping())
    link.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        assert await link.process.wait() == 0
    await link.close()
    assert gone(link.process.pid)
