from __future__ import annotations

import pytest

from sfu.control import messages as node
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
        await other.hears("publication_added")
        await other.request("ping")
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
