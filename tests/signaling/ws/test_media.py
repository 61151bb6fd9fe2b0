from __future__ import annotations

import pytest

from sfu.control import messages as node
from signaling.nodes.supervisor import NodesConfig
from signaling.nodes.testing import BAD_SDP
from tests.support.live_world import LiveWorld, Refused, WsClient, live_world, until


async def two(world: LiveWorld) -> tuple[WsClient, WsClient]:
    return await world.join("group_call_host"), await world.join("group_call_participant")


async def test_a_publication_is_announced_once_the_node_has_accepted_it() -> None:
    async with live_world() as world:
        host, other = await two(world)
        result = await host.request(
            "publish",
            offer="the offer",
            publications=[{"mid": "0", "source": "camera", "kind": "video"}],
        )

        assert result["answer"] == "answer to the offer"
        (item,) = result["publications"]
        event = await other.hears("publication_added")
        assert event["publication"] == {
            "publication_id": item["publication_id"],
            "peer_id": host.peer_id,
            "source": "camera",
            "kind": "video",
            "codec": "video/VP8",
            "encodings": 1,
            "muted": False,
            "muted_by": None,
            "encrypted": False,
        }
        assert world.node.producer_of("camera").spec.mid == "0"


async def test_a_viewer_may_not_publish_and_nothing_reaches_the_node() -> None:
    async with live_world() as world:
        viewer = await world.join("webinar_viewer")
        for source, kind in (("camera", "video"), ("microphone", "audio"), ("own-key", "audio")):
            with pytest.raises(Refused) as refused:
                await viewer.publish(source, kind)
            assert (refused.value.code, refused.value.name) == (2001, "PermissionDenied")
        assert not world.node.transports


async def test_who_may_not_publish_has_a_publish_connection_without_grants_to_receive_data_on() -> None:
    async with live_world() as world:
        viewer = await world.join("webinar_viewer")
        await viewer.request("publish", offer="an offer that announces nothing")
        (transport,) = world.node.transports.values()
        assert transport.grants == ()


async def test_the_permission_to_send_data_is_a_grant_that_goes_with_it() -> None:
    async with live_world() as world:
        member = await world.join("group_call_participant")
        await member.request("publish", offer="an offer that announces nothing")
        (transport,) = world.node.transports.values()
        assert ("data", "data") in {(grant.source, grant.kind) for grant in transport.grants}
        await world.change_preset("group_call_participant", {"permissions": {"can_send_data": False}})
        assert ("data", "data") not in {(grant.source, grant.kind) for grant in transport.grants}
        assert transport.grants, "the other grants stay"


async def test_a_peer_is_told_what_data_of_its_own_was_not_relayed() -> None:
    async with live_world() as world:
        member, other = await world.join(), await world.join()
        await member.request("publish", offer="an offer that announces nothing")
        (transport,) = world.node.transports.values()
        world.node.emit(node.DataDropped(transport_id=transport.id, reason="rate_limited", messages=7))
        told = await member.hears("data_dropped")
        assert (told["reason"], told["messages"]) == ("rate_limited", 7)
        assert not other.heard("data_dropped")


async def test_the_owner_hears_how_its_publication_arrives_and_a_receiver_how_its_subscription_does() -> None:
    async with live_world() as world:
        host, other = await two(world)
        publication_id = await host.publish("camera", "video")
        await other.subscribe(publication_id)
        (producer,), (consumer,) = world.node.producers.values(), world.node.consumers.values()
        world.node.emit(node.ProducerScored(producer_id=producer.id, score=4))
        world.node.emit(node.ConsumerScored(consumer_id=consumer.id, score=7))
        told = {"type": "quality", "publication_id": publication_id}
        assert await host.hears("quality") == {**told, "direction": "publish", "score": 4}
        assert await other.hears("quality") == {**told, "direction": "subscribe", "score": 7}


