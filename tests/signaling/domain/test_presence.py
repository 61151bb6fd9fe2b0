"""Who is in a session at the moment, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signaling.domain.errors import MeetingFullError, NotJoinedError
from signaling.domain.peer import Peer
from signaling.domain.presence import Presence
from signaling.domain.preset import merged
from tests.signaling.domain.presets import DEFAULTS
from tests.signaling.domain.test_session import peer_of


def guest(**permissions: Any) -> Peer:
    return peer_of(merged(DEFAULTS["group_call_participant"], {"permissions": permissions}))


def hidden() -> Peer:
    return guest(hidden_participant=True)


def presence_of(*peers: Peer) -> Presence:
    return Presence({peer.id: peer for peer in peers})


def test_who_is_not_in_is_not_joined() -> None:
    peer = guest()
    assert presence_of(peer).peer(peer.id) is peer
    with pytest.raises(NotJoinedError):
        presence_of(guest()).peer(peer.id)


def test_who_is_hidden_neither_counts_nor_takes_room() -> None:
    presence = presence_of(guest(), hidden(), guest())
    assert presence.counted == 2
    presence.check_room(guest(), most=3)
    presence.check_room(guest(), most=None)
    presence.check_room(hidden(), most=2)
    with pytest.raises(MeetingFullError):
        presence.check_room(guest(), most=2)


def test_an_encoder_admits_nobody_whatever_its_preset_says() -> None:
    host = guest(accept_waiting_requests=True)
    encoder = replace(guest(accept_waiting_requests=True), device="whip")
    presence = presence_of(guest(), encoder, host)
    assert (presence.admitters, presence.moderated) == ([host], True)
    presence = presence_of(guest(), encoder)
    assert (presence.admitters, presence.moderated) == ([], False)


def test_overdue_are_those_who_have_been_away_for_as_long_as_they_may() -> None:
    here, gone, away = guest(), replace(guest(), detached_at=70.0), replace(guest(), detached_at=80.0)
    presence = presence_of(here, gone, away)
    assert presence.overdue(99.0, resume_within=30.0) == []
    assert presence.overdue(100.0, resume_within=30.0) == [gone]
    assert presence.overdue(1000.0, resume_within=30.0) == [gone, away]


def test_another_tab_of_the_same_preset_has_the_changed_permissions_too() -> None:
    own, changed = (
        DEFAULTS["group_call_participant"],
        merged(DEFAULTS["group_call_participant"], {"permissions": {"kick_participant": True}}),
    )
    first = replace(peer_of(changed), changed_from=own)
    stranger = replace(peer_of(own), participant_id="pt-other")
    presence = presence_of(stranger, first)
    assert presence.tabs_of("pt") == [first]
    second = presence.as_in_other_tabs(peer_of(own))
    assert (second.preset, second.changed_from) == (changed, own)
    for unchanged in (peer_of("group_call_host"), stranger):
        assert presence.as_in_other_tabs(unchanged) is unchanged
