"""A worker process whose link ends goes on with what it carries, and the next one takes it over."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sfu.client import NodeConfig, find_survivors, spawn_worker
from sfu.control import door
from sfu.control import messages as m
from sfu.control import survivor as survivor_module
from sfu.control.link import SocketLink
from sfu.control.survivor import Survivor
from tests.support.wait import PATIENCE


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    door.prepare_folder(tmp_path / "workers")
    return NodeConfig(
        "nd_worker",
        hosts=("127.0.0.1",),
        udp_port=0,
        announce=("127.0.0.1",),
        survive=60.0,
        door=str(tmp_path / "workers"),
    )


@pytest.fixture
async def link(config: NodeConfig) -> AsyncIterator[SocketLink]:
    """A worker with a session, and its first link."""
    link = await spawn_worker(config)
    assert isinstance(link, SocketLink)
    await link.request(m.CreateRouter(router_id="r"))
    create = m.CreateTransport(router_id="r", transport_id="t", direction="subscribe", label="peer")
    await link.request(create)
    yield link
    await link.abandon()


async def found(config: NodeConfig) -> Survivor:
    (survivor,) = await find_survivors(Path(config.door or ""))
    return survivor


async def ended(link: SocketLink) -> int:
    async with asyncio.timeout(PATIENCE):
        return await link.process.wait()


async def test_the_next_process_takes_over_with_objects_and_notes(
    link: SocketLink, config: NodeConfig
) -> None:
    await link.request(m.SetNotes(router_id="r", revision=3, notes={"a": "1", "b": "2"}))
    await link.request(m.SetNotes(router_id="r", revision=4, notes={"a": None, "c": "3"}))
    await link.leave()

    survivor = await found(config)
    assert survivor.process.pid == link.process.pid
    assert survivor.fits(replace(config, node_id="nd_other"))
    taken = await survivor.take()
    assert taken.node_id == "nd_worker"
    holdings = await taken.request(m.GetHoldings())
    assert isinstance(holdings, m.Holdings)
    assert holdings.router_ids == ("r",)
    held = await taken.request(m.GetRouter(router_id="r"))
    assert isinstance(held, m.RouterHeld)
    assert (held.revision, held.notes) == (4, {"b": "2", "c": "3"})
    assert [(one.transport_id, one.label) for one in held.transports] == [("t", "peer")]
    await taken.close()
    assert await ended(link) == 0
    assert not door.doors_in(Path(config.door or "")), "a worker that ends in order closes its door"


async def test_events_go_to_the_process_that_has_the_worker(link: SocketLink, config: NodeConfig) -> None:
    await link.leave()
    taken = await (await found(config)).take()
    closed = asyncio.Event()

    def listen(event: m.Event) -> None:
        if isinstance(event, m.TransportStateChanged) and event.state == "closed":
            closed.set()

    taken.on_event(listen)
    await taken.request(m.CloseTransport(transport_id="t"))
    async with asyncio.timeout(PATIENCE):
        await closed.wait()
    await taken.close()


async def test_looking_alone_changes_nothing(link: SocketLink, config: NodeConfig) -> None:
    survivor = await found(config)
    await link.request(m.Ping())
    survivor.release()
    await link.request(m.Ping())


async def test_a_worker_that_nobody_takes_over_ends_after_its_grace_period(config: NodeConfig) -> None:
    link = await spawn_worker(replace(config, survive=0.2))
    assert isinstance(link, SocketLink)
    await link.request(m.CreateRouter(router_id="r"))
    await link.leave()
    assert await ended(link) == 0


async def test_a_worker_without_sessions_ends_with_its_link(config: NodeConfig) -> None:
    link = await spawn_worker(config)
    assert isinstance(link, SocketLink)
    await link.leave()
    assert await ended(link) == 0


async def test_a_start_that_is_given_up_leaves_no_process(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stops while one of its workers is being started."""
    started: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def remember(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        started.append(await create(*arguments, **options))  # type: ignore[arg-type]
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)
    starting = asyncio.create_task(spawn_worker(config))
    async with asyncio.timeout(PATIENCE):
        while not started:
            await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with asyncio.timeout(PATIENCE):
        assert await started[0].wait() == -signal.SIGKILL


async def test_a_worker_of_another_version_is_not_taken_but_can_be_ended(
    link: SocketLink, config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link.leave()
    monkeypatch.setattr(survivor_module, "protocol_version", lambda: "another")
    survivor = await found(config)
    assert not survivor.fits(config)
    await survivor.end()
    assert await ended(link) == 0


async def test_a_worker_with_other_settings_does_not_fit(link: SocketLink, config: NodeConfig) -> None:
    await link.leave()
    survivor = await found(config)
    assert not survivor.fits(replace(config, announce=("203.0.113.7",)))
    survivor.release()


async def test_a_worker_that_hangs_is_found_and_killed(
    link: SocketLink, config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survivor_module, "WELCOME_TIMEOUT", 0.1)
    monkeypatch.setattr(survivor_module, "END_TIMEOUT", 0.1)
    await link.leave()
    os.kill(link.process.pid, signal.SIGSTOP)
    survivor = await found(config)
    assert survivor.config is None
    await survivor.end()
    assert await ended(link) == -signal.SIGKILL
