"""Signaling is killed and started again while media flows: people receive each other all the time, resume as
who they were, and everything works as before.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from sfu.bot import AudioSpec, Bot, BotError, VideoSpec
from sfu.control import door
from tests.integration.test_aiortc import GREEN
from tests.support.aiortc_peer import AiortcPeer, ColorTrack, DataReceived
from tests.support.http_media import HttpAiortc
from tests.support.server import (
    Server,
    kill_signaling,
    start_server,
    started_again,
    stop_server,
    wait_ended,
    wait_healthy,
)
from tests.support.wait import wait_until
from tests.support.world import World, assert_nothing_lost, track_of, wait_media, wait_silence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers survive on Linux only")

Restart = Callable[[], Awaitable[Server]]


@asynccontextmanager
async def lives(data_dir: Path, *, workers: int = 1, arguments: tuple[str, ...] = ()) -> AsyncIterator[Lives]:
    """A server that can be killed and started again. At the end it is stopped, and nothing is left."""
    first = start_server(data_dir, workers=workers, arguments=arguments)
    await wait_healthy(first)
    life = Lives(first)
    try:
        yield life
    finally:
        media = {*life.left_behind, *life.server.workers()}
        problems = await asyncio.to_thread(stop_server, life.server)
    assert not problems, "; ".join(problems) + "\n" + life.server.log[-4000:]
    await wait_ended(media)


class Lives:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.left_behind: list[int] = []
        """Process ids of workers that outlived a server."""

    async def kill(self) -> None:
        self.left_behind += await kill_signaling(self.server)

    async def start(self) -> None:
        self.server = await started_again(self.server)


async def add(bot: Bot, spec: VideoSpec | AudioSpec) -> None:
    """One more publication, that flows."""
    await bot.publish([spec])
    assert bot.publisher is not None
    bot.publisher.start()


async def all_flow(flows: Iterable[tuple[Bot, int]], *, more: int = 20) -> None:
    """Until that many more packets came of each of these streams at each of these bots."""
    await asyncio.gather(*(wait_media(bot, stream, more=more) for bot, stream in flows))


async def resume_all(bots: list[Bot]) -> None:
    for bot in bots:
        resumed = await bot.resume()
        assert resumed["peer_id"] == bot.peer_id
        assert resumed["snapshot"] is not None


async def test_twelve_people_receive_each_other_while_signaling_is_killed_and_started_again(
    tmp_path: Path,
) -> None:
    async with lives(tmp_path) as life, World.on(life.server) as world:
        publishers = [
            await world.publisher(VideoSpec((number,), packets_per_second=50.0), auto_subscribe=True)
            for number in (1, 2, 3)
        ]
        await add(publishers[0], AudioSpec(9))
        watchers = [await world.subscriber() for _ in range(9)]
        everybody = [*publishers, *watchers]
        await all_flow((bot, stream) for bot in watchers for stream in (1, 2, 3))
        for bot in watchers:
            assert bot.subscriber is not None
            for each in bot.subscriber.media_streams():
                each.tally.begin_window()
        peers = {bot.peer_id for bot in everybody}

        await life.kill()
        for bot in watchers:
            await bot.signalling.closed.wait()
        await all_flow(((bot, 1) for bot in watchers), more=50)
        await life.start()
        await resume_all(everybody)
        await all_flow((bot, stream) for bot in watchers for stream in (1, 2, 3))
        for bot in watchers:
            await assert_nothing_lost(world, bot, 1, 2, 3)
            assert not [event for event in bot.events if event["type"] in ("media_reset", "peer_left")]

        first, watcher = publishers[0], watchers[0]
        camera = track_of(first)
        await first.signalling.request("mute", publication_id=camera.publication_id)
        await watcher.wait_for(lambda event: event["type"] == "publication_updated", "the mute")
        await asyncio.gather(*(wait_silence(bot, 1, beside=2) for bot in watchers))
        await first.signalling.request("unmute", publication_id=camera.publication_id)
        await wait_media(watcher, 1)
        await add(publishers[1], VideoSpec((7,), source="screen", packets_per_second=50.0))
        await wait_media(watcher, 7)
        newcomer = await world.subscriber()
        assert {one["peer_id"] for one in newcomer.state["peers"]} == peers
        await wait_media(newcomer, 2)

        kicked = first.state["me"]["participant_id"]
        await world.organization.call(
            "POST",
            f"/v2/meetings/{world.meeting_id}/active-session/kick",
            {"participant_ids": [kicked], "custom_participant_ids": []},
        )
        await asyncio.gather(*(wait_silence(bot, 1, beside=2) for bot in watchers))
        assert not [bot.problems for bot in everybody if bot.problems]


async def test_a_meeting_on_two_workers_goes_on_on_both(tmp_path: Path) -> None:
    async with (
        lives(tmp_path, workers=2, arguments=("--spread-above", "0")) as life,
        World.on(life.server) as world,
    ):
        first = await world.publisher(VideoSpec((1,), packets_per_second=50.0), auto_subscribe=True)
        second = await world.publisher(VideoSpec((2,), packets_per_second=50.0), auto_subscribe=True)
        third = await world.subscriber()
        flows = ((first, 2), (second, 1), (third, 1), (third, 2))
        await all_flow(flows)
        await life.kill()
        await all_flow(flows, more=50)
        await life.start()
        await resume_all([first, second, third])
        await all_flow(flows)
        for bot, stream in flows:
            await assert_nothing_lost(world, bot, stream)
        await first.unpublish(track_of(first))
        await third.wait_for(lambda event: event["type"] == "publication_removed", "the end")
        await add(first, VideoSpec((5,), source="screen", packets_per_second=50.0))
        await wait_media(second, 5)
        await wait_media(third, 5)


async def test_signaling_may_die_again_and_again(tmp_path: Path) -> None:
    async with lives(tmp_path) as life, World.on(life.server) as world:
        publisher, watcher = await world.publisher(), await world.subscriber()
        await wait_media(watcher, 1)
        for _ in range(2):
            await life.kill()
            await life.start()
            await resume_all([publisher, watcher])
            await wait_media(watcher, 1)
        await assert_nothing_lost(world, watcher, 1)


@asynccontextmanager
async def watched_by_whep(server: Server, world: World) -> AsyncIterator[tuple[HttpAiortc, HttpAiortc]]:
    """(encoder, player): one publishes by WHIP, the other one sees that by WHEP."""
    encoder = HttpAiortc(server.base_url, await world.token())
    player = HttpAiortc(server.base_url, await world.token())
    try:
        answer = await encoder.publish(f"/v2/whip/{world.meeting_id}", [ColorTrack(GREEN)])
        assert answer.status == 201, answer.text
        watcher = await world.join()
        (peer,) = [one for one in watcher.state["peers"] if one["device"] == "whip"]
        path = f"/v2/whep/{world.meeting_id}/{peer['participant_id']}/camera"
        answer = await player.view(path, ["video"])
        assert answer.status == 201, answer.text
        await frames(player)
        yield encoder, player
    finally:
        await encoder.close()
        await player.close()


async def is_connected(watcher: Bot, device: str) -> None:
    """Until the meeting says so of the only peer with that device."""
    (peer,) = [one for one in watcher.state["peers"] if one["device"] == device]
    if peer["connection"] != "connected":
        await watcher.wait_for(
            lambda event: (
                event["type"] == "peer_updated"
                and event["peer"]["peer_id"] == peer["peer_id"]
                and event["peer"]["connection"] == "connected"
            ),
            f"the {device} peer",
        )


async def frames(player: HttpAiortc) -> None:
    """A second's worth more of them."""
    video = player.received["video"]
    goal = video.frames + 20
    await wait_until(
        lambda: video.frames >= goal,
        lambda: f"{goal} frames, got {video.frames}, {player.connection.iceConnectionState}",
    )


CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host\r\n"
CREDENTIALS = f"a=ice-ufrag:anew\r\na=ice-pwd:{'p' * 24}\r\n"
LINE = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"


async def assert_answers(client: HttpAiortc) -> None:
    """All that a WHIP or WHEP session can be asked for, but its end."""
    assert client.created is not None
    web, made = client.web, client.created
    location, etag = made.headers["Location"], made.headers["ETag"]
    assert (await web.patch(location, LINE + CANDIDATE, etag)).status == 204
    assert (await web.patch(location, LINE + CANDIDATE, '"other"')).status == 412
    restarted = await web.patch(location, CREDENTIALS + LINE, "*")
    assert restarted.status == 200, restarted.text
    (ours,) = re.findall("a=ice-ufrag:(.*)", restarted.text)
    assert ours.strip() not in made.text, "new credentials"
    assert (await web.patch(location, LINE + CANDIDATE, etag)).status == 412
    assert (await web.patch(location, LINE + CANDIDATE, restarted.headers["ETag"])).status == 204


async def test_an_encoder_and_a_player_go_on_and_their_sessions_answer_to_everything(tmp_path: Path) -> None:
    async with (
        lives(tmp_path) as life,
        World.on(life.server) as world,
        watched_by_whep(life.server, world) as (encoder, player),
    ):
        await life.kill()
        await frames(player)
        await life.start()
        await frames(player)
        for client in (encoder, player):
            await assert_answers(client)
        await frames(player)
        watcher = await world.subscriber()
        for device in ("whip", "whep"):
            await is_connected(watcher, device)
        await wait_until(
            lambda: watcher.subscriber is not None and bool(watcher.subscriber.media_streams()),
            lambda: "the encoder's picture",
        )
        for client in (player, encoder):
            assert (await client.end()).status == 200
            await watcher.wait_for(lambda event: event["type"] == "peer_left", "its leaving")
            assert (await client.end()).status == 404


