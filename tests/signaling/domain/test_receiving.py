"""What the peers of a session receive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.errors import InvalidInputError, NotFoundError, NotJoinedError
from signaling.domain.events import SubscriptionEnded
from signaling.domain.peer import Device, Peer
from signaling.domain.preset import Preset, merged
from signaling.domain.publication import EndReason, Subscription
from signaling.domain.session import Session
from tests.signaling.domain.presets import DEFAULTS
from tests.signaling.domain.test_session import joined, live_session, peer_of, publish


def allowing(videos: int) -> Preset:
    most = {"max_video_streams": {"desktop": videos, "mobile": 1}}
    return merged(DEFAULTS["group_call_participant"], {"config": most})


def joins(session: Session, videos: int, device: Device = "desktop") -> Peer:
    peer = replace(peer_of(allowing(videos)), device=device)
    session.join(peer)
    return peer


def receives(session: Session, peer: Peer, *publication_ids: str) -> None:
    session.receiving.subscribe(Subscription(peer.id, one) for one in publication_ids)


def cameras(session: Session, count: int) -> list[str]:
    return [publish(session, joined(session, "group_call_host"), "camera") for _ in range(count)]


def test_one_subscribes_to_what_others_publish() -> None:
    session = live_session()
    host, other = joined(session, "group_call_host"), joined(session, "group_call_participant")
    camera = publish(session, host, "camera")
    assert session.receiving.check_subscribe(other, camera) is session.publications[camera]
    with pytest.raises(InvalidInputError):
        session.receiving.check_subscribe(host, camera)
    with pytest.raises(NotFoundError):
        session.receiving.check_subscribe(other, "pub-nowhere")
    with pytest.raises(NotJoinedError):
        session.receiving.check_subscribe("peer-nobody", camera)


def test_what_is_not_subscribed_to_is_not_changed() -> None:
    session = live_session()
    (camera,), viewer = cameras(session, 1), joins(session, 5)
    paused = Subscription(viewer.id, camera, paused=True)
    with pytest.raises(NotFoundError):
        session.receiving.change(paused)
    assert not session.subscriptions
    receives(session, viewer, camera)
    session.receiving.change(paused)
    assert session.receiving.subscription(viewer.id, camera) is paused
    with pytest.raises(NotJoinedError):
        session.receiving.subscription("peer-nobody", camera)


def test_what_ends_is_told_once() -> None:
    session = live_session()
    (first, second), viewer = cameras(session, 2), joins(session, 5)
    receives(session, viewer, first, second)
    ended = SubscriptionEnded(Subscription(viewer.id, first), EndReason.UNSUPPORTED_CODEC)
    assert session.receiving.lose(viewer.id, first, EndReason.UNSUPPORTED_CODEC) == [ended]
    assert session.receiving.lose(viewer.id, first, EndReason.UNSUPPORTED_CODEC) == []
    assert session.receiving.unsubscribe(viewer.id, [first, second, second]) == [second]
    with pytest.raises(NotJoinedError):
        session.receiving.unsubscribe("peer-nobody", [])


def test_a_lost_connection_takes_all_that_its_peer_received() -> None:
    session = live_session()
    (first, second), viewer, other = cameras(session, 2), joins(session, 5), joins(session, 5)
    receives(session, viewer, first, second)
    receives(session, other, first)
    session.receiving.lose_all(viewer.id)
    assert set(session.subscriptions) == {(other.id, first)}


def test_every_video_takes_room_and_neither_sound_nor_screens_do() -> None:
    session = live_session()
    host, viewer = joined(session, "group_call_host"), joins(session, 2)
    camera, paused = publish(session, host, "camera"), cameras(session, 1)[0]
    receives(
        session,
        viewer,
        camera,
        publish(session, host, "microphone", "audio", mid="1"),
        publish(session, host, "screen", mid="2"),
    )
    assert session.receiving.room(viewer) == 1
    session.receiving.subscribe([Subscription(viewer.id, paused, paused=True)])
    assert session.receiving.room(viewer) == 0
    assert session.receiving.room(replace(viewer, device="mobile")) == -1


def test_where_fewer_are_allowed_the_latest_are_beyond() -> None:
    session = live_session()
    found, viewer = cameras(session, 3), joins(session, 3)
    receives(session, viewer, *found)
    assert session.receiving.beyond(viewer) == []
    assert session.receiving.beyond(replace(viewer, preset=allowing(1))) == found[1:]


def test_players_of_one_participant_are_limited_together_and_a_tab_of_theirs_is_not_counted() -> None:
    session = live_session()
    found = cameras(session, 3)
    players, tab = [joins(session, 3, "whep") for _ in range(2)], joins(session, 3)
    for player, camera in zip(players, found, strict=False):
        receives(session, player, camera)
    receives(session, tab, found[2])
    assert [session.receiving.room(one) for one in (*players, tab)] == [1, 1, 2]
