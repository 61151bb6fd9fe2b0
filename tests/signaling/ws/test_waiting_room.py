"""Who waits to be admitted: what they are told and may do, and who decides about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signaling.domain import waiting_room
from signaling.domain.meeting import MeetingStatus
from signaling.domain.session_status import SessionStatus
from signaling.domain.targets import Targets
from signaling.errors import MeetingFullError
from signaling.protocol.closing import CloseCode
from tests.signaling.services.test_live_webhooks import JOINED, STARTED, subscribe, told_of
from tests.signaling.ws.test_life_cycle import opened, stored
from tests.signaling.ws.test_policies import changed
from tests.signaling.ws.test_restart import two_lives
from tests.support.live_world import MEETING, ORGANIZATION, LiveWorld, Refused, WsClient, live_world, until

GUEST = "group_call_participant"


async def guests_wait(world: LiveWorld, kind: str = "SKIP_ON_ACCEPT") -> None:
    await world.change_preset(GUEST, {"permissions": {"waiting_room_type": kind}})


async def admitted(world: LiveWorld, client: WsClient) -> WsClient:
    """With the ordinary welcome."""
    client.joined = (await client.hears("admitted"))["joined"]
    return client


def waits(client: WsClient) -> bool:
    """Whether that is what the join was answered with."""
    return "session_id" not in client.joined


def waiting_ids(world: LiveWorld) -> list[str]:
    return [peer.id for live in world.live._running for peer in live.session.waiting_room]


async def test_whoever_comes_next_can_be_told_what_they_will_find() -> None:
    async with live_world() as world:
        assert await world.live.outlook(MEETING, "somebody", names=2) is None
        await guests_wait(world)
        guest = await world.join(GUEST, name="Grace")
        found = await world.live.outlook(MEETING, "somebody", names=2)
        assert found is not None
        assert (found.live_participants, found.present, found.moderated) == (0, (), False)
        host = await world.join(name="Ada")
        await host.request("admit", peer_ids=[guest.peer_id])
        for name in ("Alan", "Mary"):
            await world.join(name=name)
        found = await world.live.outlook(MEETING, "somebody", names=2)
        assert found is not None
        assert [one.name for one in found.present] == ["Ada", "Grace"]
        assert (found.live_participants, found.lobby, found.moderated, found.admitted) == (
            4,
            False,
            True,
            False,
        )
        grace = guest.joined["me"]["participant_id"]
        again = await world.live.outlook(MEETING, grace, names=2)
        assert again is not None and again.admitted


async def test_a_peer_that_waited_was_there_since_its_socket_was_opened() -> None:
    async with live_world() as world:
        await guests_wait(world)
        host, guest = await world.join(), await world.join(GUEST)
        world.clock.advance(40)
        await host.request("admit", peer_ids=[guest.peer_id])
        await admitted(world, guest)
        async with world.store() as uow:
            one = await uow.history.attendance(ORGANIZATION, guest.peer_id)
        assert one is not None and one.socket_id is not None
        assert (one.joined_at - one.created_at).total_seconds() == 40


async def test_who_waits_hears_and_may_nothing_until_a_moderator_admits_them() -> None:
    async with live_world() as world:
        await guests_wait(world)
        host = await world.join()
        guest = await world.join(GUEST, name="Grace")
        waiting = guest.joined
        assert (waiting["me"]["name"], waiting["meeting"]["title"]) == ("Grace", "Weekly")
        assert set(waiting) == {"me", "peer_id", "seq", "meeting", "ui"}
        told = await host.hears("peer_waiting")
        assert told["peer"] == waiting["me"]

        camera = await host.publish("camera", "video")
        assert await guest.request("ping") == {}
        for request, fields in (
            ("subscribe", {"subscriptions": [{"publication_id": camera}]}),
            ("admit", {"peer_ids": [guest.peer_id]}),
            ("get_stats", {}),
        ):
            with pytest.raises(Refused) as refused:
                await guest.request(request, **fields)
            assert refused.value.name == "InvalidState"
        with pytest.raises(Refused):
            await guest.publish("camera", "video")
        assert not guest.events
        assert len(world.node.transports) == 1, "the host's"
        view = await world.live.active(MEETING)
        assert view is not None and view.live_participants == 1

        done = await host.request("admit", peer_ids=[guest.peer_id])
        assert done == {"peers": [{"peer_id": guest.peer_id, "ok": True, "error": None}]}
        welcome = (await admitted(world, guest)).joined
        assert welcome["seq"] == guest.seqs[0]
        assert [one["peer_id"] for one in welcome["peers"]] == [host.peer_id]
        assert [one["publication_id"] for one in welcome["publications"]] == [camera]
        assert (await host.hears("peer_joined"))["peer"]["peer_id"] == guest.peer_id
        assert (await host.hears("peer_waiting_ended"))["reason"] == "admitted"
        assert (await guest.subscribe(camera))[0]["ok"]
        await guest.publish("microphone", "audio")
        await guest.lose()
        again = await world.resume(guest)
        assert again.peer_id == guest.peer_id


async def test_who_is_denied_is_out_with_that_reason_and_waits_again_when_they_come_again() -> None:
    async with live_world() as world:
        await guests_wait(world)
        host, guest, other = await world.join(), await world.join(GUEST), await world.join(GUEST)
        done = await host.request("deny", peer_ids=[guest.peer_id, "peer_unknown"])
        assert {one["peer_id"]: one["ok"] for one in done["peers"]} == {
            guest.peer_id: True,
            "peer_unknown": False,
        }
        assert await guest.closed() == CloseCode.REJECTED
        assert [one["type"] for one in guest.events] == ["session_left"]
        assert guest.events[0]["reason"] == "rejected"
        assert (await host.hears("peer_waiting_ended"))["reason"] == "rejected"
        assert not host.heard("peer_joined") and not host.heard("peer_left")
        assert waiting_ids(world) == [other.peer_id]
        await host.request("deny", all=True)
        assert await other.closed() == CloseCode.REJECTED
        assert waits(await world.join(GUEST))
        with pytest.raises(Refused) as refused:
            await host.request("admit")
        assert refused.value.name == "InvalidInput"


async def test_some_come_in_with_whoever_may_admit_and_a_session_is_waiting_until_then() -> None:
    async with live_world() as world:
        await subscribe(world.store)
        await guests_wait(world, "ON_PRIVILEGED_USER_ENTRY")
        first, second = await world.join(GUEST), await world.join(GUEST)
        live = await world.live.active(MEETING)
        assert live is not None
        assert (live.status, live.started_at, live.live_participants) == (SessionStatus.WAITING, None, 0)
        assert (await stored(world, live.id)).status is SessionStatus.WAITING
        assert await told_of(world) == []
        await world.wait(120)
        host = await world.join()
        assert {one["peer_id"] for one in host.joined["peers"]} == {first.peer_id, second.peer_id}
        assert host.joined["waiting"] == []
        for guest in (first, second):
            assert (await admitted(world, guest)).joined["session_id"] == live.id
        assert (await stored(world, live.id)).status is SessionStatus.LIVE
        assert await told_of(world) == [STARTED, JOINED, JOINED, JOINED]
        await host.request("leave")
        assert waits(await world.join(GUEST)), "nobody looks after them any more"


async def test_a_lost_socket_takes_off_the_list() -> None:
    async with live_world() as world:
        await guests_wait(world)
        session_id = await opened(world)
        guest = await world.join(GUEST)
        await guest.lose()
        await until(lambda: not waiting_ids(world), "the guest is off the list")
        await until(lambda: not world.hub._entries, "its mailbox is closed")
        record = await stored(world, session_id)
        assert record.status is SessionStatus.READY
        host, another = await world.join(), await world.join(GUEST)
        await another.request("leave")
        assert await another.closed() == CloseCode.LEFT
        assert (await host.hears("peer_waiting_ended"))["reason"] == "left"


async def test_a_lobby_keeps_everybody_who_may_not_admit_and_can_be_opened_at_once() -> None:
    async with live_world() as world:
        await changed(world, lobby_enabled=True)
        host, guest = await world.join(), await world.join(GUEST)
        assert waits(guest) and not waits(host)
        late = await world.join("webinar_presenter")
        assert [one["peer_id"] for one in late.joined["waiting"]] == [guest.peer_id]
        await changed(world, lobby_enabled=False)
        await admitted(world, guest)
        await changed(world, lobby_enabled=True)
        assert waits(await world.join(GUEST))


async def test_only_who_may_admit_hears_and_decides_and_follows_changes_of_that_right() -> None:
    async with live_world() as world:
        await changed(world, lobby_enabled=True)
        host, member = await world.join(), await world.join("webinar_presenter")
        await world.change_preset("webinar_presenter", {"permissions": {"accept_waiting_requests": False}})
        assert (await member.hears("waiting_list"))["waiting"] == []
        guest = await world.join(GUEST)
        await host.hears("peer_waiting")
        with pytest.raises(Refused) as refused:
            await member.request("admit", all=True)
        assert refused.value.name == "PermissionDenied"
        with pytest.raises(Refused):
            await member.request("deny", all=True)
        await world.change_preset("webinar_presenter", {"permissions": {"accept_waiting_requests": True}})
        await until(lambda: len(member.heard("waiting_list")) == 2, "the list")
        assert member.heard("waiting_list")[-1]["waiting"] == [guest.joined["me"]]
        assert not member.heard("peer_waiting")
        await member.request("admit", all=True)
        await admitted(world, guest)


async def test_one_too_many_is_refused_to_the_moderator_and_goes_on_waiting() -> None:
    async with live_world() as world:
        await guests_wait(world)
        await changed(world, max_participants=2)
        host, first, second = await world.join(), await world.join(GUEST), await world.join(GUEST)
        done = await host.request("admit", all=True)
        assert [one["ok"] for one in done["peers"]] == [True, False]
        assert done["peers"][1]["error"]["name"] == "MeetingFull"
        assert waiting_ids(world) == [second.peer_id]
        with pytest.raises(MeetingFullError):
            await world.live.admit(MEETING, Targets(everybody=True))
        await (await admitted(world, first)).request("leave")
        assert waiting_ids(world) == [second.peer_id], "the moderator's word is needed again"
        await host.request("admit", peer_ids=[second.peer_id])
        await admitted(world, second)


async def test_whom_the_rules_let_in_but_not_the_room_comes_in_when_somebody_leaves() -> None:
    async with live_world() as world:
        await guests_wait(world, "ON_PRIVILEGED_USER_ENTRY")
        await changed(world, max_participants=2)
        first, second = await world.join(GUEST), await world.join(GUEST)
        host = await world.join()
        await admitted(world, first)
        assert waiting_ids(world) == [second.peer_id]
        assert [one["peer_id"] for one in host.joined["waiting"]] == [second.peer_id]
        await first.request("leave")
        await admitted(world, second)


async def test_who_was_admitted_comes_back_without_waiting_unless_put_out() -> None:
    async with live_world() as world:
        await guests_wait(world)
        host = await world.join()
        person = await world.participant(GUEST)
        token = world.tokens.issue(person)
        guest = await (await world.socket()).join(token)
        await host.request("admit", all=True)
        await (await admitted(world, guest)).request("leave")
        again = await (await world.socket()).join(token)
        assert not waits(again)
        await host.request("kick", peer_ids=[again.peer_id])
        assert waits(await (await world.socket()).join(token))


async def test_what_changes_of_one_who_waits_is_told_and_may_let_them_in() -> None:
    async with live_world() as world:
        await guests_wait(world)
        host = await world.join()
        person = await world.participant(GUEST)
        guest = await (await world.socket()).join(world.tokens.issue(person))
        await world.live.participant_changed(replace(person, name="Renamed"))
        await host.hears("peer_waiting", peer={**guest.joined["me"], "name": "Renamed"})
        await guests_wait(world, "SKIP")
        assert (await admitted(world, guest)).joined["me"]["name"] == "Renamed"
        await guests_wait(world)
        other = await world.participant(GUEST)
        removed = await (await world.socket()).join(world.tokens.issue(other))
        await world.live.participant_removed(other)
        assert await removed.closed() == CloseCode.KICKED


async def test_whom_the_meeting_does_not_take_any_more_is_not_let_in_for_having_waited() -> None:
    async with live_world() as world:
        await guests_wait(world)
        host, guest = await world.join(), await world.join(GUEST)
        await changed(world, join_policy="ORGUNIT")
        done = await host.request("admit", peer_ids=[guest.peer_id])
        assert done["peers"][0]["error"]["name"] == "JoinRefused"
        assert waiting_ids(world) == [guest.peer_id]
        await changed(world, join_policy="PUBLIC", status=MeetingStatus.INACTIVE)
        done = await host.request("admit", peer_ids=[guest.peer_id])
        assert done["peers"][0]["error"]["name"] == "MeetingInactive"
        await guests_wait(world, "SKIP")
        assert await guest.closed() == CloseCode.REJECTED


async def test_the_end_of_the_session_is_told_to_those_who_wait() -> None:
    async with live_world() as world:
        await guests_wait(world)
        guest = await world.join(GUEST)
        live = await world.live.active(MEETING)
        assert live is not None
        assert await world.live.kick_all(MEETING) == 0
        assert await guest.closed() == CloseCode.ENDED
        assert guest.events == [{"type": "session_left", "reason": "ended"}]
        assert (await stored(world, live.id)).status is SessionStatus.CANCELLED


async def test_a_session_of_which_nobody_is_admitted_expires() -> None:
    async with live_world() as world:
        await guests_wait(world)
        guest = await world.join(GUEST)
        live = await world.live.active(MEETING)
        assert live is not None
        await world.wait(3599)
        assert guest.joined["peer_id"] in waiting_ids(world)
        await world.wait(2)
        assert await guest.closed() == CloseCode.ENDED
        over = await stored(world, live.id)
        assert (over.status, over.end_reason) == (SessionStatus.EXPIRED, "NOBODY_ADMITTED")


async def test_a_session_that_was_left_to_those_who_wait_is_waiting_and_goes_on_with_whoever_comes_back() -> (
    None
):
    async with live_world() as world:
        await guests_wait(world)
        host, guest = await world.join(), await world.join(GUEST)
        session_id = host.joined["session_id"]
        await host.request("leave")
        assert (await stored(world, session_id)).status is SessionStatus.WAITING
        await world.wait(600)
        back = await world.join()
        assert back.joined["session_id"] == session_id
        assert [one["peer_id"] for one in back.joined["waiting"]] == [guest.peer_id]
        assert (await stored(world, session_id)).status is SessionStatus.LIVE


async def test_no_more_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "MAX_WAITING", 1)
    async with live_world() as world:
        await guests_wait(world)
        await world.join(GUEST)
        with pytest.raises(Refused) as refused:
            await world.join(GUEST)
        assert (refused.value.name, refused.value.retry_after) == ("WaitingRoomFull", 15.0)


async def test_whoever_comes_over_http_is_not_let_around_the_waiting_room() -> None:
    async with live_world() as world:
        await guests_wait(world)
        await world.join()
        person = await world.participant(GUEST)
        token = world.tokens.issue(person)

        async def whip() -> Any:
            offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\n"
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
            url = world.server.make_url(f"/v2/whip/{MEETING}")
            async with world.http.post(url, data=offer, headers=headers) as response:
                return response.status, await response.json(
                    content_type=None
                ) if response.status > 201 else None

        status, body = await whip()
        assert (status, body["error"]["name"]) == (409, "NotAdmitted")
        await (await world.socket()).join(token)
        await world.live.admit(MEETING, Targets(participant_ids=(person.id,)))
        status, _ = await whip()
        assert status == 201


async def test_a_process_that_takes_over_knows_who_was_admitted_and_not_who_waited() -> None:
    async with two_lives() as (first, restart):
        await guests_wait(first)
        host = await first.join()
        person = await first.participant(GUEST)
        guest = await (await first.socket()).join(first.tokens.issue(person))
        await host.request("admit", all=True)
        await (await admitted(first, guest)).request("leave")
        await first.join(GUEST)
        async with restart() as second:
            assert not waiting_ids(second)
            again = await (await second.socket()).join(second.tokens.issue(person))
            assert again.joined["session_id"] == host.joined["session_id"]
            assert waits(await second.join(GUEST))


async def test_who_was_waiting_alone_when_the_process_died_finds_the_session_ready() -> None:
    async with two_lives() as (first, restart):
        await guests_wait(first)
        await first.join(GUEST)
        live = await first.live.active(MEETING)
        assert live is not None
        async with restart() as second:
            assert (await stored(second, live.id)).status is SessionStatus.READY
            await second.join(GUEST)
            assert (await stored(second, live.id)).status is SessionStatus.WAITING
