"""`get_stats` of a real node against what the bots know they sent and received, over a path that loses."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from sfu.bot import AudioSpec, Bot, VideoSpec
from tests.support.relay import Impairment, UdpRelay
from tests.support.wait import wait_until, wait_until_async
from tests.support.world import World, stream_of, track_of, wait_media

DELAY = 0.06
LOSS = 0.1
VIDEO, AUDIO = 1, 2
PATIENCE = 40.0
"""Seconds for figures of two seconds, and reports of one, to be about a time that the test knows."""

Json = dict[str, Any]


@dataclass
class Watch:
    """The figures of one stream, asked for until they are as a test says."""

    bot: Bot
    side: str
    publication_id: str
    seen: Json | None = None

    async def until(self, condition: Callable[[Json], bool], what: str) -> Json:
        async def holds() -> bool:
            given = await self.bot.signalling.request("get_stats")
            streams = [one for one in given[self.side] if one["publication_id"] == self.publication_id]
            self.seen = streams[0] if streams else None
            return self.seen is not None and condition(self.seen)

        await wait_until_async(holds, lambda: f"{what}; last seen {self.seen}", timeout=PATIENCE)
        assert self.seen is not None
        return self.seen


@pytest_asyncio.fixture
async def relay(world: World) -> AsyncIterator[UdpRelay]:
    delayed = Impairment(delay=DELAY)
    relay = UdpRelay.open(("127.0.0.1", world.server.udp_ports[0]), seed=5, up=delayed, down=delayed)
    yield relay
    relay.close()


def _is_counted(world: World, earlier: dict[str, float]) -> Callable[[], Awaitable[bool]]:
    """Whether /metrics has more of everything than it had."""
    names = (
        "stream_rtt_seconds_count",
        "stream_loss_ratio_count",
        "stream_score_count",
        "stream_bits_per_second_count",
        "receiver_estimate_bits_per_second_count",
    )

    async def counted() -> bool:
        metrics = await world.server.metrics()
        counts = [f"rostrum_worker_{name}" for name in names]
        more = all(metrics.get(name, 0.0) > earlier.get(name, 0.0) for name in counts)
        return more and metrics.get("rostrum_worker_video_subscriptions", 0.0) >= 1

    return counted


def publication(bot: Bot, source: str) -> str:
    publication_id = track_of(bot, source).publication_id
    assert publication_id is not None
    return publication_id


async def test_bitrate_layer_and_round_trip_are_those_of_the_bots(world: World, relay: UdpRelay) -> None:
    earlier = await world.server.metrics()
    speaker = await world.publisher(
        VideoSpec((VIDEO,), packets_per_second=60.0), AudioSpec(AUDIO), route=relay.route
    )
    watcher = await world.subscriber(route=relay.route, nack=True)
    await wait_media(watcher, VIDEO)
    video = publication(speaker, "camera")

    sent = Watch(speaker, "publications", video)
    received = Watch(watcher, "subscriptions", video)
    for watch in (sent, received):
        # What the server read too late, on a busy machine, is lost and told as that for a while.
        figures = await watch.until(
            lambda one: one["bitrate"] > 0 and one["rtt"] is not None and one["loss"] == 0.0,
            "a bitrate and a round trip, and no losses",
        )
        assert figures["rtt"] >= 2 * DELAY, "twice through the relay"
        encoding = track_of(speaker).encodings[0]
        per_packet = figures["bitrate"] / figures["packet_rate"]
        assert abs(per_packet - 8 * encoding.octets / encoding.packets_sent) < 0.02 * per_packet
    await wait_until_async(_is_counted(world, earlier), lambda: "the streams in /metrics", timeout=PATIENCE)
    assert received.seen is not None
    assert received.seen["layer"] == {"spatial": 0, "temporal": 0}
    assert watcher.subscriber is not None
    subscriber = watcher.subscriber
    await wait_until(lambda: subscriber.rtt is not None, "the node answers who asks for a round trip")
    assert subscriber.rtt is not None
    assert subscriber.rtt >= 2 * DELAY

    voice = await Watch(watcher, "subscriptions", publication(speaker, "microphone")).until(
        lambda one: one["packet_rate"] > 0, "the voice"
    )
    assert voice["layer"] is None
    assert voice["frame_rate"] is None
    await _reports_tell_of(world, speaker, watcher)


async def _reports_tell_of(world: World, speaker: Bot, watcher: Bot) -> None:
    """Once there was a sample, the reports of both have it, and where their packets came from."""
    reports: dict[str, Json] = {}

    async def sampled() -> bool:
        for bot in (speaker, watcher):
            path = f"/v2/sessions/peer-report/{bot.peer_id}"
            reports[bot.peer_id] = (await world.organization.call("GET", path))["participant"]["peer_report"]
        sent, received = reports[speaker.peer_id]["quality"], reports[watcher.peer_id]["quality"]
        video = [quality[-1] for quality in (sent["video_producer"], received["video_consumer"]) if quality]
        # The first may be of a stream of which neither was known yet, any one of what was read too late.
        return (
            len(video) == 2
            and all(one["packets_lost"] == 0 and one["mos_quality"] > 4 for one in video)
            and all(one.get(what) is not None for one in video for what in ("frames_per_second", "rtt"))
            and bool(received["audio_consumer"])
        )

    await wait_until_async(sampled, lambda: f"a sample of both; {reports}", timeout=PATIENCE)
    sent, received = reports[speaker.peer_id]["quality"], reports[watcher.peer_id]["quality"]
    assert sent["video_consumer"] == received["video_producer"] == []
    for quality in (sent["video_producer"][-1], received["video_consumer"][-1]):
        assert quality["rtt"] >= 2 * DELAY
        assert quality["frames_per_second"] > 0
    for peer_id, direction in ((speaker.peer_id, "producing"), (watcher.peer_id, "consuming")):
        (pair,) = reports[peer_id]["metadata"]["candidate_pairs"][f"{direction}_transport"]
        assert pair["local_candidate_port"] == world.server.udp_ports[0]
        assert pair["remote_candidate_address"] == "127.0.0.1"
        assert pair["current_round_trip_time"] >= 2 * DELAY


async def test_the_packet_rate_is_what_the_bot_sent_in_that_time(world: World) -> None:
    speaker = await world.publisher(VideoSpec((VIDEO,), packets_per_second=60.0))
    encoding = track_of(speaker).encodings[0]
    marks: list[tuple[float, int]] = []

    def agrees(figures: Json) -> bool:
        marks.append((time.monotonic(), encoding.packets_sent))
        (then, before), (now, after) = next(mark for mark in marks if marks[-1][0] - mark[0] < 4.5), marks[-1]
        if now - then < 3.5:
            return False
        return abs(figures["packet_rate"] - (after - before) / (now - then)) < 6.0

    await Watch(speaker, "publications", publication(speaker, "camera")).until(agrees, "the rate of sending")


async def test_losses_are_told_as_repaired_where_they_were_and_by_their_share(
    world: World, relay: UdpRelay
) -> None:
    speaker = await world.publisher(VideoSpec((VIDEO,), packets_per_second=100.0))
    watcher = await world.subscriber(route=relay.route, nack=True)
    await wait_media(watcher, VIDEO)
    received = Watch(watcher, "subscriptions", publication(speaker, "camera"))
    relay.impair(down=Impairment(loss=LOSS, delay=DELAY))

    figures = await received.until(
        lambda one: abs(one["loss"] + one["repaired"] - LOSS) < 0.04 and one["repaired"] > 0.03,
        "about a tenth lost, most of it repaired",
    )
    assert figures["score"] <= 10
    assert stream_of(watcher, VIDEO).tally.repaired > 0
    await received.until(lambda one: one["score"] < 9, "a score that says so")


async def test_a_camera_that_stops_without_a_word_is_a_freeze(world: World) -> None:
    freezes = "rostrum_worker_stream_freezes_total"
    earlier = (await world.server.metrics()).get(freezes, 0.0)
    speaker = await world.publisher(VideoSpec((VIDEO,), packets_per_second=60.0))
    watcher = await world.subscriber()
    await wait_media(watcher, VIDEO)
    video = publication(speaker, "camera")
    sent, received = Watch(speaker, "publications", video), Watch(watcher, "subscriptions", video)
    # On a busy machine it may have frozen before; not any more, or that would be one freeze and the same.
    before = {
        watch.side: await watch.until(
            lambda one: one["bitrate"] > 0 and one["frozen"] == 0.0, "a picture that moves"
        )
        for watch in (sent, received)
    }
    assert speaker.publisher is not None
    speaker.publisher.stop()
    for watch in (sent, received):
        figures = await watch.until(
            lambda one, was=before[watch.side]: (  # type: ignore[misc]
                one["freezes"] > was["freezes"] and one["frozen"] > was["frozen"] and one["bitrate"] == 0
            ),
            "the freeze",
        )
        assert figures["packet_rate"] == 0.0

    async def counted() -> bool:
        return (await world.server.metrics())[freezes] >= earlier + 2

    await wait_until_async(counted, lambda: "the freezes in /metrics, of both sides", timeout=PATIENCE)