async def test_a_peer_asks_how_its_own_streams_are_and_hears_of_nobody_elses() -> None:
    async with live_world() as world:
        host, other = await two(world)
        publication_id = await host.publish("camera", "video")
        await other.subscribe(publication_id)
        own, seen = await host.request("get_stats"), await other.request("get_stats")
        assert [one["publication_id"] for one in own["publications"]] == [publication_id]
        assert own["subscriptions"] == []
        assert [one["publication_id"] for one in seen["subscriptions"]] == [publication_id]
        assert seen["publications"] == []
        idle = await (await world.join()).request("get_stats")
        assert idle == {"publications": [], "subscriptions": [], "estimate": None}


async def test_one_refused_publication_fails_all_of_them() -> None:
    async with live_world() as world:
        await world.change_preset(
            "group_call_participant",
            {"permissions": {"media": {"screenshare": {"can_produce": "NOT_ALLOWED"}}}},
        )
        host, other = await two(world)
        wanted = [
            {"mid": "0", "source": "camera", "kind": "video"},
            {"mid": "1", "source": "screen", "kind": "video"},
        ]
        with pytest.raises(Refused):
            await other.request("publish", offer="offer", publications=wanted)

        assert not world.node.producers
        assert not host.heard("publication_added")


async def test_an_offer_without_a_codec_in_common_changes_nothing() -> None:
    async with live_world() as world:
        host, other = await two(world)
        world.node.undecodable.add("1")
        wanted = [
            {"mid": "0", "source": "microphone", "kind": "audio"},
            {"mid": "1", "source": "camera", "kind": "video"},
        ]
        with pytest.raises(Refused) as refused:
            await host.request("publish", offer="offer", publications=wanted)

        assert refused.value.name == "Unsupported"
        assert not world.node.producers
        await host.publish("microphone", "audio")
        await other.hears("publication_added")
        assert len(other.heard("publication_added")) == 1


async def test_an_offer_that_is_no_sdp_names_the_field() -> None:
    async with live_world() as world:
        host = await world.join()
        with pytest.raises(Refused) as refused:
            await host.request(
                "publish", offer=BAD_SDP, publications=[{"mid": "0", "source": "camera", "kind": "video"}]
            )
        assert (refused.value.name, refused.value.field) == ("InvalidInput", "offer")


async def test_the_grants_name_the_sources_of_ones_own_that_are_published() -> None:
    async with live_world() as world:
        host = await world.join()
        await host.publish("camera", "video", mid="0")
        await host.publish("whiteboard", "video", mid="1")

        (transport,) = world.node.transports.values()
        assert {(grant.source, grant.kind) for grant in transport.grants} == {
            ("camera", "video"),
            ("microphone", "audio"),
            ("screen", "video"),
            ("screen_audio", "audio"),
            ("whiteboard", "video"),
            ("data", "data"),
        }


async def test_that_a_publication_is_encrypted_is_told_to_the_node_and_to_everybody() -> None:
    async with live_world() as world:
        host, other = await two(world)
        await host.publish("camera", "video", mid="0", encrypted=True)
        await host.publish("microphone", "audio", mid="1")
        assert world.node.producer_of("camera").spec.encrypted
        assert not world.node.producer_of("microphone").spec.encrypted
        await until(lambda: len(other.heard("publication_added")) == 2, "both publications")
        added = [one["publication"] for one in other.heard("publication_added")]
        assert {one["source"]: one["encrypted"] for one in added} == {"camera": True, "microphone": False}


async def test_a_second_offer_names_what_is_published_already() -> None:
    async with live_world() as world:
        host = await world.join()
        await host.publish("camera", "video", mid="0")
        await host.publish("microphone", "audio", mid="1")

        last = world.node.heard(node.HandleOffer)[-1]
        assert isinstance(last, node.HandleOffer)
        assert [(spec.mid, spec.source) for spec in last.producers] == [("0", "camera"), ("1", "microphone")]


