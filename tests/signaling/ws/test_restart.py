"""Signaling dies and another process takes over: nodes, sessions and peers are as they were."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from sfu.control import messages as node
from signaling.domain.configuration import Configuration
from signaling.domain.preset import merged
from signaling.domain.session_status import SessionEndReason, SessionStatus
from tests.support.live_world import (
    MEETING,
    ORGANIZATION,
    TWO_NODES,
    LiveWorld,
    Refused,
    WsClient,
    live_world,
    until,
)

Restart = Callable[[], AbstractAsyncContextManager[LiveWorld]]


@asynccontextmanager
async def two_lives(**options: Any) -> AsyncIterator[tuple[LiveWorld, Restart]]:
    """A world, and what kills its signaling process and starts another."""
    async with live_world(**options) as first:

        @asynccontextmanager
        async def restart() -> AsyncIterator[LiveWorld]:
            await first.die()
            async with live_world(**options, after=first) as second:
                yield second

        yield first, restart


@asynccontextmanager
async def restart_again(world: LiveWorld) -> AsyncIterator[LiveWorld]:
    await world.die()
    async with live_world(after=world) as another:
        yield another


async def back(world: LiveWorld, client: WsClient) -> tuple[WsClient, dict[str, Any]]:
    """The client on a new socket, and the snapshot that it was given."""
    again = await world.resume(client, snapshot=True)
    return again, again.joined["snapshot"]


def ids(items: list[dict[str, Any]], name: str) -> set[str]:
    return {one[name] for one in items}


async def test_peers_resume_into_the_state_that_they_left_and_the_node_was_told_nothing_new() -> None:
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        offer = await other.hears("subscribe_offer")
        await other.request("subscribe_answer", version=offer["version"], answer="answer")
        carried = set(first.node.transports), set(first.node.producers), set(first.node.consumers)

        async with restart() as second:
            again, snapshot = await back(second, other)
            assert again.peer_id == other.peer_id
            assert snapshot["subscriptions"] == [camera]
            assert (snapshot["publishes"], snapshot["subscribes"]) == (False, True)
            assert ids(snapshot["publications"], "publication_id") == {camera}
            assert [one["connection"] for one in snapshot["peers"]] == ["detached"]
            await back(second, host)
            resumed = await again.hears("peer_updated")
            assert resumed["peer"]["peer_id"] == host.peer_id
            node_now = set(second.node.transports), set(second.node.producers), set(second.node.consumers)
            assert node_now == carried
            assert not again.heard("media_reset")


async def test_requests_and_events_work_after_it_as_before() -> None:
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        camera = await host.publish("camera", "video")
        async with restart() as second:
            (host, _), (other, _) = await back(second, host), await back(second, other)
            await host.request("mute", publication_id=camera)
            assert (await other.hears("publication_updated"))["publication"]["muted"]
            assert second.node.producer_of("camera").paused
            screen = await host.publish("screen", "video", mid="1")
            await other.hears("publication_added")
            assert all(one["ok"] for one in await other.subscribe(camera, screen))
            await host.request("kick", peer_ids=[other.peer_id])
            assert await other.closed() == 4001
            newcomer = await second.join()
            assert ids(newcomer.joined["publications"], "publication_id") == {camera, screen}
            assert newcomer.joined["session_id"] == host.joined["session_id"]


async def test_event_numbers_of_one_process_are_never_taken_for_those_of_another() -> None:
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        async with restart() as second:
            again, _ = await back(second, host)
            assert again.joined["seq"] > max(host.seqs)
            await second.join()
            await again.hears("peer_joined")
            assert min(again.seqs) == again.joined["seq"] + 1
            with pytest.raises(Refused) as refused:  # an older client, that takes no snapshot
                await second.resume(other)
            assert refused.value.name == "ResumeRefused"


async def test_an_offer_that_was_not_answered_is_made_again() -> None:
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        await other.subscribe(await host.publish("camera", "video"))
        offer = await other.hears("subscribe_offer")
        async with restart() as second:
            again, _ = await back(second, other)
            assert (await again.hears("subscribe_offer"))["version"] == offer["version"]
            await again.request("subscribe_answer", version=offer["version"], answer="answer")


async def test_the_books_are_continued_and_who_does_not_come_back_leaves_in_time() -> None:
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        camera = await host.publish("camera", "video")
        async with restart() as second:
            session_id = host.joined["session_id"]
            other, _ = await back(second, other)
            await second.wait(31)
            await other.hears("peer_left", peer_id=host.peer_id, reason="timeout")
            await other.hears("publication_removed", publication_id=camera)
            assert not second.node.producers
            async with second.store() as uow:
                record = await uow.sessions.active_for(MEETING)
                assert record is not None
                assert record.id == session_id
                left = {one.peer_id: one.leave_reason for one in await uow.sessions.attendances(session_id)}
            assert left == {host.peer_id: "timeout", other.peer_id: None}


async def test_a_session_that_no_node_carries_is_closed_in_the_books() -> None:
    async with two_lives() as (first, restart):
        host = await first.join()
        first.node.die()
        async with restart() as second:
            async with second.store() as uow:
                record = await uow.sessions.get(host.joined["session_id"])
            assert record is not None
            assert record.end_reason == SessionEndReason.SERVER_RESTARTED
            with pytest.raises(Refused):
                await back(second, host)


async def test_a_session_that_was_opened_goes_on_waiting_for_the_first() -> None:
    async with two_lives() as (first, restart):
        async with first.store() as uow:
            meeting = await uow.meetings.get(ORGANIZATION, MEETING)
        assert meeting is not None
        opened = await first.live.open(meeting, Configuration())
        async with restart() as second:
            await second.wait(599)
            live = await second.live.active(MEETING)
            assert live is not None
            assert (live.id, live.status, live.started_at) == (opened.id, SessionStatus.READY, None)
            await second.join()
            live = await second.live.active(MEETING)
            assert live is not None
            assert (live.id, live.status) == (opened.id, SessionStatus.LIVE)


async def test_stage_requests_censorship_and_views_are_remembered() -> None:
    async with two_lives() as (first, restart):
        host, viewer = await first.join("webinar_presenter"), await first.join("webinar_viewer")
        guest = await first.join("webinar_presenter")
        await guest.publish("microphone", "audio")
        await viewer.request("stage_request")
        await host.request("censor", peer_ids=[guest.peer_id], sources=["microphone"])
        await guest.request("set_view", mode="speakers", count=2)
        async with restart() as second:
            host, snapshot = await back(second, host)
            assert ids(snapshot["stage_requests"], "peer_id") == {viewer.peer_id}
            guest, snapshot = await back(second, guest)
            assert snapshot["me"]["censored"] == ["microphone"]
            (own,) = snapshot["publications"]
            assert (own["muted"], own["muted_by"]) == (True, "moderator")
            with pytest.raises(Refused) as refused:
                await guest.request("unmute", publication_id=own["publication_id"])
            assert refused.value.name == "Censored"
            camera = await host.publish("camera", "video")
            await until(
                lambda: any(
                    second.node.transports[one.transport_id].label == guest.peer_id
                    for one in second.node.consumers.values()
                ),
                f"the view to show {camera}",
            )
            await host.request("stage_grant", peer_ids=[viewer.peer_id])


async def test_what_one_may_by_a_moderator_and_is_called_by_choice_is_remembered() -> None:
    patch = {"media": {"video": {"can_produce": "NOT_ALLOWED"}}}
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant", name="Nick")
        await host.request("update_permissions", peer_ids=[other.peer_id], permissions=patch)
        async with restart() as second:
            other, snapshot = await back(second, other)
            assert snapshot["me"]["name"] == "Nick"
            with pytest.raises(Refused) as refused:
                await other.publish("camera", "video")
            assert refused.value.name == "PermissionDenied"
            async with restart_again(second) as third:
                await third.change_preset(
                    "group_call_participant", {"permissions": {"pin_participant": True}}
                )
                other, _ = await back(third, other)
                await other.publish("camera", "video")


async def test_what_the_store_no_longer_grants_ends_with_the_takeover() -> None:
    """The process died after it wrote the new preset and before the node was told."""
    async with two_lives() as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        await other.publish("camera", "video")
        removed = await first.join("group_call_participant")
        await removed.publish("microphone", "audio")
        async with first.store() as uow:
            record = await uow.presets.by_name(ORGANIZATION, "group_call_participant")
            assert record is not None
            forbidden = {"permissions": {"media": {"video": {"can_produce": "NOT_ALLOWED"}}}}
            changed = merged(record.preset, forbidden)
            await uow.presets.save(
                type(record)(record.id, ORGANIZATION, changed, record.created_at, record.updated_at)
            )
            gone = await uow.participants.get(ORGANIZATION, MEETING, removed.joined["me"]["participant_id"])
            assert gone is not None
            await uow.participants.remove(gone)
            await uow.commit()
        async with restart() as second:
            assert not second.node.producers
            _, snapshot = await back(second, host)
            assert snapshot["publications"] == []
            with pytest.raises(Refused):
                await back(second, removed)
            other, _ = await back(second, other)
            with pytest.raises(Refused) as refused:
                await other.publish("camera", "video")
            assert refused.value.name == "PermissionDenied"


async def test_what_the_node_has_and_no_note_knows_is_closed() -> None:
    async with two_lives() as (first, restart):
        host = await first.join()
        camera = await host.publish("camera", "video")
        (router,) = first.node.routers
        fake = first.node
        await fake.request(node.CreateRouter(router_id="rt_unknown"))
        create = node.CreateTransport(
            router_id=router, transport_id="tp_unknown", direction="publish", label="peer_unknown"
        )
        await fake.request(create)
        own = fake.producer_of("camera").transport_id
        spec = node.ProducerSpec(producer_id="pr_unknown", mid="9", source="screen", kind="video")
        await fake.request(node.HandleOffer(transport_id=own, sdp="offer", producers=(spec,)))
        async with restart() as second:
            assert fake.routers == {router}
            assert "tp_unknown" not in fake.transports
            assert [one.spec.source for one in fake.producers.values()] == ["camera"]
            _, snapshot = await back(second, host)
            assert ids(snapshot["publications"], "publication_id") == {camera}


async def test_what_is_noted_and_no_node_has_is_not_in_the_snapshot() -> None:
    async with two_lives() as (first, restart):
        host = await first.join()
        await host.publish("camera", "video")
        first.node.producers.clear()
        first.node.transports.clear()
        async with restart() as second:
            _, snapshot = await back(second, host)
            assert snapshot["publications"] == []
            assert not snapshot["publishes"]


async def test_a_mute_that_the_node_did_not_hear_of_is_made_true() -> None:
    async with two_lives() as (first, restart):
        host = await first.join()
        camera = await host.publish("camera", "video")
        await host.request("mute", publication_id=camera)
        first.node.producer_of("camera").paused = False
        async with restart() as second:
            assert second.node.producer_of("camera").paused


async def test_notes_that_cannot_be_read_end_their_session_and_no_other() -> None:
    async with two_lives() as (first, restart):
        host = await first.join()
        await host.publish("camera", "video")
        (router,) = first.node.routers
        revision, notes = first.node.notes[router]
        first.node.notes[router] = (revision, {**notes, "session": "{}"})
        async with restart() as second:
            assert not second.node.routers
            with pytest.raises(Refused):
                await back(second, host)
            assert (await second.join()).joined["session_id"] != host.joined["session_id"]


async def test_no_token_is_in_the_notes() -> None:
    async with live_world() as world:
        host = await world.join()
        for _, notes in world.node.notes.values():
            assert notes, "there are notes"
            assert not [text for text in notes.values() if host.joined["resume_token"] in text]


async def test_notes_go_with_what_they_are_about() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await other.publish("camera", "video")
        await other.request("set_view", mode="speakers", count=2)
        await host.request("kick", peer_ids=[other.peer_id])
        ((_, notes),) = world.node.notes.values()
        assert {key.partition("/")[0] for key in notes} == {"id", "session", "preset", "peer", "token"}
        assert [key for key in notes if other.peer_id in key] == []


async def test_a_session_on_two_nodes_goes_on_on_both_with_its_pipe() -> None:
    async with two_lives(nodes=TWO_NODES) as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        fakes = first.nodes.started
        assert [len(one.pipes) for one in fakes] == [1, 1]
        pipes, producers = [set(one.pipes) for one in fakes], [set(one.producers) for one in fakes]
        async with restart() as second:
            host, _ = await back(second, host)
            _, snapshot = await back(second, other)
            assert snapshot["subscriptions"] == [camera]
            assert [set(one.pipes) for one in fakes] == pipes
            assert [set(one.producers) for one in fakes] == producers
            assert second.supervisor.pipes.count == 1
            await host.request("mute", publication_id=camera)
            assert all(one.producer_of("camera").paused for one in fakes)
            await host.request("unpublish", publication_ids=[camera])
            assert not any(one.producers for one in fakes)


async def test_half_a_pipe_is_closed_with_what_came_by_it() -> None:
    async with two_lives(nodes=TWO_NODES) as (first, restart):
        host, other = await first.join(), await first.join("group_call_participant")
        camera = await host.publish("camera", "video")
        await other.subscribe(camera)
        origin = next(
            one for one in first.nodes.started if one.producer_of("camera").transport_id in one.transports
        )
        await origin.request(node.ClosePipe(pipe_id=next(iter(origin.pipes))))
        async with restart() as second:
            assert not any(one.pipes for one in first.nodes.started)
            again, snapshot = await back(second, other)
            assert snapshot["subscriptions"] == []
            assert (await again.subscribe(camera))[0]["ok"]
