from __future__ import annotations

import pytest

from signaling.errors import AlreadyJoinedError, NotJoinedError, StateError
from signaling.protocol.peer import TRANSITIONS, PeerMove, PeerProtocol, PeerState
from signaling.services.live.requests import HANDLERS

MOVES_TO = {
    PeerState.CONNECTING: [],
    PeerState.WAITING: [PeerMove.WAIT],
    PeerState.JOINED: [PeerMove.JOIN],
    PeerState.DETACHED: [PeerMove.JOIN, PeerMove.DETACH],
    PeerState.LEFT: [PeerMove.JOIN, PeerMove.LEAVE],
}
REQUESTS = sorted(str(request.model_fields["type"].default) for request in HANDLERS)


def peer_that_is(state: PeerState) -> PeerProtocol:
    peer = PeerProtocol()
    for move in MOVES_TO[state]:
        peer.handle(move)
    assert peer.state is state
    return peer


@pytest.mark.parametrize("state", list(PeerState))
@pytest.mark.parametrize("move", list(PeerMove))
def test_every_move_is_in_the_table_or_a_named_error(state: PeerState, move: PeerMove) -> None:
    peer = peer_that_is(state)
    after = TRANSITIONS.get((state, move))
    if after is None:
        with pytest.raises(StateError):
            peer.handle(move)
        assert peer.state is state
    else:
        peer.handle(move)
        assert peer.state is after


@pytest.mark.parametrize("request_type", REQUESTS)
def test_a_joined_peer_may_ask_for_everything_and_a_new_socket_for_nothing(request_type: str) -> None:
    peer_that_is(PeerState.JOINED).check(request_type)
    if request_type != "ping":
        with pytest.raises(NotJoinedError):
            peer_that_is(PeerState.CONNECTING).check(request_type)
    with pytest.raises(NotJoinedError):
        peer_that_is(PeerState.LEFT).check(request_type)


@pytest.mark.parametrize("request_type", [one for one in REQUESTS if one not in ("ping", "leave")])
def test_a_waiting_peer_may_only_go_or_show_another_token(request_type: str) -> None:
    with pytest.raises(StateError):
        peer_that_is(PeerState.WAITING).check(request_type)
    for allowed in ("leave", "update_token"):
        peer_that_is(PeerState.WAITING).check(allowed)


@pytest.mark.parametrize("request_type", ["join", "resume"])
def test_a_socket_is_entered_once(request_type: str) -> None:
    peer_that_is(PeerState.CONNECTING).check(request_type)
    for state in (PeerState.WAITING, PeerState.JOINED, PeerState.DETACHED, PeerState.LEFT):
        with pytest.raises(AlreadyJoinedError):
            peer_that_is(state).check(request_type)
