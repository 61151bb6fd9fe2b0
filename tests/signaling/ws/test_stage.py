from __future__ import annotations

from collections.abc import Iterable

import pytest

from sfu.control import messages as node
from signaling.protocol.messages import AnyEvent
from tests.support.live_world import MEETING, LiveWorld, Refused, WsClient, live_world, until


async def on_stage(world: LiveWorld) -> tuple[WsClient, WsClient, str]:
    """A host, a viewer that was let onto the stage, and the viewer's microphone."""
    host = await world.join("webinar_presenter")
    viewer = await world.join("webinar_viewer")
    await viewer.request("stage_request")
    await host.request("stage_grant", peer_ids=[viewer.peer_id])
    await viewer.request("stage_join")
    return host, viewer, await viewer.publish("microphone", "audio")


async def test_a_viewer_asks_is_granted_joins_and_may_publish() -> None:
    async with live_world() as world:
        host = await world.join("webinar_presenter")
        viewer = await world.join("webinar_viewer")
        assert (await viewer.request("stage_request"))["status"] == "REQUESTED_TO_JOIN_STAGE"
        requests = (await host.hears("stage_requests"))["requests"]
        assert [one["peer_id"] for one in requests] == [viewer.peer_id]

        result = await host.request("stage_grant", peer_ids=[viewer.peer_id])
        assert result["peers"] == [{"peer_id": viewer.peer_id, "ok": True, "error": None}]
        assert (await viewer.hears("stage_status", action="grant"))["by"] == host.peer_id
        assert (await viewer.hears("stage"))["stage"]["can_produce"]["audio"]
        await until(lambda: host.heard("stage_requests")[-1]["requests"] == [], "the request to be gone")

        assert (await viewer.request("stage_join"))["status"] == "ON_STAGE"
        assert await host.hears("stage_status", peer_id=viewer.peer_id, status="ON_STAGE")
        await viewer.publish("microphone", "audio")
        assert await host.hears("publication_added")


async def test_only_hosts_hear_who_asks() -> None:
    async with live_world() as world:
        await world.join("webinar_presenter")
        asking, other = await world.join("webinar_viewer"), await world.join("webinar_viewer")
        await asking.request("stage_request")

        await other.hears("stage_status", peer_id=asking.peer_id)
        assert not other.heard("stage_requests")
        assert not asking.heard("stage_requests")
        late = await world.join("webinar_presenter")
        assert [one["peer_id"] for one in late.joined["stage_requests"]] == [asking.peer_id]
        assert (await world.join("webinar_viewer")).joined["stage_requests"] == []


async def test_requests_are_listed_in_the_order_of_asking() -> None:
    async with live_world() as world:
        host = await world.join("webinar_presenter")
        viewers = [await world.join("webinar_viewer") for _ in range(3)]
        for viewer in reversed(viewers):
            await viewer.request("stage_request")
        await until(lambda: len(host.heard("stage_requests")) == 3, "three lists")
        await viewers[1].request("leave")
        await until(lambda: len(host.heard("stage_requests")) == 4, "the list without the one who left")

        listed = [one["peer_id"] for one in host.heard("stage_requests")[-1]["requests"]]
        assert listed == [viewers[2].peer_id, viewers[0].peer_id]


async def test_who_leaves_the_stage_is_silent_before_it_is_answered() -> None:
    async with live_world() as world:
        host, viewer, microphone = await on_stage(world)
        assert (await viewer.request("stage_leave"))["status"] == "OFF_STAGE"

        assert not world.node.producers
        assert await host.hears("publication_removed", publication_id=microphone, reason="stage_left")
        grants = world.node.heard(node.SetGrants)[-1]
        assert isinstance(grants, node.SetGrants)
        assert grants.grants == ()
        with pytest.raises(Refused) as refused:
            await viewer.publish("microphone", "audio")
        assert refused.value.code == 2001


async def test_who_is_removed_from_the_stage_is_silent_at_once() -> None:
    async with live_world() as world:
        host, viewer, microphone = await on_stage(world)
        await host.request("stage_kick", peer_ids=[viewer.peer_id])

        assert not world.node.producers
        assert await viewer.hears("publication_removed", publication_id=microphone, reason="stage_left")
        status = await viewer.hears("stage_status", action="kick")
        assert (status["status"], status["by"]) == ("OFF_STAGE", host.peer_id)


