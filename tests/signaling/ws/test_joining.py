from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sfu.control import messages as node
from signaling.domain.meeting import MeetingStatus
from signaling.domain.session import SessionStatus
from tests.support.live_world import MEETING, ORGANIZATION, Refused, live_world


async def test_a_join_tells_who_is_there_and_what_one_may_do() -> None:
    async with live_world() as world:
        host = await world.join("webinar_presenter")
        camera = await host.publish("camera", "video")
        viewer = await world.join("webinar_viewer")

        assert [peer["peer_id"] for peer in viewer.joined["peers"]] == [host.peer_id]
        assert [one["publication_id"] for one in viewer.joined["publications"]] == [camera]
        assert viewer.joined["session_id"] == host.joined["session_id"]
        assert viewer.joined["stage"] == {
            "enabled": True,
            "status": "OFF_STAGE",
            "access": "CAN_REQUEST",
            "is_host": False,
            "can_produce": {"audio": False, "video": False, "screenshare": False},
        }
        assert host.joined["stage"]["is_host"]
        assert viewer.joined["permissions"]["media"]["audio"]["can_produce"] == "CAN_REQUEST"
        assert viewer.joined["meeting"]["meeting_id"] == MEETING


async def test_those_inside_hear_of_a_join_and_of_a_leave() -> None:
    async with live_world() as world:
        first = await world.join()
        second = await world.join("group_call_participant")

        assert (await first.hears("peer_joined"))["peer"]["peer_id"] == second.peer_id

        await second.request("leave")

        assert await first.hears("peer_left", peer_id=second.peer_id, reason="left")
        assert await second.closed() == 1000
        assert second.heard("session_left", reason="left")


async def test_the_same_participant_in_two_tabs_is_two_peers() -> None:
    async with live_world() as world:
        token = world.tokens.issue(await world.participant("group_call_host"))
        one = await (await world.socket()).join(token)
        two = await (await world.socket()).join(token)

        assert one.peer_id != two.peer_id
        assert one.joined["me"]["participant_id"] == two.joined["me"]["participant_id"]


async def test_a_hundred_first_joins_at_once_make_one_session() -> None:
    async with live_world() as world:
        people = [await world.participant("group_call_participant") for _ in range(100)]
        sockets = [await world.socket() for _ in people]

        await asyncio.gather(
            *(socket.join(world.tokens.issue(person)) for socket, person in zip(sockets, people, strict=True))
        )

        assert len({socket.joined["session_id"] for socket in sockets}) == 1
        assert len(world.node.routers) == 1
        async with world.store() as uow:
            assert len(await uow.sessions.unfinished()) == 1
            (session_id,) = {socket.joined["session_id"] for socket in sockets}
            record = await uow.sessions.get(session_id)
            assert record is not None
            assert record.max_concurrent_participants == 100


async def test_a_bad_token_is_refused() -> None:
    async with live_world() as world:
        socket = await world.socket()
        with pytest.raises(Refused) as refused:
            await socket.join("nonsense")
        assert refused.value.name == "InvalidToken"


async def test_the_token_of_a_removed_participant_is_refused() -> None:
    async with live_world() as world:
        participant = await world.participant("group_call_host")
        async with world.store() as uow:
            await uow.participants.remove(participant)
            await uow.commit()
        socket = await world.socket()
        with pytest.raises(Refused) as refused:
            await socket.join(world.tokens.issue(participant))
        assert refused.value.name == "InvalidToken"


async def test_nobody_joins_a_meeting_that_is_inactive() -> None:
    async with live_world() as world:
        async with world.store() as uow:
            meeting = await uow.meetings.get(ORGANIZATION, MEETING)
            assert meeting is not None
            await uow.meetings.save(replace(meeting, status=MeetingStatus.INACTIVE))
            await uow.commit()
        with pytest.raises(Refused) as refused:
            await world.join()
        assert refused.value.name == "MeetingInactive"


async def test_a_display_name_of_ones_own_needs_the_permission() -> None:
    async with live_world() as world:
        allowed = await world.join("webinar_viewer", name="Somebody")
        assert allowed.joined["me"]["name"] == "Somebody"
        await world.change_preset("webinar_viewer", {"permissions": {"can_edit_display_name": False}})
        with pytest.raises(Refused) as refused:
            await world.join("webinar_viewer", name="Somebody Else")
        assert refused.value.code == 2001


