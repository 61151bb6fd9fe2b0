from __future__ import annotations

import asyncio

import pytest

from signaling.domain.listing import EVERY_SESSION, FIRST_PAGE
from signaling.domain.session import SessionStatus
from signaling.store.database import Database
from tests.support.live_world import MEETING, ORGANIZATION, Refused, live_world, until
from tests.support.store_faults import breaks_after_commit, store_away


async def test_a_join_that_cannot_be_written_is_refused_and_leaves_no_trace() -> None:
    async with live_world() as world:
        host = await world.join()
        token = world.tokens.issue(await world.participant("group_call_host"))
        with store_away(), pytest.raises(Refused) as refused:
            await (await world.socket()).join(token)
        assert refused.value.name == "InternalError"
        view = await world.live.active(MEETING)
        assert view is not None
        assert view.live_participants == 1
        assert not host.heard("peer_joined")


async def test_a_join_of_which_nobody_knows_whether_it_was_written_is_refused_and_noted_as_over() -> None:
    async with live_world() as world:
        host = await world.join()
        token = world.tokens.issue(await world.participant("group_call_host"))
        with breaks_after_commit(), pytest.raises(Refused) as refused:
            await (await world.socket()).join(token)
        assert refused.value.name == "OutcomeUnknown"
        await world.wait(0.0)
        async with world.store() as uow:
            rows = await uow.sessions.attendances(host.joined["session_id"])
        assert [row.leave_reason for row in rows] == [None, "not_confirmed"]


async def test_a_first_join_that_cannot_be_written_leaves_no_router() -> None:
    async with live_world() as world:
        token = world.tokens.issue(await world.participant("group_call_host"))
        with store_away(), pytest.raises(Refused):
            await (await world.socket()).join(token)
        assert not world.node.routers
        assert await world.live.active(MEETING) is None
        await (await world.socket()).join(token)


async def test_a_session_of_which_nobody_knows_whether_it_was_written_keeps_no_other_from_beginning() -> None:
    async with live_world() as world:
        token = world.tokens.issue(await world.participant("group_call_host"))
        with breaks_after_commit(), pytest.raises(Refused):
            await (await world.socket()).join(token)
        async with world.store() as uow:
            (left,) = await uow.sessions.unfinished()
        host = await (await world.socket()).join(token)
        async with world.store() as uow:
            ended = await uow.sessions.get(left.id)
            (going_on,) = await uow.sessions.unfinished()
        assert ended is not None
        assert (ended.status, ended.end_reason) == (SessionStatus.CANCELLED, "not_confirmed")
        assert going_on.id == host.joined["session_id"]


async def test_media_stops_and_people_are_told_while_the_store_is_away_and_the_rows_follow() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await other.publish("camera", "video")
        with store_away():
            await host.request("kick", peer_ids=[other.peer_id])
            assert not world.node.producers
            assert await other.closed() == 4001
        await world.wait(0.0)

        async with world.store() as uow:
            rows = await uow.sessions.attendances(host.joined["session_id"])
        assert {row.peer_id: row.leave_reason for row in rows} == {
            host.peer_id: None,
            other.peer_id: "kicked",
        }


async def test_an_end_that_could_not_be_written_is_written_later_and_keeps_nobody_out() -> None:
    async with live_world() as world:
        host = await world.join()
        with store_away():
            await host.request("kick_all")
            assert not world.node.routers
        again = await world.join()
        assert again.joined["session_id"] != host.joined["session_id"]
        with store_away():
            await again.request("kick_all")
        await world.wait(0.0)
        async with world.store() as uow:
            assert list(await uow.sessions.unfinished()) == []
            for one in (host, again):
                record = await uow.sessions.get(one.joined["session_id"])
                assert record is not None
                assert record.end_reason == "HOST_ENDED_MEETING"


async def test_what_a_join_confirmed_is_in_the_store_before_the_answer() -> None:
    async with live_world() as world:
        host = await world.join()
        async with world.store() as uow:
            record = await uow.sessions.get(host.joined["session_id"])
            (attendance,) = await uow.sessions.attendances(host.joined["session_id"])
        assert record is not None
        assert record.status is SessionStatus.LIVE
        assert (attendance.peer_id, attendance.left_at) == (host.peer_id, None)


