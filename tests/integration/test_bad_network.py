"""A lossy path between client and node: repair, restarts and changes of address."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sfu.bot import VideoSpec
from tests.support.aiortc_peer import AiortcPeer, ColorTrack
from tests.support.relay import Impairment, UdpRelay
from tests.support.wait import wait_until, wait_until_async
from tests.support.world import World, assert_nothing_lost, media_late, stream_of, track_of, wait_media

TEN_PERCENT = Impairment(loss=0.10, delay=0.01, jitter=0.005)


@pytest_asyncio.fixture
async def relay(world: World) -> AsyncIterator[UdpRelay]:
    relay = UdpRelay.open(("127.0.0.1", world.server.udp_ports[0]), seed=7)
    yield relay
    relay.close()


async def test_loss_on_the_way_down_is_repaired_by_retransmission(world: World, relay: UdpRelay) -> None:
    watcher = await world.subscriber(route=relay.route, nack=True)
    publisher = await world.publisher(VideoSpec((1,), packets_per_second=200.0))
    await wait_media(watcher, 1)
    stream_of(watcher, 1).tally.begin_window()
    relay.impair(down=TEN_PERCENT)
    await wait_media(watcher, 1, more=800)
    relay.impair(down=Impairment())
    await assert_nothing_lost(world, watcher, 1)
    tally = stream_of(watcher, 1).tally
    assert watcher.subscriber is not None
    lost = relay.down.lost
    assert lost > 40, "the relay lost enough to prove something"
    assert tally.repaired > 40, f"{tally.repaired} repaired of {lost} lost"
    assert watcher.subscriber.repairs_received >= tally.repaired
    again = track_of(publisher).encodings[0].retransmitted
    assert again == 0 or await media_late(world.server) > world.late_before, (
        "the node repairs from its own history what it has read"
    )


async def test_loss_on_the_way_up_is_repaired_before_it_is_forwarded(world: World, relay: UdpRelay) -> None:
    watcher = await world.subscriber()
    publisher = await world.publisher(VideoSpec((1,), packets_per_second=200.0), route=relay.route)
    await wait_media(watcher, 1)
    relay.impair(up=TEN_PERCENT)
    await wait_media(watcher, 1, more=800)
    relay.impair(up=Impairment())
    encoding = track_of(publisher).encodings[0]
    assert relay.up.lost > 40
    assert encoding.retransmitted > 40, "the node asked for what was lost"
    missing = stream_of(watcher, 1).tally.missing

    async def repaired() -> bool:
        few = relay.up.lost // 10
        return len(missing) <= few or len(missing) <= few + await media_late(world.server) - world.late_before

    await wait_until_async(repaired, lambda: f"repair; still missing {len(missing)} of {relay.up.lost} lost")


async def test_aiortc_sees_nearly_every_frame_under_ten_percent_loss(world: World, relay: UdpRelay) -> None:
    watcher = AiortcPeer(world.server.base_url, rewrite=relay.rewrite)
    speaker = AiortcPeer(world.server.base_url)
    try:
        await watcher.join(await world.token())
        await speaker.join(await world.token())
        track = ColorTrack((150, 60, 40))
        (publication,) = await speaker.publish([(track, "camera")])
        video = publication["publication_id"]
        await wait_until(
            lambda: video in watcher.received and watcher.received[video].frames > 5,
            "the first decoded frames",
        )
        relay.impair(down=TEN_PERCENT)
        before = track.frames, watcher.received[video].frames

        def since() -> tuple[int, int]:
            return track.frames - before[0], watcher.received[video].frames - before[1]

        # Without repair a tenth of the packets, and every frame that leans on a lost one, would be missing.
        # With it frames wait for one that is under way, and come together.
        await wait_until(
            lambda: since()[0] >= 120 and since()[1] > 0.75 * since()[0],
            lambda: f"of {since()[0]} frames most, got {since()[1]}; {relay.down.lost} packets lost",
        )
    finally:
        await watcher.close()
        await speaker.close()


async def test_a_subscriber_restarts_ice_and_media_goes_on(world: World) -> None:
    watcher = await world.subscriber()
    await world.publisher()
    await wait_media(watcher, 1)
    offers = [event for event in watcher.events if event["type"] == "subscribe_offer"]
    await watcher.signalling.request("restart_ice")
    await watcher.wait_for(
        lambda event: event["type"] == "subscribe_offer" and event["version"] > offers[-1]["version"],
        "an offer with new credentials",
    )
    assert watcher.subscriber is not None
    inbound = watcher.subscriber.association.inbound
    await wait_media(watcher, 1)
    assert watcher.subscriber.association.inbound is inbound, "the DTLS association is kept"
    assert stream_of(watcher, 1).tally.restarts == 0
    assert not watcher.problems


async def test_a_publisher_restarts_ice_on_another_network(world: World, relay: UdpRelay) -> None:
    publisher = await world.publisher(route=relay.route)
    watcher = await world.subscriber()
    await wait_media(watcher, 1)
    relay.rebind()
    await publisher.restart_publish_ice()
    await wait_media(watcher, 1)
    assert stream_of(watcher, 1).tally.restarts == 0


async def test_a_client_whose_address_changes_is_followed_by_its_next_check(
    world: World, relay: UdpRelay
) -> None:
    watcher = await world.subscriber(route=relay.route)
    await world.publisher()
    await wait_media(watcher, 1)
    relay.rebind()
    # Consent checks come every 2.5 seconds; the first one from the new address moves the media there.
    await wait_media(watcher, 1, more=50)


async def test_a_client_that_moves_has_its_media_back_without_a_handshake(world: World) -> None:
    watcher = await world.subscriber()
    publisher = await world.publisher()
    await wait_media(watcher, 1)
    assert watcher.subscriber is not None
    assert publisher.publisher is not None
    for association in (watcher.subscriber.association, publisher.publisher.association):
        keys = association.inbound
        await association.move()
        await wait_media(watcher, 1, more=20)
        assert association.inbound is keys, "the DTLS association is kept"
    assert stream_of(watcher, 1).tally.restarts == 0
