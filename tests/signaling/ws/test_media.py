from __future__ import annotations

import pytest

from sfu.control import messages as node
from tests.support.live_world import TWO_NODES, LiveWorld, Refused, WsClient, live_world


async def two(world: LiveWorld) -> tuple[WsClient, WsClient]:
    return await world.join("group_call_host"), await world.join("group_call_participant")


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
    async with live_world(nodes=TWO_NODES) as world:
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
