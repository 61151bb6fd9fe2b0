"""aiortc behind a bottleneck: it sends no transport-wide feedback, only reports and an estimate (REMB)."""

from __future__ import annotations

from sfu.bot import VideoSpec
from tests.support.aiortc_peer import AiortcPeer
from tests.support.relay import Impairment, UdpRelay
from tests.support.wait import wait_until
from tests.support.world import World

NARROW = Impairment(rate=300e3, delay=0.02, queue=0.3)


async def test_a_receiver_without_transport_wide_feedback_is_spared_a_video_its_path_cannot_carry(
    world: World,
) -> None:
    relay = UdpRelay.open(("127.0.0.1", world.server.udp_ports[0]), seed=13)
    watcher = AiortcPeer(world.server.base_url, rewrite=relay.rewrite)
    try:
        await watcher.join(await world.token())
        await world.publisher(VideoSpec((1,), packets_per_second=100.0))
        passed = relay.down.passed
        await wait_until(lambda: relay.down.passed > passed + 500, "the video is sent")
        relay.impair(down=NARROW)
        await wait_until(
            lambda: any(event["type"] == "subscription_paused" for event in watcher.events),
            lambda: f"a pause; {relay.down.lost} packets lost, {[e['type'] for e in watcher.events]}",
        )
    finally:
        await watcher.close()
        relay.close()
