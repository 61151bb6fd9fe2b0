from __future__ import annotations

from typing import Any

import pytest

from sfu.control import messages as node
from signaling.nodes.testing import BAD_SDP
from tests.support.live_world import LiveWorld, Refused, WsClient, live_world


async def two(world: LiveWorld) -> tuple[WsClient, WsClient]:
    return await world.join("group_call_host"), await world.join("group_call_participant")


async def test_a_subscription_brings_an_offer_that_names_the_publication() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        assert await other.subscribe(camera) == [{"publication_id": camera, "ok": True, "error": None}]

        offer = await other.hears("subscribe_offer")
        assert offer["mids"] == [
            {
                "mid": "0",
                "publication_id": camera,
                "peer_id": host.peer_id,
                "source": "camera",
                "kind": "video",
            }
        ]
        await other.request("subscribe_answer", version=offer["version"], answer="answer")
        await other.request("unsubscribe", publication_ids=[camera])
        assert not world.node.consumers
        assert (await other.hears("subscribe_offer", version=2))["mids"] == []


async def test_an_answer_to_another_offer_or_without_sense_is_a_named_error() -> None:
    async with live_world() as world:
        host, other = await two(world)
        await other.subscribe(await host.publish("camera", "video"))
        await other.hears("subscribe_offer")
        with pytest.raises(Refused) as refused:
            await other.request("subscribe_answer", version=7, answer="answer")
        assert refused.value.name == "InvalidState"
        with pytest.raises(Refused) as refused:
            await other.request("subscribe_answer", version=1, answer=BAD_SDP)
        assert (refused.value.name, refused.value.field) == ("InvalidInput", "answer")
        await other.request("subscribe_answer", version=1, answer="answer")


async def test_what_cannot_be_subscribed_does_not_keep_the_rest_from_it() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        own = await other.publish("microphone", "audio")
        answers = await other.subscribe("pub_nonsense", own, camera)

        assert [one["ok"] for one in answers] == [False, False, True]
        assert [one["error"]["name"] for one in answers[:2]] == ["NotFound", "InvalidInput"]


async def test_layer_and_pause_of_a_subscription_reach_the_node() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        (consumer,) = world.node.consumers.values()

        await other.request("set_layer", publication_id=camera, preferred={"spatial": 1, "temporal": 2})
        assert consumer.preferred == node.LayerSpec(spatial=1, temporal=2)
        await other.request("pause_subscription", publication_id=camera)
        assert consumer.paused
        await other.request("resume_subscription", publication_id=camera)
        assert not consumer.paused

        current = node.LayerSpec(spatial=0, temporal=1)
        world.node.emit(node.LayerChanged(consumer_id=consumer.id, current=current))
        changed = await other.hears("layer_changed")
        assert changed["current"] == {"spatial": 0, "temporal": 1}
        assert changed["publication_id"] == camera


async def test_where_a_video_is_shown_reaches_the_node_and_only_of_what_is_subscribed() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        tile = {"publication_id": camera, "width": 640, "height": 360, "priority": 2}
        gone = {"publication_id": "pub_gone", "width": 1, "height": 1}
        await other.request("set_tiles", tiles=[tile, gone])
        (consumer,) = world.node.consumers.values()
        assert consumer.tile == node.TileSpec(consumer_id=consumer.id, width=640, height=360, priority=2)
        await host.request("set_tiles", tiles=[tile])
        assert consumer.tile.width == 640

        await other.subscribe(camera)
        assert consumer.tile.width == 640


async def test_who_lacks_bandwidth_for_a_video_is_told_and_nobody_else() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        (consumer,) = world.node.consumers.values()
        world.node.emit(node.ConsumerPaused(consumer_id=consumer.id, reason="bandwidth"))
        paused = await other.hears("subscription_paused")
        assert (paused["publication_id"], paused["reason"]) == (camera, "bandwidth")
        world.node.emit(node.ConsumerResumed(consumer_id=consumer.id))
        await other.hears("subscription_resumed", publication_id=camera)
        assert not host.heard("subscription_paused")


