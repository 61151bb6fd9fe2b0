"""aiortc as an independent client: what one encodes and sends, another decodes, and it is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiortc import RTCRtpReceiver, RTCRtpSender

from tests.support.aiortc_peer import AiortcPeer, ColorTrack, Received, ToneTrack
from tests.support.compat import note_lack
from tests.support.wait import wait_until
from tests.support.world import World, wait_media

GREEN = (150, 60, 40)
BLUE = (60, 200, 110)
Join = Callable[[], Awaitable[AiortcPeer]]


@pytest_asyncio.fixture
async def join(world: World) -> AsyncIterator[Join]:
    """Makes aiortc participants of the meeting."""
    peers: list[AiortcPeer] = []

    async def joined() -> AiortcPeer:
        peer = AiortcPeer(world.server.base_url)
        peers.append(peer)
        await peer.join(await world.token())
        return peer

    yield joined
    for peer in peers:
        await peer.close()


def received_from(peer: AiortcPeer, publication_id: str) -> Received:
    return peer.received.get(publication_id) or Received()


async def wait_frames(peer: AiortcPeer, publication_id: str, *, more: int = 10) -> None:
    goal = received_from(peer, publication_id).frames + more
    await wait_until(
        lambda: received_from(peer, publication_id).frames >= goal,
        lambda: (
            f"{goal} decoded frames; got {received_from(peer, publication_id).frames}, "
            f"problems {peer.problems}, events {[event['type'] for event in peer.events]}"
        ),
    )


def is_color(received: Received, yuv: tuple[int, int, int]) -> bool:
    mean = received.mean_yuv()
    return mean is not None and all(abs(a - b) < 12 for a, b in zip(mean, yuv, strict=True))


@pytest.mark.shows("aiortc", "publish VP8", "subscribe VP8", "publish Opus", "subscribe Opus")
async def test_picture_and_sound_are_what_was_sent(join: Join) -> None:
    watcher, speaker = await join(), await join()
    publications = await speaker.publish([(ColorTrack(GREEN), "camera"), (ToneTrack(440.0), "microphone")])
    ids = {one["source"]: one["publication_id"] for one in publications}
    await wait_frames(watcher, ids["camera"])
    assert is_color(watcher.received[ids["camera"]], GREEN), watcher.received[ids["camera"]].mean_yuv()
    await wait_until(
        lambda: abs((received_from(watcher, ids["microphone"]).loudest_hertz() or 0) - 440) < 10,
        lambda: f"a tone of 440 Hz; heard {received_from(watcher, ids['microphone']).loudest_hertz()}",
    )


async def test_two_people_see_each_other_and_not_themselves(join: Join) -> None:
    green, blue = await join(), await join()
    (of_green,) = await green.publish([(ColorTrack(GREEN), "camera")])
    (of_blue,) = await blue.publish([(ColorTrack(BLUE), "camera")])
    await wait_frames(green, of_blue["publication_id"])
    await wait_frames(blue, of_green["publication_id"])
    assert is_color(green.received[of_blue["publication_id"]], BLUE)
    assert is_color(blue.received[of_green["publication_id"]], GREEN)
    assert of_green["publication_id"] not in green.received


async def test_a_subscriber_joins_and_leaves_while_media_flows(join: Join) -> None:
    speaker, staying = await join(), await join()
    (publication,) = await speaker.publish([(ColorTrack(GREEN), "camera")])
    video = publication["publication_id"]
    await wait_frames(staying, video)
    passing = await join()
    await wait_frames(passing, video)
    assert is_color(passing.received[video], GREEN)
    await passing.close()
    await wait_frames(staying, video)


async def test_unsubscribing_stops_one_publication_and_not_the_other(join: Join) -> None:
    watcher, speaker = await join(), await join()
    publications = await speaker.publish([(ColorTrack(GREEN), "camera"), (ColorTrack(BLUE), "screen")])
    ids = {one["source"]: one["publication_id"] for one in publications}
    await wait_frames(watcher, ids["camera"])
    await wait_frames(watcher, ids["screen"])
    await watcher.unsubscribe(ids["screen"])
    await wait_frames(watcher, ids["camera"])
    before = watcher.received[ids["screen"]].frames
    await wait_frames(watcher, ids["camera"], more=20)
    assert watcher.received[ids["screen"]].frames - before <= 1
    assert is_color(watcher.received[ids["camera"]], GREEN)


async def test_a_bot_receives_what_aiortc_sends(join: Join, world: World) -> None:
    speaker = await join()
    await speaker.publish([(ColorTrack(GREEN), "camera")])
    bot = await world.subscriber()
    await wait_until(
        lambda: (
            bot.subscriber is not None
            and sum(stream.tally.packets for stream in bot.subscriber.media_streams()) > 20
        ),
        "aiortc's video at the bot",
    )


async def test_aiortc_stays_connected_beside_bots_that_publish(join: Join, world: World) -> None:
    await world.publisher()
    speaker, watcher = await join(), await world.subscriber()
    (publication,) = await speaker.publish([(ToneTrack(440.0), "microphone")])
    await wait_media(watcher, 1)
    assert publication["source"] == "microphone"


@pytest.mark.shows("aiortc")
def test_aiortc_says_what_it_cannot_do() -> None:
    for side, verb in ((RTCRtpSender, "publish"), (RTCRtpReceiver, "subscribe")):
        able = {
            codec.mimeType.lower()
            for kind in ("audio", "video")
            for codec in side.getCapabilities(kind).codecs
        }
        assert "video/vp8" in able
        lacking = ("video/VP9", "video/AV1", "video/H265", "audio/RED")
        for name, mime in ((one.partition("/")[2], one) for one in lacking):
            if mime.lower() not in able:
                note_lack("aiortc", f"{verb} {name}")
