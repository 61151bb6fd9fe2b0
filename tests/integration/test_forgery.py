"""Clients that send what they were not granted, by forged SDP, SSRCs or MIDs: nothing gets through."""

from __future__ import annotations

import contextlib

import pytest

from sfu.bot import Bot, BotError, RefusedError, VideoSpec
from sfu.bots.publish import PublishTransport
from tests.support.wait import wait_until
from tests.support.world import World, assert_late, packets_of, stream_of, track_of, wait_media


def streams_received(watcher: Bot) -> set[int | None]:
    if watcher.subscriber is None:
        return set()
    return {stream.tally.stream_id for stream in watcher.subscriber.media_streams()}


async def wait_sent(bot: Bot, source: str = "camera", more: int = 150) -> None:
    encoding = track_of(bot, source).encodings[0]
    goal = encoding.packets_sent + more
    await wait_until(lambda: encoding.packets_sent >= goal, "the forger's packets to be sent")


async def test_a_line_in_the_sdp_that_was_not_announced_carries_nothing(world: World) -> None:
    """Someone who publishes a camera offers a second video m-line and sends on it, without announcing it."""
    watcher = await world.subscriber()
    forger = await world.join()
    forger.publisher = PublishTransport(forger.options.association(), ssrc_base=90_000)
    camera = forger.publisher.add_video([1], packets_per_second=100.0)
    forger.publisher.add_video([66], source="hidden", packets_per_second=100.0)
    result = await forger.signalling.request(
        "publish",
        offer=forger.publisher.offer(),
        publications=[{"mid": camera.media.mid, "source": "camera", "kind": "video"}],
    )
    await forger.publisher.handle_answer(result["answer"])
    forger.publisher.start()
    await wait_media(watcher, 1)
    await wait_sent(forger, "hidden")
    assert streams_received(watcher) == {1}


async def test_a_publish_without_publications_grants_nothing_to_a_viewer(world: World) -> None:
    """A viewer renegotiates "nothing" with an offer full of media, connects if it can, and sends."""
    watcher = await world.subscriber("webinar_presenter")
    await world.publisher(preset="webinar_presenter")
    await wait_media(watcher, 1)
    viewer = await world.join("webinar_viewer")
    viewer.publisher = PublishTransport(viewer.options.association(), ssrc_base=90_000)
    viewer.publisher.add_video([66], packets_per_second=100.0)
    try:
        result = await viewer.signalling.request("publish", offer=viewer.publisher.offer(), publications=[])
        await viewer.publisher.handle_answer(result["answer"])
    except (RefusedError, BotError, ValueError):
        # Refused outright, or answered without a way in: both keep the media out.
        pass
    else:
        viewer.publisher.start()
        await wait_sent(viewer)
    await wait_media(watcher, 1)
    assert streams_received(watcher) == {1}


async def test_packets_with_the_ssrc_of_somebody_else_are_not_taken_for_theirs(world: World) -> None:
    watcher = await world.subscriber()
    victim = await world.publisher(VideoSpec((1,), packets_per_second=100.0))
    forger = await world.publisher(VideoSpec((66,), packets_per_second=100.0))
    await wait_media(watcher, 1)
    await wait_media(watcher, 66)
    assert watcher.subscriber is not None
    ssrc = stream_of(watcher, 1).tally.ssrc
    stolen, own = track_of(victim).encodings[0], track_of(forger).encodings[0]
    own.ssrc, own.rtx_ssrc = stolen.ssrc, stolen.rtx_ssrc
    await wait_sent(forger)
    await wait_media(watcher, 1)
    tally = watcher.subscriber.streams[ssrc].tally
    assert (tally.stream_id, tally.restarts) == (1, 0)
    await assert_late(world.server, world.late_before, len(tally.missing))


async def test_a_forged_mid_does_not_move_a_stream_to_another_line(world: World) -> None:
    """A muted camera cannot be fed through another SSRC that claims its MID."""
    watcher = await world.subscriber()
    forger = await world.publisher(VideoSpec((1,), packets_per_second=100.0))
    await wait_media(watcher, 1)
    camera = track_of(forger)
    await forger.signalling.request("mute", publication_id=camera.publication_id)
    await wait_sent(forger)  # What was on its way when it was muted has come then.
    before = packets_of(watcher, 1)
    camera.encodings[0].ssrc += 500
    await wait_sent(forger)
    assert packets_of(watcher, 1) == before


async def test_an_unknown_publication_cannot_be_subscribed_to(world: World) -> None:
    await world.publisher()
    watcher = await world.join()
    result = await watcher.subscribe(["pub_0000000000000000000000000"])
    assert not result["subscriptions"][0]["ok"]


async def test_a_publication_of_another_meeting_cannot_be_subscribed_to(world: World) -> None:
    publisher = await world.publisher()
    foreign = track_of(publisher).publication_id
    assert foreign is not None
    async with World.on(world.server) as other:
        stranger = await other.join()
        result = await stranger.subscribe([foreign])
        assert not result["subscriptions"][0]["ok"]


@pytest.mark.asvs("17.2.8")
async def test_a_wrong_fingerprint_connects_nobody(world: World) -> None:
    """A certificate that is not the one in the SDP gets no keys, and no media through."""
    watcher = await world.subscriber()
    forger = await world.join()
    forger.publisher = PublishTransport(forger.options.association(), ssrc_base=90_000)
    track = forger.publisher.add_video([66], packets_per_second=100.0)
    offer = forger.publisher.offer()
    own = forger.options.certificate.fingerprint
    forged = offer.replace(own, ":".join(["00"] * 32))
    result = await forger.signalling.request(
        "publish",
        offer=forged,
        publications=[{"mid": track.media.mid, "source": "camera", "kind": "video"}],
    )
    publishing = forger.publisher
    # The forger's side may finish the handshake before the server ends it, and then has keys to send with.
    with contextlib.suppress(BotError):
        await publishing.handle_answer(result["answer"])
    if publishing.association.failed is None:
        publishing.start()
        await wait_sent(forger)
    assert streams_received(watcher) == set()
    await forger.wait_for(
        lambda event: event["type"] == "transport_state" and event["state"] == "failed",
        "the news that the connection failed",
    )
    states = [event["state"] for event in forger.events if event["type"] == "transport_state"]
    assert "connected" not in states, "the server must never take the forger for connected"


@pytest.mark.parametrize("kind", ["stage_grant", "kick", "mute_peer", "stage_kick"])
async def test_a_viewer_may_not_act_as_a_host(world: World, kind: str) -> None:
    presenter = await world.publisher(preset="webinar_presenter")
    viewer = await world.join("webinar_viewer")
    with pytest.raises(RefusedError) as refusal:
        result = await viewer.signalling.request(kind, peer_ids=[presenter.peer_id])
        problem = result["peers"][0]["error"]
        raise RefusedError(kind, problem["code"], problem["name"], problem["message"])
    assert refusal.value.name == "PermissionDenied"
