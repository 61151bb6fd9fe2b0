"""What the nodes of a session tell, as if they were one."""

from __future__ import annotations

import pytest

from signaling.domain.publication import EndReason
from signaling.nodes.hearing import Hearing
from signaling.services.live.ports import (
    LayersWanted,
    OfferMade,
    SpeakersChanged,
    SubscriptionClosed,
    SubscriptionPaused,
    SubscriptionResumed,
    TransportStateChanged,
)

PAUSED = SubscriptionPaused("b", "pub_a", "overload")


class Moving:
    """ "b" is moving from node "1" to node "2", "c" has moved before."""

    def to(self, node_id: str, peer_id: str) -> int | None:
        return 7 if (node_id, peer_id) == ("2", "b") else None

    def last_of(self, peer_id: str) -> int | None:
        return {"b": 3, "c": 6}.get(peer_id)


@pytest.fixture
def hearing() -> Hearing:
    return Hearing(lambda: ("1", "2"), Moving())


@pytest.mark.parametrize(
    ("node_id", "peer_id", "move", "moved"),
    [("1", "a", None, None), ("1", "b", None, 3), ("2", "b", 7, None), ("2", "c", None, 6)],
)
def test_an_offer_says_to_which_move_it_belongs(
    hearing: Hearing, node_id: str, peer_id: str, move: int | None, moved: int | None
) -> None:
    heard = hearing.hear(node_id, OfferMade(peer_id, 1, "offer", ()))
    assert heard == OfferMade(peer_id, 1, "offer", (), move=move, moved=moved)


def test_of_a_connection_that_a_peer_is_moving_to_the_session_hears_nothing_yet(hearing: Hearing) -> None:
    arriving = TransportStateChanged("b", "subscribe", "failed")
    assert hearing.hear("2", arriving) is None
    assert hearing.hear("1", arriving) is arriving
    published = TransportStateChanged("b", "publish", "failed")
    assert hearing.hear("2", published) is published


def test_what_means_the_same_on_every_node_is_heard_as_it_is(hearing: Hearing) -> None:
    wanted = LayersWanted("pub_a", ())
    assert hearing.hear("2", wanted) is wanted


def test_speakers_are_those_of_all_nodes_that_are_left(hearing: Hearing) -> None:
    hearing.hear("1", SpeakersChanged((("pub_a", 30),), "pub_a"))
    second = SpeakersChanged((("pub_b", 20),), "pub_b")
    assert hearing.hear("2", second) == SpeakersChanged((("pub_b", 20), ("pub_a", 30)), "pub_a")
    hearing.forget_voices("1")
    assert hearing.hear("2", second) == second


def test_a_lost_node_has_neither_speakers_nor_pauses(hearing: Hearing) -> None:
    hearing.hear("1", SpeakersChanged((("pub_a", 30),), "pub_a"))
    hearing.hear("1", PAUSED)
    hearing.forget_node("1")
    second = SpeakersChanged((("pub_b", 20),), "pub_b")
    assert hearing.hear("2", second) == second
    assert hearing.moved("b", "1") == []


def test_a_peer_that_moved_hears_that_it_receives_again(hearing: Hearing) -> None:
    assert hearing.hear("1", PAUSED) is PAUSED
    hearing.forget_voices("1")
    assert hearing.moved("b", "1") == [SubscriptionResumed("b", "pub_a")]
    assert hearing.moved("b", "1") == [], "once"


@pytest.mark.parametrize(
    "event",
    [
        SubscriptionResumed("b", "pub_a"),
        SubscriptionClosed("b", "pub_a", EndReason.UNSUPPORTED_CODEC),
    ],
)
def test_what_was_resumed_or_ended_before_the_move_is_no_news(
    hearing: Hearing, event: SubscriptionResumed | SubscriptionClosed
) -> None:
    hearing.hear("1", PAUSED)
    assert hearing.hear("1", event) is event
    assert hearing.moved("b", "1") == []


def test_a_peer_that_receives_nothing_has_no_pauses(hearing: Hearing) -> None:
    hearing.hear("1", PAUSED)
    hearing.forget_peer("b")
    assert hearing.moved("b", "1") == []
