"""One meeting on two media workers: people on either see and hear each other, and one worker's death is not
the other's.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.bots.description import parse_description
from tests.support.aiortc_peer import AiortcPeer, DataReceived
from tests.support.server import Server, media_workers, running_server, worker_on
from tests.support.wait import wait_until
from tests.support.world import World, packets_of, track_of, wait_media, wait_silence


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def dealt(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Peers go to the two workers in turn."""
    folder = tmp_path_factory.mktemp("dealt")
    async with running_server(folder, workers=2, arguments=("--spread-above", "0")) as server:
        yield server


async def test_people_on_different_workers_receive_each_other(dealt: Server) -> None:
    async with World.on(dealt) as world:
        first = await world.publisher(VideoSpec((1,), packets_per_second=100.0), auto_subscribe=True)
        second = await world.publisher(VideoSpec((2,), packets_per_second=100.0), auto_subscribe=True)
        await wait_media(first, 2)
        await wait_media(second, 1)
        third = await world.subscriber()
        await wait_media(third, 1)
        await wait_media(third, 2)
        assert {offered_port(first), offered_port(second)} == {*dealt.udp_ports}


async def test_data_messages_reach_people_on_the_other_worker_in_order(dealt: Server) -> None:
    async with World.on(dealt) as world:
        peers = [AiortcPeer(dealt.base_url) for _ in range(3)]
        try:
            for peer in peers:
                await peer.join(await world.token())
                await peer.open_data()
            first, second, third = peers
            for number in range(20):
                first.send(bytes([number]))
            first.send(bytes(65_536), to=[second.peer_id], topic="large")
            for peer, count in ((second, 21), (third, 20)):
                await wait_until(
                    lambda peer=peer, count=count: len(peer.messages) == count,  # type: ignore[misc]
                    lambda peer=peer: f"messages at the other worker, {len(peer.messages)}",  # type: ignore[misc]
                )
                numbers = [one.payload for one in peer.messages if one.topic == ""]
                assert numbers == [bytes([number]) for number in range(20)]
            assert second.messages[-1] == DataReceived("reliable", first.peer_id, "large", bytes(65_536))
        finally:
            for peer in peers:
                await peer.close()


async def test_everybody_hears_of_a_speaker_on_the_other_worker(dealt: Server) -> None:
    async with World.on(dealt) as world:
        first = await world.publisher(AudioSpec(1), auto_subscribe=True)
        second = await world.publisher(AudioSpec(2), auto_subscribe=True)
        third = await world.subscriber()
        for quiet, loud in ((first, second), (second, first)):
            track_of(quiet, "microphone").encodings[0].level = 127
            track_of(loud, "microphone").encodings[0].level = 15
            for bot in (first, second, third):
                await wait_until(
                    lambda bot=bot, loud=loud: active_of(bot) == loud.peer_id,  # type: ignore[misc]
                    lambda bot=bot: f"the one who speaks is active; heard {active_of(bot)}",  # type: ignore[misc]
                )


async def test_muting_and_leaving_reach_the_other_worker(dealt: Server) -> None:
    async with World.on(dealt) as world:
        publisher = await world.publisher()
        await world.publisher(AudioSpec(2))
        watcher = await world.subscriber()
        await wait_media(watcher, 1)
        await wait_media(watcher, 2)
        publication_id = track_of(publisher).publication_id
        await publisher.signalling.request("mute", publication_id=publication_id)
        await wait_silence(watcher, 1, beside=2)
        await publisher.signalling.request("unmute", publication_id=publication_id)
        await wait_media(watcher, 1)
        await publisher.leave()
        await watcher.wait_for(lambda event: event["type"] == "publication_removed", "the end")
        assert watcher.problems == []


