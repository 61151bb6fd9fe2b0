"""One meeting from its first join to its last leave, with everything that people do to a server.

    a camera and a microphone publish; two watch; an encoder comes by WHIP; somebody sends data messages;
    one restarts ICE; then they go: with a goodbye, without one, or in the middle of everything.

Who goes how changes with the number of the round, so that every way of leaving meets every way of being
there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.bots.publish import PublishTransport
from tests.support.aiortc_peer import AiortcPeer
from tests.support.http_media import HttpMedia
from tests.support.server import Server
from tests.support.wait import wait_until
from tests.support.world import OPTIONS, World, wait_media

DATA_EVERY = 4
"""An aiortc client has real data channels and costs as much as ten bots: every so many rounds."""
PATIENCE = 30.0
VOICE = 2
"""The stream that is waited for: on a machine this busy, video may rightly be paused for bandwidth."""

Visit = Callable[[World, int], Awaitable[None]]


async def run_round(server: Server, number: int) -> int:
    """The number of joins it took."""
    async with World.on(server) as world:
        publisher = await world.publisher(VideoSpec((1,), packets_per_second=60.0), AudioSpec(VOICE))
        watchers = [await world.subscriber(), await world.subscriber()]
        others: list[Visit] = [encode_by_whip]
        if number % DATA_EVERY == 0:
            others.append(send_data)
        async with asyncio.TaskGroup() as group:
            for watcher in watchers:
                group.create_task(wait_media(watcher, VOICE, more=5, timeout=PATIENCE))
            for visit in others:
                group.create_task(visit(world, number))
        if number % 3 == 0:
            await publisher.restart_publish_ice()
            await wait_media(watchers[0], VOICE, more=5, timeout=PATIENCE)
        await disperse(world.bots, number)
    return len(watchers) + 1 + len(others)


async def disperse(bots: list[Bot], number: int) -> None:
    """Everybody goes, the first in another way each round."""
    ways: list[Callable[[Bot], Awaitable[None]]] = [Bot.leave, Bot.close, Bot.vanish]
    for index, bot in enumerate(bots):
        await ways[(number + index) % len(ways)](bot)


async def encode_by_whip(world: World, number: int) -> None:
    """An encoder over HTTP, which every other time forgets to say goodbye."""
    association = replace(OPTIONS, ssrc_base=50_000).association()
    sending = PublishTransport(association, ssrc_base=50_000)
    sending.add_audio(7)
    async with HttpMedia(world.server.base_url, await world.token()) as web:
        try:
            answer = await web.post(f"/v2/whip/{world.meeting_id}", sending.offer())
            assert answer.status == 201, answer.text
            await sending.handle_answer(answer.text)
            sending.start()
            await wait_until(
                lambda: sending.tracks[0].encodings[0].packets_sent > 10,
                "the encoder's packets",
                timeout=PATIENCE,
            )
            if number % 2:
                await web.call("DELETE", answer.headers["Location"])
        finally:
            sending.close()


async def send_data(world: World, number: int) -> None:
    sender, receiver = AiortcPeer(world.server.base_url), AiortcPeer(world.server.base_url)
    try:
        for peer in (sender, receiver):
            await peer.join(await world.token())
            await peer.open_data()
        sender.send(b"soak", topic=str(number))
        await wait_until(lambda: bool(receiver.messages), "a data message", timeout=PATIENCE)
    finally:
        await sender.close()
        await receiver.close()
