"""Peers of a session move what they receive from one node to another, with nodes made by hand."""

from __future__ import annotations

import pytest

from sfu.control import messages as node
from signaling.domain.publication import Subscription, Tile
from signaling.errors import NotFoundError
from signaling.nodes import moves
from signaling.nodes.relief import Transfer
from signaling.nodes.relieving import propose
from signaling.nodes.testing import FakeNode
from signaling.services.live.ports import (
    MovesProposed,
    NodeLost,
    OfferMade,
    SubscriptionResumed,
    TransportStateChanged,
)
from tests.signaling.nodes.spread_world import World, world
from tests.support.live_world import until

__all__ = ["world"]


async def settled(world: World) -> tuple[FakeNode, FakeNode]:
    """ "a" publishes on the first node, "c" watches it there, "b" is on the other one."""
    await world.publish("a")
    await world.publish("b")
    await world.subscribe("c", "pub_a")
    return world.node_of("a"), world.node_of("b")


async def begin(world: World, to: FakeNode, peer_id: str = "c") -> int:
    """Begins a move and returns its number once the offer is there."""
    wanted = [Subscription(peer_id, "pub_a")]
    assert await world.media.begin_move(peer_id, to.node_id, wanted, {"pub_a": Tile(320, 180)})
    await until(lambda: bool(offers(world, peer_id)), "the offer")
    return offers(world, peer_id)[-1]


def offers(world: World, peer_id: str) -> list[int]:
    """The moves that the peer got offers for."""
    made = [one for one in world.told if isinstance(one, OfferMade) and one.peer_id == peer_id]
    return [one.move for one in made if one.move is not None]


def labels(fake: FakeNode) -> set[str]:
    """Peers that have a transport there."""
    return {one.label for one in fake.transports.values()}


def consumers(fake: FakeNode) -> list[str]:
    """Ids of the producers that are consumed there."""
    return [one.producer_id for one in fake.consumers.values()]


async def test_a_peer_receives_on_both_nodes_until_it_says_that_it_moved(world: World) -> None:
    first, second = await settled(world)
    number = await begin(world, second)
    assert len(consumers(first)) == len(consumers(second)) == 1
    assert [one.tile is not None for one in second.consumers.values()] == [True]
    await world.media.handle_answer("c", 1, "answer", move=number)
    await world.media.finish_move("c", number)
    assert (consumers(first), len(consumers(second))) == ([], 1)
    await world.media.finish_move("c", number)
    assert len(consumers(second)) == 1, "asking twice changes nothing"


async def test_what_it_asks_for_later_is_for_its_new_node(world: World) -> None:
    first, second = await settled(world)
    await world.media.finish_move("c", await begin(world, second))
    assert await world.subscribe("c", "pub_b") == {}
    assert (consumers(first), len(consumers(second))) == ([], 2)
    await world.media.close_peer("c")
    assert consumers(second) == []


async def test_what_it_publishes_stays_where_it_is(world: World) -> None:
    first, second = await settled(world)
    await world.publish("c")
    await world.subscribe("b", "pub_c")
    number = await begin(world, second)
    await world.media.finish_move("c", number)
    assert labels(first) == {"a", "c"}
    assert len(consumers(second)) == 2, "b receives it as before"
    await world.media.close_peer("c")
    assert "c" not in {one.label for fake in (first, second) for one in fake.transports.values()}


@pytest.mark.parametrize("change", ["subscribe", "unsubscribe", "close"])
async def test_a_change_of_what_it_receives_calls_the_move_off(world: World, change: str) -> None:
    _, second = await settled(world)
    number = await begin(world, second)
    if change == "subscribe":
        await world.subscribe("c", "pub_b")
    elif change == "unsubscribe":
        await world.media.unsubscribe("c", ["pub_a"])
    else:
        await world.media.close_transport("c", "subscribe")
    assert "c" not in labels(second)
    with pytest.raises(NotFoundError):
        await world.media.finish_move("c", number)