async def test_an_etag_of_before_two_restarts_is_still_the_one(tmp_path: Path) -> None:
    """An ICE restart between two deaths gives another one, which the second successor has to know."""
    async with (
        lives(tmp_path) as life,
        World.on(life.server) as world,
        watched_by_whep(life.server, world) as (encoder, player),
    ):
        assert encoder.created is not None and player.created is not None
        location, etag = player.created.headers["Location"], player.created.headers["ETag"]
        restarted = await player.web.patch(location, CREDENTIALS + LINE, "*")
        assert restarted.status == 200
        for _ in range(2):
            await life.kill()
            await life.start()
        assert (await player.web.patch(location, LINE + CANDIDATE, etag)).status == 412
        assert (await player.web.patch(location, LINE + CANDIDATE, restarted.headers["ETag"])).status == 204
        location, etag = encoder.created.headers["Location"], encoder.created.headers["ETag"]
        assert (await encoder.web.patch(location, LINE + CANDIDATE, etag)).status == 204
        assert (await player.end()).status == (await encoder.end()).status == 200


async def test_data_messages_pass_while_signaling_is_killed_and_after_it_is_back(tmp_path: Path) -> None:
    async with lives(tmp_path) as life, World.on(life.server) as world, AsyncExitStack() as stack:

        async def joined() -> AiortcPeer:
            peer = AiortcPeer(life.server.base_url)
            stack.push_async_callback(peer.close)
            await peer.join(await world.token())
            await peer.open_data()
            return peer

        async def passes(sender: AiortcPeer, receivers: list[AiortcPeer], payload: bytes) -> None:
            for label in ("reliable", "lossy"):
                sender.send(payload, label=label, topic="news")
            wanted = {DataReceived(label, sender.peer_id, "news", payload) for label in ("reliable", "lossy")}
            for receiver in receivers:
                await wait_until(
                    lambda receiver=receiver: wanted <= set(receiver.messages),  # type: ignore[misc]
                    lambda receiver=receiver: f"{payload!r}, got {receiver.messages[-4:]}",  # type: ignore[misc]
                )

        ada, grace = await joined(), await joined()
        await passes(ada, [grace], b"before")
        await life.kill()
        await passes(ada, [grace], b"meanwhile")
        await life.start()
        await passes(grace, [ada], b"after")
        for peer in (ada, grace):
            await peer.resume()
        linus = await joined()
        await passes(ada, [grace, linus], b"to a newcomer")
        await passes(linus, [ada, grace], b"from a newcomer")
        ada.send(b"to one", to=[linus.peer_id])
        await passes(ada, [grace, linus], b"to everybody")
        assert b"to one" not in [one.payload for one in grace.messages]
        assert b"to one" in [one.payload for one in linus.messages]


async def test_without_another_server_the_workers_end_by_themselves(tmp_path: Path) -> None:
    server = start_server(tmp_path, arguments=("--worker-grace", "5"))
    await wait_healthy(server)
    async with World.on(server) as world:
        await world.publisher()
        watcher = await world.subscriber()
        await wait_media(watcher, 1)
        left = await kill_signaling(server)
        await wait_media(watcher, 1)
        await wait_ended(left)


async def test_workers_that_carry_nothing_do_not_outlive_their_server(tmp_path: Path) -> None:
    server = start_server(tmp_path, workers=2)
    await wait_healthy(server)
    await wait_ended(await kill_signaling(server))


async def test_a_second_signal_leaves_no_worker_behind(tmp_path: Path) -> None:
    server = start_server(tmp_path)
    await wait_healthy(server)
    async with World.on(server) as world:
        await world.publisher()
        left = server.workers()
        for pid in left:
            os.kill(pid, signal.SIGSTOP)  # so that the orderly end takes a while
        server.process.send_signal(signal.SIGTERM)
        await wait_until(lambda: "server.stopping" in server.log, lambda: "the beginning of the end")
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait) == 1
        await wait_ended(left)


async def test_other_settings_replace_the_workers_and_people_join_afresh(tmp_path: Path) -> None:
    async with lives(tmp_path) as life, World.on(life.server) as world:
        publisher, watcher = await world.publisher(), await world.subscriber()
        await wait_media(watcher, 1)
        await life.kill()
        life.server.process.args += ["--data-messages", "7"]  # type: ignore[operator]
        await life.start()
        await wait_ended(life.left_behind)
        with pytest.raises(BotError, match="ResumeRefused"):
            await publisher.resume()
        again = await world.publisher(VideoSpec((3,), packets_per_second=50.0))
        assert again.state["session_id"] != publisher.state["session_id"]


async def test_a_folder_that_others_may_enter_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    door.prepare_folder(folder)
    folder.chmod(0o777)
    server = start_server(tmp_path)
    assert await asyncio.to_thread(server.process.wait) == 2
    assert "others may enter" in server.log