async def test_an_attendance_says_what_the_client_was_and_where_it_came_from() -> None:
    async with live_world() as world:
        host = await world.join(sdk="sdk/1", device="mobile", context='{"seat": 4}')
        async with world.store() as uow:
            one = await uow.history.attendance(ORGANIZATION, host.peer_id)
        assert one is not None
        assert (one.sdk, one.device, one.context, one.view_type) == (
            "sdk/1",
            "mobile",
            '{"seat": 4}',
            "GROUP_CALL",
        )
        assert one.address == "127.0.0.1"
        assert one.user_agent is not None and one.user_agent.startswith("Python/")
        assert one.custom_participant_id == "custom-1"


async def test_recorders_and_the_hidden_are_not_counted() -> None:
    async with live_world() as world:
        await world.change_preset("group_call_participant", {"permissions": {"hidden_participant": True}})
        await world.change_preset("webinar_viewer", {"permissions": {"recorder_type": "RECORDER"}})
        await world.join()
        await world.join("webinar_viewer")
        await world.join("group_call_participant")
        world.clock.advance(60)
        view = await world.live.active(MEETING)
        assert view is not None
        assert (view.live_participants, view.max_concurrent_participants, view.minutes_consumed) == (1, 1, 1)
        await world.live.kick_all(MEETING)
        async with world.store() as uow:
            ((session,), _) = await uow.history.sessions(ORGANIZATION, EVERY_SESSION, FIRST_PAGE)
        assert (session.seconds_consumed, session.max_concurrent_participants) == (60, 1)
        assert session.meeting_title == "Weekly"


async def test_that_a_socket_went_and_came_back_is_kept_with_the_attendance() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join()
        world.clock.advance(3)
        await host.lose()
        await other.hears("peer_updated")
        world.clock.advance(4)
        await world.resume(host)
        await world.live.kick_all(MEETING)
        async with world.store() as uow:
            one = await uow.history.attendance(ORGANIZATION, host.peer_id)
        assert one is not None
        seconds = [(event.kind, (event.at - one.joined_at).total_seconds()) for event in one.events]
        assert seconds == [("detached", 3), ("resumed", 7)]
        first, second = one.socket_id, one.last_socket_id
        assert first and second and first != second
        assert [event.socket_id for event in one.events] == [None, second]


async def test_a_socket_that_replaces_one_that_is_still_there_is_kept_though_nobody_was_seen_away() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join()
        again = await world.resume(host)
        assert await host.closed() == 4004
        await again.request("leave")
        await other.hears("peer_left")
        async with world.store() as uow:
            one = await uow.history.attendance(ORGANIZATION, host.peer_id)
        assert one is not None
        assert [event.kind for event in one.events] == ["resumed"]
        assert one.last_socket_id not in (None, one.socket_id)


async def test_the_next_process_goes_on_with_the_sockets_of_those_who_are_in() -> None:
    async with live_world() as first:
        host = await first.join()
        await first.die()
        async with live_world(after=first) as second:
            await second.resume(host, snapshot=True)
            await second.live.kick_all(MEETING)
            async with second.store() as uow:
                one = await uow.history.attendance(ORGANIZATION, host.peer_id)
            assert one is not None
            assert one.opened_at is not None
            assert one.socket_id and one.last_socket_id not in (None, one.socket_id)


async def test_a_removal_that_runs_against_a_join_leaves_nobody_inside() -> None:
    async with live_world() as world:
        await world.join()
        person = await world.participant("group_call_participant")
        client = await world.socket()
        async with world.store() as uow:
            await uow.participants.remove(person)
            joining = asyncio.create_task(client.join(world.tokens.issue(person)))
            await asyncio.sleep(0)
            await uow.commit()
        await world.live.participant_removed(person)
        try:
            await joining
        except Refused as refused:
            assert refused.name == "InvalidToken"
        await until(
            lambda: all(
                peer.participant_id != person.id
                for live in world.live._running
                for peer in live.session.peers.values()
            ),
            "the removed participant to be out",
        )


async def test_many_first_joins_make_one_session_and_every_row_is_there(either: Database) -> None:
    async with live_world(store=either) as world:
        people = [await world.participant("group_call_participant") for _ in range(8)]
        sockets = [await world.socket() for _ in people]
        await asyncio.gather(
            *(one.join(world.tokens.issue(who)) for one, who in zip(sockets, people, strict=True))
        )
        (session_id,) = {one.joined["session_id"] for one in sockets}
        await world.live.kick_all(MEETING)

        async with either() as uow:
            record = await uow.sessions.get(session_id)
            rows = await uow.sessions.attendances(session_id)
            assert await uow.sessions.active_for(MEETING) is None
        assert record is not None
        assert (record.status, record.max_concurrent_participants) == (SessionStatus.FINISHED, 8)
        assert {row.leave_reason for row in rows} == {"ended"}
        assert len(rows) == 8