async def test_a_viewer_may_not_act_as_a_host() -> None:
    async with live_world() as world:
        viewer, other = await world.join("webinar_viewer"), await world.join("webinar_viewer")
        for action in ("stage_grant", "stage_invite", "stage_deny", "stage_kick"):
            with pytest.raises(Refused) as refused:
                await viewer.request(action, peer_ids=[other.peer_id])
            assert refused.value.code == 2001


async def test_an_action_on_several_peers_fails_for_each_on_its_own() -> None:
    async with live_world() as world:
        host = await world.join("webinar_presenter")
        asking, idle = await world.join("webinar_viewer"), await world.join("webinar_viewer")
        await asking.request("stage_request")
        result = await host.request("stage_deny", peer_ids=[asking.peer_id, idle.peer_id, "peer_gone"])

        assert [one["ok"] for one in result["peers"]] == [True, False, False]
        names = [one["error"]["name"] for one in result["peers"][1:]]
        assert names == ["ActionInvalidForStageStatus", "NotFound"]
        assert await asking.hears("stage_status", action="deny", status="OFF_STAGE")


async def test_where_there_is_no_stage_its_actions_say_so() -> None:
    async with live_world() as world:
        host = await world.join("group_call_host")
        with pytest.raises(Refused) as refused:
            await host.request("stage_leave")
        assert (refused.value.code, refused.value.name) == (2003, "StageDisabledForMeetingType")


async def test_to_cancel_without_a_request_is_an_error_of_its_own() -> None:
    async with live_world() as world:
        viewer = await world.join("webinar_viewer")
        with pytest.raises(Refused) as refused:
            await viewer.request("stage_cancel")
        assert refused.value.name == "NoRequestToCancel"


async def test_a_preset_that_takes_a_permission_away_stops_the_media_at_once() -> None:
    async with live_world() as world:
        host = await world.join("group_call_host")
        other = await world.join("group_call_participant")
        camera = await other.publish("camera", "video", mid="0")
        await other.publish("microphone", "audio", mid="1")
        await world.change_preset(
            "group_call_participant", {"permissions": {"media": {"video": {"can_produce": "NOT_ALLOWED"}}}}
        )

        assert [one.spec.source for one in world.node.producers.values()] == ["microphone"]
        assert await host.hears("publication_removed", publication_id=camera, reason="permission_revoked")
        updated = await other.hears("permissions_updated")
        assert updated["permissions"]["media"]["video"]["can_produce"] == "NOT_ALLOWED"
        assert not (await other.hears("stage"))["stage"]["can_produce"]["video"]


async def test_a_preset_that_takes_the_stage_away_ends_the_standing_on_it() -> None:
    async with live_world() as world:
        host, viewer, microphone = await on_stage(world)
        await world.change_preset("webinar_viewer", {"permissions": {"stage_access": "NOT_ALLOWED"}})

        assert not world.node.producers
        assert await viewer.hears("stage_status", action="permission", status="OFF_STAGE")
        assert await host.hears("publication_removed", publication_id=microphone, reason="permission_revoked")


async def test_who_becomes_a_stage_host_gets_the_list_and_who_no_longer_is_gets_none() -> None:
    async with live_world() as world:
        host = await world.join("webinar_presenter")
        viewer = await world.join("webinar_viewer")
        await viewer.request("stage_request")
        no_host = {"accept_stage_requests": False, "can_accept_production_requests": False}
        await world.change_preset("webinar_presenter", {"permissions": no_host})
        await until(lambda: host.heard("stage_requests")[-1]["requests"] == [], "an empty list")

        await world.change_preset("webinar_presenter", {"permissions": {"accept_stage_requests": True}})
        await until(lambda: len(host.heard("stage_requests")[-1]["requests"]) == 1, "the list again")


async def test_when_anybody_hears_that_media_ended_the_node_has_ended_it() -> None:
    async with live_world() as world:
        host, viewer, _ = await on_stage(world)
        carried: list[int] = []
        send = world.hub.send

        def watched(peer_ids: Iterable[str], event: AnyEvent) -> None:
            if event.type in ("publication_removed", "peer_left", "stage_status"):
                carried.append(len(world.node.producers))
            send(peer_ids, event)

        world.hub.send = watched  # type: ignore[method-assign]
        await host.request("stage_kick", peer_ids=[viewer.peer_id])
        await host.publish("camera", "video")
        await world.live.kick_all(MEETING)

        assert len(carried) >= 2
        assert set(carried) == {0}
