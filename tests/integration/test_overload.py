"""A server with more to do than it can, and one that somebody floods: voices go on whatever comes."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sfu.bot import AudioSpec, BotError, VideoSpec
from sfu.control.in_process import InProcessLink
from sfu.node import Node
from sfu.pressure import Level, Limits
from signaling.app import Server as ServerHere
from signaling.config import Settings
from tests.support.server import Server, media_workers, running_server
from tests.support.wait import PATIENCE, wait_until
from tests.support.world import World, assert_late, packets_of, stream_of, track_of, wait_media

VOICE, FACE, BOARD, SILENT = 1, 2, 3, 4
FLOOD = 20_000


class Here:
    """A whole server in this loop, whose node's limits the test sets."""

    def __init__(self, server: ServerHere, data_dir: Path) -> None:
        self.base_url = server.base_url
        self.data_dir = data_dir
        (link,) = server.nodes.clients
        assert isinstance(link, InProcessLink)
        self.node: Node = link.node

    @property
    def as_server(self) -> Server:
        return Server(None, self.base_url, self.data_dir, (), self.data_dir / "none")  # type: ignore[arg-type]

    def press(self) -> None:
        """Whatever it does from now on is too much."""
        self.node.pressure.limits = Limits(busy=-1.0)

    def ease(self) -> None:
        self.node.pressure.limits = Limits(busy=1e9)

    def hold(self) -> None:
        """It is neither too much nor little enough for another level: every comparison with it is false."""
        self.node.pressure.limits = Limits(busy=math.nan)

    async def reach(self, level: Level) -> None:
        pressure = self.node.pressure
        await wait_until(
            lambda: pressure.level is level, lambda: f"{level.name}, is at {pressure.level.name}"
        )


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    settings = Settings(
        host="127.0.0.1",
        port=0,
        udp_port=0,
        announce=("127.0.0.1",),
        data_dir=tmp_path,
        workers=0,
        shed_above=2,
    )
    async with ServerHere(settings) as server:
        yield Here(server, tmp_path)


async def until_paused(bot: Any, when: Callable[[dict[str, str]], bool], what: str) -> None:
    await wait_until(lambda: when(bot.paused), lambda: f"{what}; paused are {bot.paused}")


async def test_under_pressure_the_unseen_goes_first_voices_stay_whole_and_newcomers_are_refused(
    here: Here,
) -> None:
    async with World.on(here.as_server) as world:
        publisher = await world.publisher(
            AudioSpec(VOICE),
            VideoSpec((FACE,), packets_per_second=50.0, payload_size=300),
            VideoSpec((BOARD,), source="whiteboard", packets_per_second=50.0, payload_size=300),
        )
        silent = await world.publisher(VideoSpec((SILENT,), packets_per_second=50.0, payload_size=300))
        watcher = await world.subscriber()
        for stream in (VOICE, FACE, BOARD, SILENT):
            await wait_media(watcher, stream)
        face, unseen = track_of(publisher).publication_id, track_of(publisher, "whiteboard").publication_id
        other = track_of(silent).publication_id
        shown = [{"publication_id": one, "width": 640, "height": 360} for one in (face, other)]
        await watcher.signalling.request("set_tiles", tiles=shown)

        here.press()
        await here.reach(Level.UNSEEN)
        here.hold()
        await until_paused(watcher, lambda now: now == {unseen: "overload"}, "only the unseen video")
        await wait_media(watcher, FACE)

        with pytest.raises(BotError, match="Overloaded"):
            await world.join()

        here.press()
        await here.reach(Level.ESSENTIAL)
        both = {other: "overload", unseen: "overload"}
        await until_paused(watcher, lambda now: now == both, "every video but the speaker's")
        await wait_media(watcher, FACE)
        await wait_media(watcher, VOICE, more=100)
        tally = stream_of(watcher, VOICE).tally
        assert not tally.missing, "a voice has no gap, whatever the pressure"

        here.ease()
        await here.reach(Level.CALM)
        await until_paused(watcher, lambda now: not now, "everything is back")
        await wait_media(watcher, FACE)
        await wait_media(watcher, BOARD)
        await wait_media(watcher, VOICE)
        assert not tally.missing
        late = await world.subscriber()
        await wait_media(late, VOICE)


