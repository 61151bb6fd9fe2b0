"""Bots through a real server: every packet arrives, in order, whoever comes and goes meanwhile."""

from __future__ import annotations

import time

from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.webrtc.lateness import LATE_AFTER
from sfu.webrtc.srtp_profile import SrtpProfile
from tests.support.wait import wait_until
from tests.support.world import World, assert_late, assert_nothing_lost, stream_of, track_of, wait_media


async def stop_senders(world: World) -> None:
    """Stop every sender, and wait until nothing more arrives."""
    for bot in world.bots:
        if bot.publisher is not None:
            bot.publisher.stop()
    await settle(world)


async def settle(world: World) -> None:
    """Until so long passes without a packet that what still waits at the server is too late to go on."""
    watching = [bot.subscriber for bot in world.bots if bot.subscriber is not None]

    def last_arrival() -> int:
        return max(stream.last_arrival_ns for one in watching for stream in one.streams.values())

    await wait_until(
        lambda: time.time_ns() - last_arrival() > 1.5e9 * LATE_AFTER, "silence after the senders stopped"
    )


async def test_every_packet_reaches_every_subscriber_once_and_in_order(world: World) -> None:
    subscribers = [await world.subscriber() for _ in range(3)]
    publisher = await world.publisher(VideoSpec((1,), packets_per_second=200.0), AudioSpec(2))
    for one in subscribers:
        await wait_media(one, 1, more=100)
        await wait_media(one, 2, more=10)
    await stop_senders(world)
    for one in subscribers:
        for stream_id in (1, 2):
            tally = stream_of(one, stream_id).tally
            assert (tally.duplicates, tally.restarts) == (0, 0)
        await assert_nothing_lost(world, one, 1, 2)
        # What was sent before the subscription was answered belongs to nobody.
        last = stream_of(one, 2).tally.last
        assert last is not None
        sent = track_of(publisher, "microphone").encodings[0].packets_sent
        await assert_late(world.server, world.late_before, sent - 1 - last)
        assert one.subscriber is not None
        assert (one.subscriber.unauthentic, one.subscriber.unstamped) == (0, 0)


async def test_a_subscriber_that_comes_later_asks_for_a_key_frame_and_gets_media(world: World) -> None:
    publisher = await world.publisher()
    first = await world.subscriber()
    await wait_media(first, 1)
    encoding = track_of(publisher).encodings[0]
    asked = encoding.key_frame_requests
    later = await world.subscriber()
    await wait_media(later, 1)
    await wait_until(lambda: encoding.key_frame_requests > asked, "a key frame request")


async def test_media_to_one_goes_on_while_another_comes_and_leaves(world: World) -> None:
    publisher = await world.publisher()
    staying = await world.subscriber()
    await wait_media(staying, 1)
    for _ in range(3):
        passing = await world.subscriber()
        await wait_media(passing, 1, more=5)
        await passing.leave()
    await wait_media(staying, 1)
    await assert_nothing_lost(world, staying, 1)
    assert stream_of(staying, 1).tally.restarts == 0
    assert publisher.publisher is not None


async def test_a_publication_withdrawn_and_published_again_reuses_the_line(world: World) -> None:
    watcher = await world.subscriber()
    first = await world.publisher(VideoSpec((1,), packets_per_second=100.0))
    await wait_media(watcher, 1)
    await first.leave()
    await watcher.wait_for(lambda event: event["type"] == "publication_removed", "the end of the publication")
    await world.publisher(VideoSpec((2,), packets_per_second=100.0))
    await wait_media(watcher, 2)
    offers = [event for event in watcher.events if event["type"] == "subscribe_offer"]
    assert offers[-1]["offer"].count("m=video") == 1, "the m-line of the ended subscription is used again"


async def test_clients_without_aes_gcm_are_served_with_aes_cm(world: World) -> None:
    profiles = (SrtpProfile.AES128_CM_SHA1_80,)
    await world.publisher(profiles=profiles)
    watcher = await world.subscriber(profiles=profiles)
    await wait_media(watcher, 1)
    assert watcher.subscriber is not None
    inbound = watcher.subscriber.association.inbound
    assert inbound is not None
    assert inbound.profile is SrtpProfile.AES128_CM_SHA1_80


async def test_the_server_picks_aes_gcm_where_it_can(world: World) -> None:
    await world.publisher()
    watcher = await world.subscriber()
    await wait_media(watcher, 1)
    assert watcher.subscriber is not None
    inbound = watcher.subscriber.association.inbound
    assert inbound is not None
    assert inbound.profile is SrtpProfile.AEAD_AES_128_GCM


async def test_publisher_and_subscriber_over_ice_tcp(world: World) -> None:
    publisher = await world.publisher(tcp=True)
    watcher = await world.subscriber(tcp=True)
    await wait_media(watcher, 1, more=100)
    await stop_senders(world)
    tally = stream_of(watcher, 1).tally
    assert (tally.duplicates, tally.reordered, len(tally.missing)) == (0, 0, 0)
    assert publisher.publisher is not None


async def test_publishers_get_feedback_and_subscribers_sender_reports(world: World) -> None:
    publisher = await world.publisher(VideoSpec((1,), packets_per_second=100.0), AudioSpec(2))
    watcher = await world.subscriber()
    await wait_media(watcher, 2)
    assert publisher.publisher is not None
    sending = publisher.publisher
    await wait_until(lambda: sending.feedback_packets > 3, "transport-wide feedback to the publisher")
    await wait_until(lambda: sending.reception_reports > 0, "a receiver report to the publisher")
    assert watcher.subscriber is not None
    watching = watcher.subscriber
    await wait_until(lambda: watching.sender_reports > 0, "a sender report to the subscriber")


async def test_simulcast_layers_switch_on_request(world: World) -> None:
    await world.publisher(VideoSpec((1, 2, 3), packets_per_second=320.0))
    watcher = await world.subscriber()
    await wait_until(lambda: watched_stream(watcher) is not None, "media of any layer")
    publication = next(iter(watcher.publications))
    for spatial, stream_id in ((0, 1), (2, 3), (1, 2)):
        await watcher.signalling.request(
            "set_layer", publication_id=publication, preferred={"spatial": spatial, "temporal": 7}
        )
        await wait_until(
            lambda wanted=stream_id: watched_stream(watcher) == wanted,
            f"stream {stream_id} after asking for spatial layer {spatial}",
        )
    assert watcher.subscriber is not None
    (stream,) = watcher.subscriber.media_streams()
    # Sequence numbers are continuous over a switch.
    await assert_late(world.server, world.late_before, len(stream.tally.missing))


def watched_stream(bot: Bot) -> int | None:
    """The stream a subscriber of one publication receives at present."""
    if bot.subscriber is None or not bot.subscriber.media_streams():
        return None
    return bot.subscriber.media_streams()[0].tally.stream_id
