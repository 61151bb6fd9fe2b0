from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signaling.domain import waiting_room
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.errors import (
    LimitExceededError,
    NotFoundError,
    NotJoinedError,
    WaitingRoomFullError,
)
from signaling.domain.events import (
    LeaveReason,
    PeerAdmitted,
    PeerJoined,
    PeerTurnedAway,
    PeerWaits,
    SessionEnded,
    SessionStatusChanged,
)
from signaling.domain.peer import Peer
from signaling.domain.preset import WaitingRoomType, merged
from signaling.domain.session import Session
from signaling.domain.session_status import SessionEndReason, SessionStatus
from signaling.domain.waiting_room import WaitingRoom
from tests.signaling.domain.test_session import joined, live_session, peer_of

PRESETS = {preset.name: preset for preset in DEFAULT_PRESETS}
SKIP, BY_ENTRY, BY_ACCEPT = WaitingRoomType


def guest(kind: WaitingRoomType = BY_ACCEPT, **permissions: Any) -> Peer:
    wanted = {"waiting_room_type": kind, **permissions}
    return peer_of(merged(PRESETS["group_call_participant"], {"permissions": wanted}))


def waits(session: Session, peer: Peer) -> Peer:
    session.wait(peer, now=1.0)
    return peer


@pytest.mark.parametrize(
    ("kind", "alone", "moderated", "admitted_before"),
    [(SKIP, False, False, False), (BY_ENTRY, True, False, True), (BY_ACCEPT, True, True, False)],
)
def test_who_waits_depends_on_the_preset_on_who_is_in_and_on_who_was_admitted_before(
    kind: WaitingRoomType, alone: bool, moderated: bool, admitted_before: bool
) -> None:
    room, peer = WaitingRoom(), guest(kind)
    assert room.keeps(peer, lobby=False, moderated=False) is alone
    assert room.keeps(peer, lobby=False, moderated=True) is moderated
    room.resume([peer.participant_id])
    assert room.keeps(peer, lobby=False, moderated=False) is admitted_before


@pytest.mark.parametrize("kind", list(WaitingRoomType))
def test_in_a_lobby_everybody_waits_until_admitted_whatever_the_preset_says(kind: WaitingRoomType) -> None:
    room, peer = WaitingRoom(), guest(kind)
    assert room.keeps(peer, lobby=True, moderated=True)
    room.resume([peer.participant_id])
    assert not room.keeps(peer, lobby=True, moderated=True)


def test_what_a_client_says_of_itself_is_no_way_in() -> None:
    assert WaitingRoom().keeps(replace(guest(), device="bot"), lobby=False, moderated=True)


def test_the_encoder_of_a_host_comes_in_and_looks_after_nobody() -> None:
    session = live_session()
    encoder = replace(guest(accept_waiting_requests=True), device="whip")
    assert not session.must_wait(encoder, lobby=True)
    session.join(encoder)
    assert session.must_wait(guest(BY_ENTRY), lobby=False)


@pytest.mark.parametrize(
    "permissions",
    [
        {"accept_waiting_requests": True},
        {"hidden_participant": True},
        {"is_recorder": True},
        {"recorder_type": "LIVESTREAMER"},
    ],
)
def test_who_may_admit_who_is_hidden_and_who_records_never_wait(permissions: dict[str, Any]) -> None:
    assert not WaitingRoom().keeps(guest(**permissions), lobby=True, moderated=False)


def test_a_session_is_waiting_while_only_such_are_there_that_wait() -> None:
    session = live_session()
    first, second = guest(), guest()
    assert session.wait(first, now=1.0) == [PeerWaits(first), SessionStatusChanged(SessionStatus.WAITING)]
    assert session.empty_since == 1.0
    assert session.wait(second, now=2.0) == [PeerWaits(second)]
    assert session.empty_since == 1.0, "it began to be without anybody then"
    session.turn_away(first.id, LeaveReason.REJECTED, now=3.0)
    left = session.turn_away(second.id, LeaveReason.LEFT, now=4.0)
    assert left == [
        PeerTurnedAway(second, LeaveReason.LEFT),
        SessionStatusChanged(SessionStatus.READY),
    ]
    assert session.empty_since == 4.0
    waits(session, first)
    host = joined(session, "group_call_host")
    assert (session.status, session.empty_since) == (SessionStatus.LIVE, None)
    assert SessionStatusChanged(SessionStatus.WAITING) in session.leave(host, LeaveReason.LEFT, now=5.0)
    session.turn_away(first.id, LeaveReason.LEFT, now=6.0)
    assert (session.status, session.empty_since) == (SessionStatus.LIVE, 6.0)


def test_who_is_admitted_joins_and_is_remembered_until_put_out() -> None:
    session = live_session()
    joined(session, "group_call_host")
    peer = waits(session, guest())
    assert [type(event) for event in session.admit(peer)] == [PeerAdmitted, PeerJoined]
    assert peer.id in session.peers and peer.id not in session.waiting_room
    session.leave(peer.id, LeaveReason.LEFT, now=2.0)
    assert not session.must_wait(peer, lobby=False)
    again = guest()
    session.join(again)
    session.leave(again.id, LeaveReason.KICKED, now=3.0)
    assert session.must_wait(peer, lobby=False)


def test_who_is_turned_away_is_not_remembered_and_cannot_be_admitted_any_more() -> None:
    session = live_session()
    peer = waits(session, guest())
    session.turn_away(peer.id, LeaveReason.REJECTED, now=2.0)
    assert session.must_wait(peer, lobby=False)
    with pytest.raises(NotFoundError):
        session.waiting_room.peer(peer.id)


def test_the_end_of_a_session_that_only_such_were_in_that_wait_calls_it_off_and_sends_them_away() -> None:
    session = live_session()
    peer = waits(session, guest())
    assert session.end(SessionEndReason.HOST_ENDED_MEETING, now=2.0) == [
        PeerTurnedAway(peer, LeaveReason.ENDED),
        SessionEnded(SessionEndReason.HOST_ENDED_MEETING),
    ]
    assert session.status is SessionStatus.CANCELLED
    with pytest.raises(NotJoinedError):
        session.wait(guest(), now=3.0)


def test_no_more_wait_than_may_but_who_waits_may_change() -> None:
    room = WaitingRoom()
    peers = [replace(guest(), participant_id=f"pt {number}") for number in range(waiting_room.MAX_WAITING)]
    for peer in peers:
        room.put(peer)
    with pytest.raises(WaitingRoomFullError):
        room.put(guest())
    room.put(peers[0])
    assert [one.id for one in room] == [one.id for one in peers]


def test_nobody_fills_the_room_alone() -> None:
    room = WaitingRoom()
    for _ in range(waiting_room.MAX_WAITING_EACH):
        room.put(guest())
    with pytest.raises(LimitExceededError):
        room.put(guest())
    room.put(replace(guest(), participant_id="another"))


def test_no_more_are_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "MAX_REMEMBERED", 2)
    room = WaitingRoom()
    room.resume(["first", "second"])
    peer = guest()
    room.put(peer)
    room.accept(peer.id)
    assert list(room.admitted) == ["second", peer.participant_id]