@pytest.mark.asvs("17.2.5")
async def test_a_flood_of_a_valid_peer_is_dropped_and_the_others_get_everything(
    world: World, server: Server
) -> None:
    publisher = await world.publisher(
        AudioSpec(VOICE), VideoSpec((FACE,), packets_per_second=50.0, payload_size=300)
    )
    watcher = await world.subscriber()
    await wait_media(watcher, VOICE)
    await wait_media(watcher, FACE)
    flooder = await world.publisher(VideoSpec((9,), packets_per_second=50.0, payload_size=100))
    await wait_media(watcher, 9)
    earlier = await server.metrics()

    for phase in ("calm", "flood"):
        for stream in (VOICE, FACE):
            stream_of(watcher, stream).tally.begin_window()
        before = packets_of(watcher, VOICE)
        if phase == "flood":
            await flood(flooder)
        await wait_until(
            lambda before=before: packets_of(watcher, VOICE) >= before + 100,  # type: ignore[misc]
            "two seconds of voice",
        )
        for name, stream in (("voice", VOICE), ("face", FACE)):
            tally = stream_of(watcher, stream).tally
            share = len(tally.missing) / (tally.packets + len(tally.missing))
            assert share <= 0.01, f"{phase}: {share:.1%} of {name} lost"

    async with asyncio.timeout(PATIENCE):  # workers report every two seconds
        while not counted_since(earlier, await server.metrics(), "packets_over_limit_total"):
            await asyncio.sleep(0.1)
    passed = counted_since(earlier, await server.metrics(), "forwarding_delay_seconds_count")
    assert passed > 100, "how long the packets took is counted"
    assert publisher.problems == []


async def test_a_worker_that_stood_still_drops_what_waited_and_goes_on_with_what_comes(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path, workers=1) as server, World.on(server) as world:
        publisher = await world.publisher(
            AudioSpec(VOICE), VideoSpec((FACE,), packets_per_second=50.0, payload_size=300)
        )
        watcher = await world.subscriber()
        await wait_media(watcher, VOICE)
        await wait_media(watcher, FACE)
        spoken = track_of(publisher, "microphone").encodings[0]
        (worker,) = media_workers(server)
        os.kill(worker, signal.SIGSTOP)
        try:
            goal = spoken.packets_sent + 75
            await wait_until(lambda: spoken.packets_sent >= goal, "a second and a half of voice")
        finally:
            os.kill(worker, signal.SIGCONT)
        await wait_media(watcher, VOICE)
        await wait_media(watcher, FACE)
        await assert_late(server, world.late_before, 50)  # most of a second and a half, of both


def counted_since(earlier: dict[str, float], now: dict[str, float], name: str) -> float:
    name = f"rostrum_worker_{name}"
    return now.get(name, 0.0) - earlier.get(name, 0.0)


async def flood(bot: Any) -> None:
    """20,000 authentic packets within about a second, and ICE-like rubbish besides. They are sealed before,
    so that it is the server that has the work."""
    transport = bot.publisher
    encoding = track_of(bot).encodings[0]
    sealed: list[bytes] = []
    send_burst, transport.association.send_burst = transport.association.send_burst, sealed.extend
    for number in range(FLOOD):
        transport.send_packet(encoding, bytes(100))
        if number % 100 == 0:
            await asyncio.sleep(0)
    transport.association.send_burst = send_burst
    for start in range(0, FLOOD, 200):
        send_burst(sealed[start : start + 200])
        transport.association.channel.send(bytes(20))
        await asyncio.sleep(0.01)