async def test_a_receiver_that_cannot_decode_is_told_so() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        (consumer,) = world.node.consumers.values()
        world.node.emit(node.ConsumerClosed(consumer_id=consumer.id, reason="unsupported_codec"))

        assert await other.hears("subscription_ended", publication_id=camera, reason="unsupported_codec")


async def limited(world: LiveWorld, most: int, **counts: int) -> None:
    limits = {"mobile": most, "desktop": most} | counts
    await world.change_preset("group_call_participant", {"config": {"max_video_streams": limits}})


async def cameras(world: LiveWorld, count: int) -> list[str]:
    return [await (await world.join()).publish("camera", "video") for _ in range(count)]


def outcome(answers: list[dict[str, Any]]) -> list[str]:
    return ["ok" if one["ok"] else one["error"]["name"] for one in answers]


async def test_videos_beyond_what_the_preset_allows_are_refused_by_name() -> None:
    async with live_world() as world:
        await limited(world, 2)
        viewer, seen = await world.join("group_call_participant"), await cameras(world, 3)
        assert outcome(await viewer.subscribe(*seen)) == ["ok", "ok", "LimitExceeded"]
        assert len(world.node.consumers) == 2
        assert outcome(await viewer.subscribe(*seen)) == ["ok", "ok", "LimitExceeded"], "asked again"
        assert outcome(await viewer.subscribe(seen[2], seen[2])) == ["LimitExceeded"]

        await viewer.request("unsubscribe", publication_ids=[seen[0]])
        assert outcome(await viewer.subscribe(seen[2])) == ["ok"]
        assert outcome(await viewer.subscribe(seen[0])) == ["LimitExceeded"]
        assert len(world.node.consumers) == 2


async def test_voices_and_shared_screens_take_no_room() -> None:
    async with live_world() as world:
        await limited(world, 1)
        viewer, host = await world.join("group_call_participant"), await world.join()
        seen = [
            await host.publish(source, kind, mid=str(mid))
            for mid, (source, kind) in enumerate(
                (("camera", "video"), ("screen", "video"), ("microphone", "audio"), ("second", "video"))
            )
        ]
        assert outcome(await viewer.subscribe(*seen)) == ["ok", "ok", "ok", "LimitExceeded"]


async def test_the_limit_is_that_of_the_device() -> None:
    async with live_world() as world:
        await limited(world, 2, mobile=1)
        seen = await cameras(world, 3)
        for device, most in (("mobile", 1), ("desktop", 2), ("bot", 2)):
            viewer = await world.join("group_call_participant", device=device)
            assert outcome(await viewer.subscribe(*seen)).count("ok") == most, device


async def test_a_paused_video_keeps_its_room_so_that_it_can_go_on() -> None:
    async with live_world() as world:
        await limited(world, 1)
        viewer, seen = await world.join("group_call_participant"), await cameras(world, 2)
        await viewer.subscribe(seen[0])
        await viewer.request("pause_subscription", publication_id=seen[0])
        assert outcome(await viewer.subscribe(seen[1])) == ["LimitExceeded"]


async def test_a_publication_that_ends_makes_room() -> None:
    async with live_world() as world:
        await limited(world, 1)
        viewer, host = await world.join("group_call_participant"), await world.join()
        first = await host.publish("camera", "video")
        (second,) = await cameras(world, 1)
        await viewer.subscribe(first)
        await host.request("unpublish", publication_ids=[first])
        assert outcome(await viewer.subscribe(second)) == ["ok"]


async def test_a_preset_that_allows_fewer_ends_those_that_were_begun_last() -> None:
    async with live_world() as world:
        viewer, seen = await world.join("group_call_participant"), await cameras(world, 3)
        await viewer.subscribe(*seen)
        await limited(world, 1)
        for publication_id in seen[1:]:
            await viewer.hears(
                "subscription_ended", publication_id=publication_id, reason="permission_revoked"
            )
        assert len(world.node.consumers) == 1
        assert outcome(await viewer.subscribe(*seen)) == ["ok", "LimitExceeded", "LimitExceeded"]
