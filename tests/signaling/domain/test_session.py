from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.errors import (
    NotJoinedError,
    PermissionDenied,
    SignalingError,
    StateError,
)
from signaling.domain.events import (
    GrantsChanged,
    LeaveReason,
    PeerLeft,
    PublicationEnded,
    StageRequestsChanged,
    StageStatusChanged,
)
from signaling.domain.peer import Kind, Peer, joining_peer
from signaling.domain.permission import MediaKind, StageStatus, can_produce
from signaling.domain.preset import Preset, merged
from signaling.domain.publication import DATA_GRANT, Announced, EndReason, Subscription, grants_of
from signaling.domain.session import Session, SessionStatus
from signaling.domain.session_status import SessionEndReason
from signaling.domain.stage import StageAction

PRESETS = {preset.name: preset for preset in DEFAULT_PRESETS}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ids = (f"id-{number}" for number in count())


def live_session() -> Session:
    session = Session("ses", "meeting", "org")
    session.start(now=0.0)
    return session


def peer_of(preset: Preset | str) -> Peer:
    return joining_peer(
        next(ids),
        participant_id="pt",
        custom_participant_id=None,
        name="Name",
        picture=None,
        preset=PRESETS[preset] if isinstance(preset, str) else preset,
        device="desktop",
        joined_at=NOW,
    )


def joined(session: Session, preset: Preset | str) -> str:
    peer = peer_of(preset)
    session.join(peer)
    return peer.id


def publish(session: Session, peer_id: str, source: str, kind: Kind = "video", mid: str = "0") -> str:
    plan = session.plan_publish(peer_id, [Announced(mid, source, kind)], lambda: next(ids))
    session.publish(plan.new)
    return plan.new[0].id


def test_leaving_ends_publications_before_the_peer_and_wakes_no_subscription_up() -> None:
    session = live_session()
    host, other = joined(session, "group_call_host"), joined(session, "group_call_participant")
    camera = publish(session, host, "camera")
    session.receiving.subscribe([Subscription(other, camera)])
    events = session.leave(host, LeaveReason.LEFT, now=5.0)

    assert [type(event) for event in events] == [PublicationEnded, PeerLeft]
    assert not session.subscriptions
    assert session.empty_since is None
    session.leave(other, LeaveReason.LEFT, now=7.0)
    assert session.empty_since == 7.0


def test_a_narrower_standing_is_told_to_the_node_before_what_ended() -> None:
    session = live_session()
    presenter = joined(session, "webinar_presenter")
    publish(session, presenter, "camera")
    events = session.act_on_stage(StageAction.LEAVE, presenter)

    assert [type(event) for event in events] == [GrantsChanged, PublicationEnded, StageStatusChanged]
    assert grants_of(session.peer(presenter)) == (DATA_GRANT,)


def test_a_request_ends_with_its_peer() -> None:
    session = live_session()
    viewer = joined(session, "webinar_viewer")
    session.act_on_stage(StageAction.REQUEST, viewer)
    assert [peer.id for peer in session.stage_requests] == [viewer]

    events = session.leave(viewer, LeaveReason.TIMEOUT, now=1.0)
    assert StageRequestsChanged() in events
    assert session.stage_requests == []


def test_who_was_on_stage_by_right_has_to_ask_once_the_preset_says_so() -> None:
    session = live_session()
    presenter = joined(session, "webinar_presenter")
    publish(session, presenter, "camera")
    session.change_preset(presenter, PRESETS["webinar_viewer"])

    assert session.peer(presenter).status is StageStatus.OFF_STAGE
    assert not session.publications


def test_who_was_let_onto_the_stage_stays_when_another_permission_changes() -> None:
    session = live_session()
    host, viewer = joined(session, "webinar_presenter"), joined(session, "webinar_viewer")
    session.act_on_stage(StageAction.INVITE, host, viewer)
    session.act_on_stage(StageAction.JOIN, viewer)
    session.change_preset(viewer, merged(PRESETS["webinar_viewer"], {"permissions": {"can_record": True}}))

    assert session.peer(viewer).status is StageStatus.ON_STAGE


def test_a_peer_that_becomes_hidden_publishes_nothing_any_more() -> None:
    session = live_session()
    host = joined(session, "group_call_host")
    publish(session, host, "camera")
    hidden = merged(PRESETS["group_call_host"], {"permissions": {"hidden_participant": True}})
    events = session.change_preset(host, hidden)

    assert not session.publications
    assert any(
        isinstance(event, PublicationEnded) and event.reason is EndReason.PERMISSION_REVOKED
        for event in events
    )


