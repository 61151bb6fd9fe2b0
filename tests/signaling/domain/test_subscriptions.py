from __future__ import annotations

import pytest

from signaling.domain.publication import Subscription
from signaling.domain.subscriptions import Subscriptions


def three() -> Subscriptions:
    subscriptions = Subscriptions()
    for peer_id, publication_id in (("peer_a", "pub_1"), ("peer_a", "pub_2"), ("peer_b", "pub_1")):
        subscriptions.put(Subscription(peer_id, publication_id))
    return subscriptions


def test_it_is_a_mapping_by_peer_and_publication() -> None:
    subscriptions = three()
    assert set(subscriptions) == {("peer_a", "pub_1"), ("peer_a", "pub_2"), ("peer_b", "pub_1")}
    assert len(subscriptions) == 3
    assert subscriptions["peer_b", "pub_1"] == Subscription("peer_b", "pub_1")
    assert ("peer_b", "pub_2") not in subscriptions
    with pytest.raises(KeyError):
        subscriptions["peer_c", "pub_1"]


def test_what_is_put_again_takes_the_place_of_what_was_there() -> None:
    subscriptions = three()
    subscriptions.put(Subscription("peer_a", "pub_1", paused=True))
    assert len(subscriptions) == 3
    assert subscriptions.of("peer_a")["pub_1"].paused


def test_a_publication_that_ends_takes_its_subscriptions_with_it_and_no_others() -> None:
    subscriptions = three()
    subscriptions.drop_publication("pub_1")
    assert set(subscriptions) == {("peer_a", "pub_2")}
    assert not subscriptions.of("peer_b")


def test_a_peer_that_leaves_takes_its_subscriptions_with_it_and_no_others() -> None:
    subscriptions = three()
    subscriptions.drop_peer("peer_a")
    assert set(subscriptions) == {("peer_b", "pub_1")}


def test_dropping_says_what_was_there() -> None:
    subscriptions = three()
    assert subscriptions.drop_each("peer_a", ["pub_2", "pub_9", "pub_2"]) == ["pub_2"]
    assert subscriptions.drop("peer_b", "pub_1") == Subscription("peer_b", "pub_1")
    assert subscriptions.drop("peer_b", "pub_1") is None
