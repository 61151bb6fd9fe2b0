"""GStreamer's webrtcbin over WHIP and WHEP: ICE, DTLS, SRTP and RTP of others, from Debian's packages."""

from __future__ import annotations

import pytest

from tests.integration.test_aiortc import BLUE, GREEN, is_color
from tests.support.aiortc_peer import AiortcPeer, ColorTrack, ToneTrack
from tests.support.gstreamer.process import gstreamer, missing_gstreamer
from tests.support.http_media import HttpAiortc
from tests.support.wait import wait_until
from tests.support.world import World

MISSING = missing_gstreamer()
pytestmark = pytest.mark.skipif(
    MISSING is not None, reason=f"GStreamer: {MISSING}; `make gstreamer` on Debian"
)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.shows("GStreamer", "WHIP", "publish {codec}", "publish Opus")
async def test_what_gstreamer_publishes_is_seen_and_heard(world: World, codec: str) -> None:
    watcher = AiortcPeer(world.server.base_url)
    try:
        await watcher.join(await world.token())
        url = f"{world.server.base_url}/v2/whip/{world.meeting_id}"
        async with gstreamer("publish", url, await world.token(), codec) as encoder:
            await wait_until(
                lambda: (
                    len(watcher.received) == 2 and all(one.frames > 20 for one in watcher.received.values())
                ),
                lambda: f"picture and sound; {watcher.received}; {encoder.told()}; {watcher.problems}",
            )
            by_source = {one["source"]: one for one in watcher.publications.values()}
            assert by_source["camera"]["codec"] == f"video/{codec}"
            tone = watcher.received[by_source["microphone"]["publication_id"]]
            await wait_until(
                lambda: abs((tone.loudest_hertz() or 0) - 440) < 5,
                lambda: f"the tone; {tone.loudest_hertz()}",
            )
        await wait_until(
            lambda: any(event["type"] == "peer_left" for event in watcher.events),
            lambda: "that it left with its DELETE",
        )
    finally:
        await watcher.close()


@pytest.mark.shows("GStreamer", "WHEP", "subscribe VP8", "subscribe Opus")
async def test_what_is_published_gstreamer_plays(world: World) -> None:
    speaker = AiortcPeer(world.server.base_url)
    try:
        await speaker.join(await world.token())
        await speaker.publish([(ColorTrack(BLUE), "camera"), (ToneTrack(440.0), "microphone")])
        url = f"{world.server.base_url}/v2/whep/{world.meeting_id}"
        async with gstreamer("play", url, await world.token(), "VP8") as player:
            await wait_until(
                lambda: player.frames.get("video", 0) > 20 and player.frames.get("audio", 0) > 20,
                lambda: f"decoded frames; {player.told()}",
            )
    finally:
        await speaker.close()


@pytest.mark.parametrize("codec", ["H264", "H265"])
@pytest.mark.shows("GStreamer", "WHIP", "WHEP", "publish {codec}", "subscribe {codec}")
async def test_gstreamer_plays_what_gstreamer_publishes(world: World, codec: str) -> None:
    base = f"{world.server.base_url}/v2"
    watcher = await world.join()
    async with gstreamer("publish", f"{base}/whip/{world.meeting_id}", await world.token(), codec) as encoder:
        await wait_until(
            lambda: sum(one["type"] == "publication_added" for one in watcher.events) == 2,
            lambda: f"both publications; {encoder.told()}",
        )
        added = [one["publication"] for one in watcher.events if one["type"] == "publication_added"]
        assert {one["source"]: one["codec"] for one in added}["camera"] == f"video/{codec}"
        async with gstreamer("play", f"{base}/whep/{world.meeting_id}", await world.token(), codec) as player:
            await wait_until(
                lambda: player.frames.get("video", 0) > 20 and player.frames.get("audio", 0) > 20,
                lambda: f"decoded frames; {player.told()}; encoder {encoder.told()}",
            )


async def test_a_player_follows_to_somebody_who_sends_another_codec(world: World) -> None:
    """One m-line, one SSRC: first VP8, then H.264, without another offer."""
    base = f"{world.server.base_url}/v2"
    first = HttpAiortc(world.server.base_url, await world.token())
    player = HttpAiortc(world.server.base_url, await world.token())
    try:
        await first.publish(f"/v2/whip/{world.meeting_id}", [ColorTrack(GREEN)])
        assert (await player.view(f"/v2/whep/{world.meeting_id}")).status == 201
        seen = player.received["video"]
        await wait_until(lambda: is_color(seen, GREEN), lambda: f"green; {seen.mean_yuv()}")
        token = await world.token()
        async with gstreamer("publish", f"{base}/whip/{world.meeting_id}", token, "H264") as second:
            await wait_until(lambda: second.status == 201, lambda: f"the second; {second.told()}")
            await first.end()
            await wait_until(
                lambda: not is_color(seen, GREEN),
                lambda: f"another picture; {seen.frames} frames, {second.told()}",
            )
            before = seen.frames
            await wait_until(lambda: seen.frames > before + 20, lambda: f"more of it; {seen.frames}")
            await wait_until(lambda: player.received["audio"].frames > 0, "its sound as well")
    finally:
        await player.close()
        await first.close()