def test_an_ended_session_takes_nobody() -> None:
    session = live_session()
    joined(session, "group_call_host")
    session.end(SessionEndReason.HOST_ENDED_MEETING, now=1.0)
    with pytest.raises(NotJoinedError):
        session.join(peer_of("group_call_host"))
    session.finish()
    with pytest.raises(StateError):
        session.end(SessionEndReason.MEETING_DELETED, now=2.0)


def test_nobody_acts_for_a_peer_that_is_gone() -> None:
    session = live_session()
    host = joined(session, "webinar_presenter")
    session.leave(host, LeaveReason.LEFT, now=1.0)
    with pytest.raises(NotJoinedError):
        session.act_on_stage(StageAction.LEAVE, host)
    with pytest.raises(NotJoinedError):
        session.peer(host).check_may_kick()


def test_a_session_is_ready_until_somebody_is_in_and_live_from_then_on() -> None:
    session = live_session()
    assert session.status is SessionStatus.READY
    first = joined(session, "group_call_host")
    assert session.status is SessionStatus.LIVE
    session.leave(first, LeaveReason.LEFT, now=1.0)
    assert session.status is SessionStatus.LIVE


@pytest.mark.parametrize(
    ("reason", "was_live", "status"),
    [
        (SessionEndReason.HOST_ENDED_MEETING, False, SessionStatus.CANCELLED),
        (SessionEndReason.HOST_ENDED_MEETING, True, SessionStatus.FINISHED),
        (SessionEndReason.NOBODY_CAME, False, SessionStatus.EXPIRED),
        (SessionEndReason.ALL_PARTICIPANTS_LEFT, True, SessionStatus.FINISHED),
        (SessionEndReason.MAX_DURATION_REACHED, True, SessionStatus.EXPIRED),
    ],
)
def test_how_a_session_ends_says_what_it_is_then(
    reason: SessionEndReason, was_live: bool, status: SessionStatus
) -> None:
    session = live_session()
    if was_live:
        joined(session, "group_call_host")
    session.end(reason, now=1.0)
    assert session.over
    assert session.status is (SessionStatus.ENDING if was_live else status)
    session.finish()
    assert session.status is status


SOURCES: list[tuple[str, Kind]] = [
    ("camera", "video"),
    ("microphone", "audio"),
    ("screen", "video"),
    ("screen_audio", "audio"),
    ("own-key", "video"),
]
PATCHES = [
    {},
    {"permissions": {"hidden_participant": True}},
    {"permissions": {"stage_enabled": True}},
    {"permissions": {"stage_access": "NOT_ALLOWED"}},
    {"permissions": {"stage_access": "CAN_REQUEST"}},
    {"permissions": {"media": {"video": {"can_produce": "NOT_ALLOWED"}}}},
    {"permissions": {"media": {"audio": {"can_produce": "CAN_REQUEST"}}}},
    {"permissions": {"accept_stage_requests": True}},
]
presets = st.builds(merged, st.sampled_from(DEFAULT_PRESETS), st.sampled_from(PATCHES))