async def test_to_publish_the_same_again_gives_the_same_publication() -> None:
    async with live_world() as world:
        host, other = await two(world)
        first = await host.publish("camera", "video")
        again = await host.publish("camera", "video")

        assert first == again
        await host.request("ping")
        assert len(other.heard("publication_added")) == 1


async def test_a_source_or_m_line_that_is_taken_is_a_conflict() -> None:
    async with live_world() as world:
        host = await world.join()
        await host.publish("camera", "video", mid="0")
        for source, mid in (("camera", "1"), ("screen", "0")):
            with pytest.raises(Refused) as refused:
                await host.publish(source, "video", mid=mid)
            assert refused.value.name == "Conflict"


async def test_only_so_many_screens_are_shared_at_once() -> None:
    async with live_world() as world:
        host, other = await two(world)
        screen = await host.publish("screen", "video")
        with pytest.raises(Refused) as refused:
            await other.publish("screen", "video")
        assert refused.value.name == "LimitExceeded"

        await host.request("unpublish", publication_ids=[screen])
        await other.publish("screen", "video")


@pytest.mark.parametrize("most", [0, 2])
async def test_how_many_screens_are_shared_at_once_is_the_presets_to_say(most: int) -> None:
    async with live_world() as world:
        await world.change_preset("group_call_host", {"config": {"max_screenshare_count": most}})
        people = [await world.join("group_call_host") for _ in range(most + 1)]
        for person in people[:most]:
            await person.publish("screen", "video")
        with pytest.raises(Refused) as refused:
            await people[most].publish("screen", "video")
        assert (refused.value.code, refused.value.name) == (9413, "LimitExceeded")
        assert len(world.node.producers) == most
        await people[most].publish("screen_audio", "audio")


async def test_a_peer_has_at_most_64_publications() -> None:
    async with live_world() as world:
        host = await world.join()
        wanted = [{"mid": str(n), "source": f"key-{n}", "kind": "audio"} for n in range(64)]
        await host.request("publish", offer="offer", publications=wanted)
        with pytest.raises(Refused) as refused:
            await host.publish("camera", "video", mid="64")
        assert refused.value.name == "LimitExceeded"


async def test_unpublish_stops_it_at_the_node_and_tells_everyone() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await host.request("unpublish", publication_ids=[camera])

        assert not world.node.producers
        removed = await other.hears("publication_removed")
        assert removed["publication_id"] == camera
        assert removed["reason"] == "unpublished"


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


async def test_the_owner_is_told_which_encodings_are_wanted() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        producer = world.node.producer_of("camera")
        world.node.emit(node.LayersWanted(producer_id=producer.id, encodings=(True, False)))
        wanted = await host.hears("publication_wanted")
        assert (wanted["publication_id"], wanted["encodings"]) == (camera, [True, False])
        assert not other.heard("publication_wanted")


async def test_mute_pauses_at_the_node_and_is_announced() -> None:
    async with live_world() as world:
        host, other = await two(world)
        microphone = await host.publish("microphone", "audio")
        await host.request("mute", publication_id=microphone)

        assert world.node.producer_of("microphone").paused
        assert (await other.hears("publication_updated"))["publication"]["muted_by"] == "owner"

        await host.request("unmute", publication_id=microphone)
        assert not world.node.producer_of("microphone").paused
        await until(lambda: len(other.heard("publication_updated")) == 2, "the unmute")
        assert not other.heard("publication_updated")[-1]["publication"]["muted"]


async def test_a_publication_may_begin_muted() -> None:
    async with live_world() as world:
        host, other = await two(world)
        await host.publish("microphone", "audio", muted=True)

        assert world.node.producer_of("microphone").paused
        assert (await other.hears("publication_added"))["publication"]["muted"]


