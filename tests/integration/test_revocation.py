"""The right to publish ends, and with it the media: at once, at the node, whatever the client sends."""

from __future__ import annotations

import time

import pytest

from sfu.bot import AudioSpec, Bot, RefusedError, VideoSpec
from tests.support.wait import wait_until
from tests.support.world import World, assert_nothing_lost, stream_of, track_of, wait_media

WITHIN_NS = 200_000_000
"""Between the answer and the last packet, by the kernel's time of its arrival: not when it is read."""
VIDEO = VideoSpec((1,), packets_per_second=200.0)
AUDIO = AudioSpec(2)


async def assert_silence_after(watcher: Bot, publisher: Bot, ended_ns: int) -> None:
    """The publisher goes on sending; nothing of it arrives later than `WITHIN_NS` after `ended_ns`."""
    assert publisher.publisher is not None
    encoding = publisher.publisher.tracks[0].encodings[0]
    sent = encoding.packets_sent
    await wait_until(lambda: encoding.packets_sent > sent + 100, "the publisher to go on sending")
    assert watcher.subscriber is not None
    for stream in watcher.subscriber.media_streams():
        late = stream.last_arrival_ns - ended_ns
        assert late <= WITHIN_NS, (
            f"stream {stream.tally.stream_id}: a packet {late / 1e6:.0f} ms after the end"
        )


async def on_stage(world: World) -> tuple[Bot, Bot]:
    """A webinar: a presenter who publishes picture and sound, and someone who watches."""
    watcher = await world.subscriber("webinar_presenter")
    presenter = await world.publisher(VIDEO, AUDIO, preset="webinar_presenter")
    await wait_media(watcher, 1)
    await wait_media(watcher, 2)
    return presenter, watcher


async def test_leaving_the_stage_ends_the_media(world: World) -> None:
    presenter, watcher = await on_stage(world)
    await presenter.signalling.request("stage_leave")
    await assert_silence_after(watcher, presenter, time.time_ns())


async def test_being_removed_from_the_stage_ends_the_media(world: World) -> None:
    presenter, watcher = await on_stage(world)
    done = await watcher.signalling.request("stage_kick", peer_ids=[presenter.peer_id])
    ended = time.time_ns()
    assert done["peers"][0]["ok"]
    await assert_silence_after(watcher, presenter, ended)


async def test_being_kicked_ends_the_media(world: World) -> None:
    presenter, watcher = await on_stage(world)
    await watcher.signalling.request("kick", peer_ids=[presenter.peer_id])
    await assert_silence_after(watcher, presenter, time.time_ns())


async def test_leaving_ends_the_media_though_packets_keep_coming(world: World) -> None:
    presenter, watcher = await on_stage(world)
    await presenter.signalling.request("leave")
    await assert_silence_after(watcher, presenter, time.time_ns())


async def test_unpublishing_one_source_ends_it_and_not_the_other(world: World) -> None:
    presenter, watcher = await on_stage(world)
    await presenter.unpublish(track_of(presenter, "camera"))
    ended = time.time_ns()
    await wait_media(watcher, 2, more=30)
    assert stream_of(watcher, 1).last_arrival_ns - ended <= WITHIN_NS


async def test_muting_stops_the_packets_and_unmuting_lets_them_flow_again(world: World) -> None:
    presenter, watcher = await on_stage(world)
    camera = track_of(presenter, "camera").publication_id
    await presenter.signalling.request("mute", publication_id=camera)
    ended = time.time_ns()
    await wait_media(watcher, 2, more=30)
    assert stream_of(watcher, 1).last_arrival_ns - ended <= WITHIN_NS
    await presenter.signalling.request("unmute", publication_id=camera)
    await wait_media(watcher, 1)


async def test_who_is_censored_is_not_heard_though_packets_keep_coming_until_allowed_again(
    world: World,
) -> None:
    host = await world.subscriber("webinar_presenter")
    voice = await world.publisher(AUDIO, preset="webinar_presenter")
    track_of(voice, "microphone").encodings[0].interval /= 4
    await wait_media(host, 2)
    await host.signalling.request("censor", peer_ids=[voice.peer_id])
    await assert_silence_after(host, voice, time.time_ns())

    microphone = track_of(voice, "microphone").publication_id
    with pytest.raises(RefusedError) as refusal:
        await voice.signalling.request("unmute", publication_id=microphone)
    assert refusal.value.name == "Censored"
    await assert_silence_after(host, voice, time.time_ns())

    await host.signalling.request("uncensor", peer_ids=[voice.peer_id])
    await voice.signalling.request("unmute", publication_id=microphone)
    await wait_media(host, 2)


async def test_a_preset_without_permission_ends_the_media(world: World) -> None:
    """A change of preset takes effect on the live session."""
    presenter, watcher = await on_stage(world)
    participant = presenter.state["me"]["participant_id"]
    await world.organization.call(
        "PATCH",
        f"/v2/meetings/{world.meeting_id}/participants/{participant}",
        {"preset_name": "livestream_viewer"},
    )
    await assert_silence_after(watcher, presenter, time.time_ns())


async def test_kicking_by_rest_ends_the_media(world: World) -> None:
    presenter, watcher = await on_stage(world)
    participant = presenter.state["me"]["participant_id"]
    path = f"/v2/meetings/{world.meeting_id}/active-session/kick"
    await world.organization.call("POST", path, {"participant_ids": [participant]})
    await assert_silence_after(watcher, presenter, time.time_ns())


async def test_a_viewer_may_not_publish(world: World) -> None:
    viewer = await world.join("webinar_viewer")
    with pytest.raises(RefusedError) as refusal:
        await viewer.publish([VIDEO])
    assert refusal.value.name == "PermissionDenied"


async def test_a_viewer_publishes_once_granted_the_stage(world: World) -> None:
    host = await world.subscriber("webinar_presenter")
    viewer = await world.join("webinar_viewer")
    await viewer.signalling.request("stage_request")
    await host.signalling.request("stage_grant", peer_ids=[viewer.peer_id])
    await viewer.signalling.request("stage_join")
    await viewer.publish([VIDEO])
    assert viewer.publisher is not None
    viewer.publisher.start()
    await wait_media(host, 1)
    await viewer.signalling.request("stage_leave")
    await assert_silence_after(host, viewer, time.time_ns())


async def test_media_goes_on_for_others_when_one_leaves_the_stage(world: World) -> None:
    presenter, watcher = await on_stage(world)
    await world.publisher(VideoSpec((3,), packets_per_second=100.0), preset="webinar_presenter")
    await wait_media(watcher, 3)
    await presenter.signalling.request("stage_leave")
    await wait_media(watcher, 3)
    await assert_nothing_lost(world, watcher, 3)