async def test_a_dead_worker_resets_its_own_people_only(dealt: Server) -> None:
    async with World.on(dealt) as world:
        first = await world.publisher(
            VideoSpec((1,), packets_per_second=100.0), auto_subscribe=True, rebuild=True
        )
        second = await world.publisher(
            VideoSpec((2,), packets_per_second=100.0), auto_subscribe=True, rebuild=True
        )
        await wait_media(first, 2)
        await wait_media(second, 1)
        os.kill(media_workers(dealt)[0], signal.SIGKILL)
        await wait_until(lambda: bool(resets(first) or resets(second)), "a reset")
        hit, spared = (first, second) if resets(first) else (second, first)
        await wait_media(hit, 1 if hit is second else 2)
        await wait_media(spared, 1 if spared is second else 2)
        assert (resets(hit), resets(spared)) == (1, 0)


async def test_fifty_people_on_a_killed_worker_are_back_in_media(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """On the worker that is left, without waiting for the one that is started again; each is told once.

    What is promised for media is 5 seconds; how long it took is printed at the end of the tests' run.
    """
    arguments = ("--spread-above", "1")
    async with running_server(tmp_path, workers=2, arguments=arguments) as server, World.on(server) as world:
        speaker = await world.publisher(VideoSpec((1,), packets_per_second=50.0), AudioSpec(2), rebuild=True)
        watchers = await asyncio.gather(*(world.subscriber(rebuild=True) for _ in range(49)))
        await all_receive(watchers)
        everybody = (speaker, *watchers)
        (lost_port,) = {offered_port(bot) for bot in watchers}
        os.kill(worker_on(server, lost_port), signal.SIGKILL)
        killed = time.monotonic()
        await wait_until(
            lambda: all(resets(bot) for bot in everybody),
            lambda: f"{sum(resets(bot) == 0 for bot in everybody)} are not told of it",
        )
        record_property("told_after_s", round(time.monotonic() - killed, 2))
        await wait_until(lambda: all(bot.subscriber is not None for bot in watchers), "all have had an offer")
        record_property("offered_after_s", round(time.monotonic() - killed, 2))
        await all_receive(watchers)
        record_property("back_after_s", round(time.monotonic() - killed, 2))
        assert [resets(bot) for bot in everybody] == [1] * 50
        assert [problem for bot in everybody for problem in bot.problems] == []
        assert {offered_port(bot) for bot in watchers} == {*server.udp_ports} - {lost_port}


@pytest.mark.slow
async def test_a_worker_that_hangs_is_replaced_and_its_people_are_back(tmp_path: Path) -> None:
    async with running_server(tmp_path, workers=1) as server, World.on(server) as world:
        publisher = await world.publisher(rebuild=True)
        watcher = await world.subscriber(rebuild=True)
        await wait_media(watcher, 1)
        (worker,) = media_workers(server)
        os.kill(worker, signal.SIGSTOP)
        await wait_until(lambda: resets(watcher) == resets(publisher) == 1, "the news")
        await wait_media(watcher, 1)


async def all_receive(watchers: list[Bot]) -> None:
    """Until each has 20 more packets of video and of audio."""
    goals = [(bot, one, packets_of(bot, one) + 20) for bot in watchers for one in (1, 2)]
    await wait_until(
        lambda: all(packets_of(bot, one) >= goal for bot, one, goal in goals),
        lambda: f"{sum(packets_of(bot, one) < goal for bot, one, goal in goals)} of {len(goals)} lack media",
    )


def offered_port(bot: Bot) -> int:
    """The port of the node that a subscriber was last offered a connection to."""
    offers = [event["offer"] for event in bot.events if event["type"] == "subscribe_offer"]
    (candidate,) = {one for one in parse_description(offers[-1]).candidates if one.transport == "udp"}
    return candidate.port


def resets(bot: Bot) -> int:
    return sum(event["type"] == "media_reset" for event in bot.events)


def active_of(bot: Bot) -> str | None:
    """Who the latest `speakers` event says is active."""
    heard = [event for event in bot.events if event["type"] == "speakers"]
    return heard[-1]["active"] if heard else None