async def test_nobody_mutes_or_ends_a_publication_of_somebody_else() -> None:
    async with live_world() as world:
        host, other = await two(world)
        microphone = await host.publish("microphone", "audio")
        for request, fields in (
            ("mute", {"publication_id": microphone}),
            ("unpublish", {"publication_ids": [microphone]}),
        ):
            with pytest.raises(Refused) as refused:
                await other.request(request, **fields)
            assert refused.value.name == "NotFound"
        assert not world.node.producer_of("microphone").paused


async def test_speakers_are_told_in_peoples_terms() -> None:
    async with live_world() as world:
        host, other = await two(world)
        microphone = await host.publish("microphone", "audio")
        producer = world.node.producer_of("microphone")
        (router_id,) = world.node.routers
        world.node.emit(
            node.SpeakersChanged(
                router_id=router_id,
                speakers=(node.Speaker(producer_id=producer.id, level=20),),
                dominant=producer.id,
            )
        )
        assert await other.hears("speakers") == {
            "type": "speakers",
            "speakers": [{"peer_id": host.peer_id, "publication_id": microphone, "level": 20}],
            "active": host.peer_id,
        }


async def test_a_receiver_that_cannot_decode_is_told_so() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        (consumer,) = world.node.consumers.values()
        world.node.emit(node.ConsumerClosed(consumer_id=consumer.id, reason="unsupported_codec"))

        assert await other.hears("subscription_ended", publication_id=camera, reason="unsupported_codec")


async def test_a_connection_that_failed_ends_what_it_carried_and_can_be_begun_again() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        (transport,) = world.node.transports.values()
        world.node.emit(node.TransportStateChanged(transport_id=transport.id, state="failed"))

        assert await host.hears("transport_state", transport="publish", state="failed")
        assert await other.hears("publication_removed", publication_id=camera, reason="transport_closed")
        assert not world.node.transports
        assert await host.publish("camera", "video") != camera


async def test_connection_requests_without_a_connection_are_named_errors() -> None:
    async with live_world() as world:
        host = await world.join()
        for request, fields in (
            ("subscribe_answer", {"version": 1, "answer": "answer"}),
            ("candidate", {"transport": "publish", "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host"}),
            ("restart_ice", {}),
        ):
            with pytest.raises(Refused) as refused:
                await host.request(request, **fields)
            assert refused.value.name == "NotFound"


async def test_a_lost_node_is_replaced_and_everyone_builds_their_media_again() -> None:
    async with live_world() as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        world.node.die()

        for client in (host, other):
            assert await client.hears("media_reset", reason="node_lost")
        assert len(world.nodes.started) == 2
        again = await host.publish("camera", "video")
        assert again != camera
        assert (await other.subscribe(again))[0]["ok"]
        assert world.node.producer_of("camera")


async def test_only_those_on_a_lost_node_build_their_media_again() -> None:
    config = NodesConfig(workers=2, udp_port=0, place_within=2.0, first_pause=0.01, spread_above=0.0)
    async with live_world(nodes=config) as world:
        host, other = await two(world)
        camera = await host.publish("camera", "video")
        screen = await other.publish("screen", "video")
        assert (await other.subscribe(camera))[0]["ok"]
        assert (await host.subscribe(screen))[0]["ok"]
        doomed = next(
            one
            for one in world.nodes.started
            if any(made.spec.source == "camera" and made.spec.mid for made in one.producers.values())
        )
        doomed.die()

        await host.hears("media_reset", reason="node_lost")
        position = [event["type"] for event in host.events].index("media_reset")
        again = [event for event in host.events[position:] if event["type"] == "publication_added"]
        assert [event["publication"]["publication_id"] for event in again] == [screen]
        removed = await other.hears("publication_removed", publication_id=camera)
        assert removed["reason"] == "node_lost"
        assert not other.heard("media_reset")

        afresh = await host.publish("camera", "video")
        assert (await other.subscribe(afresh))[0]["ok"]
        assert (await host.subscribe(screen))[0]["ok"]