class AnySequence(RuleBasedStateMachine):
    """Whatever is done in whatever order, what the class promises holds, and an error changes nothing."""

    @initialize()
    def begin(self) -> None:
        self.session = live_session()
        self.time = 0.0

    def _peer(self, data: st.DataObject) -> str:
        # In the order of joining: ids are partly random, so sorted they would differ from run to run.
        return data.draw(st.sampled_from(list(self.session.peers)))

    def _try(self, act: object) -> None:
        before = self._state()
        try:
            assert callable(act)
            act()
        except SignalingError:
            assert self._state() == before

    def _state(self) -> object:
        session = self.session
        return (
            dict(session.peers),
            dict(session.publications),
            dict(session.subscriptions),
            session.stage_requests,
            list(session.waiting_room),
            session.status,
        )

    @rule(preset=presets)
    def join(self, preset: Preset) -> None:
        if len(self.session.peers) < 5:
            joined(self.session, preset)

    @rule(preset=presets)
    def wait(self, preset: Preset) -> None:
        self.time += 1
        if len(self.session.waiting_room) < 3:
            self.session.wait(peer_of(preset), self.time)

    @precondition(lambda self: self.session.waiting_room)
    @rule(data=st.data(), let_in=st.booleans())
    def decide_about_one_who_waits(self, data: st.DataObject, let_in: bool) -> None:
        peer = data.draw(st.sampled_from(list(self.session.waiting_room)))
        if let_in:
            self.session.admit(peer)
        else:
            self.session.turn_away(peer.id, LeaveReason.REJECTED, self.time)

    @precondition(lambda self: self.session.peers)
    @rule(data=st.data(), which=st.sampled_from(SOURCES), mid=st.sampled_from("0123"))
    def publish(self, data: st.DataObject, which: tuple[str, Kind], mid: str) -> None:
        peer_id = self._peer(data)
        allowed = self.session.peer(peer_id).may_publish(*which)
        try:
            publish(self.session, peer_id, *which, mid=mid)
        except SignalingError as error:
            assert allowed or isinstance(error, PermissionDenied)
        except IndexError:
            assert allowed  # published already, on the same m-line
        else:
            assert allowed

    @precondition(lambda self: self.session.peers and self.session.publications)
    @rule(data=st.data())
    def subscribe(self, data: st.DataObject) -> None:
        peer_id = self._peer(data)
        publication_id = data.draw(st.sampled_from(list(self.session.publications)))
        own = self.session.publications[publication_id].peer_id == peer_id

        def act() -> None:
            self.session.receiving.check_subscribe(peer_id, publication_id)
            assert not own
            self.session.receiving.subscribe([Subscription(peer_id, publication_id)])

        self._try(act)

    @precondition(lambda self: self.session.peers)
    @rule(data=st.data(), action=st.sampled_from(StageAction))
    def act_on_stage(self, data: st.DataObject, action: StageAction) -> None:
        actor, target = self._peer(data), self._peer(data)
        own = action in (StageAction.REQUEST, StageAction.CANCEL, StageAction.JOIN, StageAction.LEAVE)
        self._try(lambda: self.session.act_on_stage(action, actor, None if own else target))

    @precondition(lambda self: self.session.peers)
    @rule(data=st.data(), preset=presets)
    def change_preset(self, data: st.DataObject, preset: Preset) -> None:
        self.session.change_preset(self._peer(data), preset)

    @precondition(lambda self: self.session.peers)
    @rule(data=st.data(), reason=st.sampled_from(LeaveReason))
    def leave(self, data: st.DataObject, reason: LeaveReason) -> None:
        self.time += 1
        self.session.leave(self._peer(data), reason, self.time)

    @precondition(lambda self: self.session.peers)
    @rule(data=st.data())
    def come_and_go(self, data: st.DataObject) -> None:
        peer_id = self._peer(data)
        if self.session.peer(peer_id).connected:
            self.session.detach(peer_id, self.time)
        else:
            self.session.resume(peer_id)

    @precondition(lambda self: self.session.peers)
    @rule(data=st.data())
    def lose_a_node(self, data: st.DataObject) -> None:
        lost = data.draw(st.sets(st.sampled_from(list(self.session.peers))))
        self.session.lose_media(lost)
        assert not [one for one in self.session.publications.values() if one.peer_id in lost]

    @invariant()
    def nobody_publishes_what_they_may_not(self) -> None:
        for one in self.session.publications.values():
            peer = self.session.peers[one.peer_id]
            assert can_produce(peer.preset, one.media, peer.status)
            assert not peer.hidden
            assert any(grant.source == one.source for grant in grants_of(peer, [one]))

    @invariant()
    def subscriptions_lead_somewhere(self) -> None:
        for subscription in self.session.subscriptions.values():
            assert subscription.peer_id in self.session.peers
            publication = self.session.publications[subscription.publication_id]
            assert publication.peer_id != subscription.peer_id

    @invariant()
    def requests_are_those_who_asked(self) -> None:
        asked = {
            peer.id
            for peer in self.session.peers.values()
            if peer.status is StageStatus.REQUESTED_TO_JOIN_STAGE and not peer.hidden
        }
        assert {peer.id for peer in self.session.stage_requests} == asked

    @invariant()
    def it_is_empty_exactly_when_nobody_is_in(self) -> None:
        assert (self.session.empty_since is None) == bool(self.session.peers)

    @invariant()
    def it_is_waiting_exactly_while_only_such_are_there_that_wait(self) -> None:
        session = self.session
        only_waiting = not session.peers and len(session.waiting_room) > 0
        assert (session.status is SessionStatus.WAITING) == only_waiting
        assert not session.peers or session.status is SessionStatus.LIVE
        assert session.was_live or session.status in (SessionStatus.READY, SessionStatus.WAITING)
        assert not any(one.id in session.peers for one in session.waiting_room)


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=80, stateful_step_count=40)


def test_grants_are_exactly_what_the_standing_allows() -> None:
    for preset in DEFAULT_PRESETS:
        for status in StageStatus:
            peer = replace(peer_of(preset), status=status)
            granted = {(grant.source, grant.kind) for grant in grants_of(peer)}
            for media, source in (
                (MediaKind.VIDEO, ("camera", "video")),
                (MediaKind.AUDIO, ("microphone", "audio")),
                (MediaKind.SCREENSHARE, ("screen", "video")),
                (MediaKind.SCREENSHARE, ("screen_audio", "audio")),
            ):
                assert (source in granted) == can_produce(preset, media, status)