async def test_a_change_of_how_it_receives_is_made_on_both(world: World) -> None:
    first, second = await settled(world)
    await begin(world, second)
    before = Subscription("c", "pub_a")
    await world.media.change_subscription(before, Subscription("c", "pub_a", paused=True))
    assert [one.paused for fake in (first, second) for one in fake.consumers.values()] == [True, True]


async def test_a_client_that_does_not_follow_stays_and_is_not_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "MOVE_WITHIN", 0.02)
    first, second = await settled(world)
    await begin(world, second)
    await until(lambda: consumers(second) == [], "the move is called off")
    assert len(consumers(first)) == 1
    assert world.media.movable(first.node_id) == ["a"]


async def test_a_connection_that_fails_calls_the_move_off(world: World) -> None:
    first, second = await settled(world)
    number = await begin(world, second)
    (arriving,) = [one_id for one_id, one in second.transports.items() if one.label == "c"]
    second.emit(node.TransportStateChanged(transport_id=arriving, state="failed"))
    await until(lambda: "c" in world.media.movable(first.node_id), "the move is called off")
    assert (labels(second), len(consumers(first))) == ({"b"}, 1)
    with pytest.raises(NotFoundError):
        await world.media.finish_move("c", number)
    assert not any(isinstance(one, TransportStateChanged) for one in world.told)


async def test_the_end_of_the_node_it_moves_to_changes_nothing_for_it(world: World) -> None:
    first, second = await settled(world)
    await begin(world, second)
    second.die()
    await until(lambda: any(isinstance(one, NodeLost) for one in world.told), "the loss")
    assert [one.peer_ids for one in world.told if isinstance(one, NodeLost)] == [("b",)]
    assert len(consumers(first)) == 1


async def test_the_end_of_the_node_it_leaves_loses_it_and_nothing_is_left_of_the_move(world: World) -> None:
    first, second = await settled(world)
    await begin(world, second)
    first.die()
    await until(lambda: any(isinstance(one, NodeLost) for one in world.told), "the loss")
    await until(lambda: labels(second) == {"b"}, "the rest is closed")


async def test_one_that_publishes_on_a_node_and_receives_on_another_loses_both_with_either(
    world: World,
) -> None:
    first, second = await settled(world)
    await world.publish("c")
    await world.media.finish_move("c", await begin(world, second))
    second.die()
    await until(lambda: any(isinstance(one, NodeLost) for one in world.told), "the loss")
    (lost,) = [one for one in world.told if isinstance(one, NodeLost)]
    assert sorted(lost.peer_ids) == ["b", "c"]
    await until(lambda: labels(first) == {"a"}, "the rest is closed")


async def test_what_the_node_that_was_left_did_not_send_is_not_taken_for_paused(world: World) -> None:
    first, second = await settled(world)
    (consumer,) = first.consumers
    first.emit(node.ConsumerPaused(consumer_id=consumer, reason="overload"))
    await world.media.finish_move("c", await begin(world, second))
    resumed = [one for one in world.told if isinstance(one, SubscriptionResumed)]
    assert resumed == [SubscriptionResumed("c", "pub_a")]


async def test_a_node_that_refuses_leaves_the_peer_where_it_is(world: World) -> None:
    first, second = await settled(world)
    second.refuses.add(node.Consume)
    wanted = [Subscription("c", "pub_a")]
    assert not await world.media.begin_move("c", second.node_id, wanted, {})
    assert labels(second) == {"b"}
    assert len(consumers(first)) == 1


async def test_sessions_are_asked_to_move_so_many(world: World) -> None:
    first, second = await settled(world)
    propose(Transfer(first.node_id, second.node_id, 5), [world.media])
    assert [one for one in world.told if isinstance(one, MovesProposed)] == [
        MovesProposed(first.node_id, second.node_id, 2)
    ]