async def test_a_hidden_peer_sees_and_is_not_seen() -> None:
    async with live_world() as world:
        await world.change_preset("group_call_participant", {"permissions": {"hidden_participant": True}})
        host = await world.join()
        hidden = await world.join("group_call_participant")
        late = await world.join()

        assert {peer["peer_id"] for peer in hidden.joined["peers"]} == {host.peer_id}
        assert {peer["peer_id"] for peer in late.joined["peers"]} == {host.peer_id}
        await host.hears("peer_joined")
        assert [event["peer"]["peer_id"] for event in host.heard("peer_joined")] == [late.peer_id]
        assert await hidden.hears("peer_joined")
        with pytest.raises(Refused) as refused:
            await hidden.publish("microphone", "audio")
        assert refused.value.code == 2001


async def test_a_session_ends_when_it_was_empty_for_the_grace_period_and_a_later_join_makes_another() -> None:
    async with live_world() as world:
        first = await world.join()
        session_id = first.joined["session_id"]
        await first.request("leave")

        await world.wait(59)
        assert await world.live.active(MEETING) is not None
        await world.wait(2)

        assert await world.live.active(MEETING) is None
        assert not world.node.routers
        async with world.store() as uow:
            record = await uow.sessions.get(session_id)
            assert record is not None
            assert record.status is SessionStatus.FINISHED
            (attendance,) = await uow.sessions.attendances(session_id)
            assert attendance.leave_reason == "left"
        assert (await world.join()).joined["session_id"] != session_id


async def test_a_join_within_the_grace_period_is_in_the_same_session() -> None:
    async with live_world() as world:
        first = await world.join()
        await first.request("leave")
        await world.wait(30)
        again = await world.join()
        await world.wait(40)

        assert again.joined["session_id"] == first.joined["session_id"]
        assert await world.live.active(MEETING) is not None


async def test_a_join_is_refused_with_a_reason_when_no_node_serves() -> None:
    async with live_world() as world:
        world.nodes.failures = [OSError("port taken")] * 1000
        world.node.die()
        with pytest.raises(Refused) as refused:
            await world.join()
        assert refused.value.name == "MediaUnavailable"


def report(cpu: float = 0.1, pressure: int = 0) -> node.NodeLoad:
    return node.NodeLoad(
        cpu=cpu, pressure=pressure, packets_per_second=1.0, routers=1, transports=2, counters={}
    )


async def test_a_full_server_takes_nobody_new_and_says_when_to_come_back() -> None:
    async with live_world() as world:
        await world.join()
        world.node.emit(report(cpu=0.9))
        refusals = []
        for _ in range(5):
            with pytest.raises(Refused) as refused:
                await world.join()
            refusals.append(refused.value)
        assert {(one.code, one.name) for one in refusals} == {(9458, "Overloaded")}
        waits = [one.retry_after for one in refusals]
        assert all(wait is not None and 5 <= wait <= 15 for wait in waits)
        assert len(set(waits)) > 1, "they do not all come back at once"
        world.node.emit(report())
        await world.join()


async def test_who_is_in_resumes_and_publishes_on_however_full_the_server_is() -> None:
    async with live_world() as world:
        member = await world.join("group_call_host")
        await member.publish("microphone", "audio")
        world.node.emit(report(cpu=1.0, pressure=4))
        await member.lose()
        again = await world.resume(member)
        await again.publish("camera", "video", mid="1")
        assert world.node.producer_of("camera")


async def test_who_is_in_without_media_gets_it_unless_the_nodes_give_things_up_already() -> None:
    async with live_world() as world:
        early, late = await world.join("group_call_host"), await world.join("group_call_host")
        world.node.emit(report(cpu=0.9))
        await early.publish("microphone", "audio")
        world.node.emit(report(cpu=1.0, pressure=1))
        with pytest.raises(Refused) as refused:
            await late.publish("microphone", "audio")
        assert refused.value.name == "Overloaded"
        assert refused.value.retry_after is not None
