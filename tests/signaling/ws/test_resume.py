from __future__ import annotations

import asyncio

import pytest

from sfu.control import messages as node
from signaling.domain.session_status import SessionEndReason
from signaling.services.live.service import LiveService
from signaling.testing import FakeTokens
from signaling.ws.connection import WsSettings
from tests.support.live_world import MEETING, Refused, live_world, until


async def test_events_of_the_time_away_are_replayed_in_order_and_once() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        camera = await other.publish("camera", "video")
        await host.lose()
        await other.hears("peer_updated")
        for n in range(20):
            await other.request("mute" if n % 2 == 0 else "unmute", publication_id=camera)

        again = await world.resume(host)
        await again.hears("publication_updated")
        await until(lambda: len(again.heard("publication_updated")) == 20, "all that was missed")

        assert host.seqs + again.seqs == list(range(1, host.seqs[-1] + again.joined["replayed"] + 1))
        assert again.peer_id == host.peer_id
        assert again.joined["session_id"] == host.joined["session_id"]


async def test_while_the_socket_is_away_media_flows_and_others_see_it_detached() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await host.publish("camera", "video")
        await host.lose()

        detached = await other.hears("peer_updated")
        assert detached["peer"]["connection"] == "detached"
        assert world.node.producer_of("camera")

        again = await world.resume(host)
        await until(lambda: len(other.heard("peer_updated")) == 2, "the news of the resume")
        assert other.heard("peer_updated")[-1]["peer"]["connection"] == "connected"
        assert not other.heard("peer_left")
        await again.publish("microphone", "audio", mid="1")


async def test_a_resume_that_comes_too_late_is_refused_and_the_peer_has_left() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await host.publish("camera", "video")
        await host.lose()
        await other.hears("peer_updated")
        await world.wait(29)
        assert not other.heard("peer_left")
        await world.wait(1)

        assert await other.hears("peer_left", peer_id=host.peer_id, reason="timeout")
        assert not world.node.producers
        with pytest.raises(Refused) as refused:
            await world.resume(host)
        assert refused.value.name == "ResumeRefused"


async def test_the_resume_token_is_new_each_time_and_the_old_one_is_void() -> None:
    async with live_world() as world:
        host = await world.join()
        again = await world.resume(host)
        assert again.joined["resume_token"] != host.joined["resume_token"]
        with pytest.raises(Refused):
            await world.resume(host)
        assert not again.socket.closed
        await again.request("ping")


async def test_a_resume_takes_over_from_a_socket_that_is_still_there() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        again = await world.resume(host)

        assert await host.closed() == 4004
        await other.publish("camera", "video")
        assert await again.hears("publication_added")
        assert not other.heard("peer_updated")


async def test_a_number_from_the_future_is_refused() -> None:
    async with live_world() as world:
        host = await world.join()
        with pytest.raises(Refused) as refused:
            await world.resume(host, last_seq=1000)
        assert refused.value.name == "ResumeRefused"


async def test_more_events_than_are_kept_cannot_be_replayed() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await other.publish("microphone", "audio")
        producer = world.node.producer_of("microphone")
        (router_id,) = world.node.routers
        await host.lose()
        before = world.hub.seq(host.peer_id)
        for level in range(1001):
            speaker = node.Speaker(producer_id=producer.id, level=level % 128)
            world.node.emit(
                node.SpeakersChanged(router_id=router_id, speakers=(speaker,), dominant=producer.id)
            )
        await until(lambda: world.hub.seq(host.peer_id) > before + 1000, "the events")
        with pytest.raises(Refused) as refused:
            await world.resume(host)
        assert refused.value.name == "ResumeRefused"


async def test_a_client_that_does_not_read_is_cut_off_and_disturbs_nobody() -> None:
    async with live_world(ws=WsSettings(max_queued_frames=50)) as world:
        slow, other = await world.join(), await world.join("group_call_participant")
        watching = await world.join()
        await other.publish("microphone", "audio")
        producer = world.node.producer_of("microphone")
        (router_id,) = world.node.routers
        slow._reader.cancel()
        slow.socket._reader._protocol.pause_reading()

        for _ in range(4000):  # more than any system keeps of what nobody reads
            speakers = tuple(node.Speaker(producer_id=producer.id, level=20) for _ in range(200))
            world.node.emit(
                node.SpeakersChanged(router_id=router_id, speakers=speakers, dominant=producer.id)
            )
            if watching.heard("peer_updated"):
                break
            await asyncio.sleep(0)
            await until(
                lambda: world.hub.seq(watching.peer_id) == watching.seqs[-1], "who reads to be up to date"
            )

        detached = await watching.hears("peer_updated")
        assert detached["peer"]["peer_id"] == slow.peer_id
        assert detached["peer"]["connection"] == "detached"
        await other.request("ping")


async def test_at_shutdown_everyone_is_told_and_may_come_again() -> None:
    async with live_world() as world:
        host = await world.join()
        await world.live.close()

        assert await host.hears("session_left", reason="shutdown")
        assert await host.closed() == 1012
        with pytest.raises(Refused) as refused:
            await world.join()
        assert refused.value.name == "Unavailable"


async def test_a_session_that_a_dead_process_left_behind_is_ended_at_the_next_start() -> None:
    async with live_world() as world:
        host = await world.join()
        session_id = host.joined["session_id"]
        async with world.store() as uow:
            assert await uow.sessions.active_for(MEETING) is not None

        another = LiveService(world.live._around, FakeTokens())
        await another.start()  # as a new process does over the same store
        await another.close()

        async with world.store() as uow:
            record = await uow.sessions.get(session_id)
            assert record is not None
            assert record.end_reason == SessionEndReason.SERVER_RESTARTED
            (attendance,) = await uow.sessions.attendances(session_id)
            assert attendance.left_at is not None
