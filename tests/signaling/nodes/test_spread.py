"""A session on two nodes, made by hand: who gets which commands, and who is told what."""

from __future__ import annotations

import asyncio

import pytest

from sfu.control import messages as node
from signaling.domain.publication import EndReason
from signaling.errors import MediaUnavailableError, OverloadedError
from signaling.services.live.ports import NodeLost, PublicationClosed, SpeakersChanged
from tests.signaling.nodes.spread_world import World, world
from tests.support.live_world import until
from tests.support.wait import PATIENCE

__all__ = ["world"]


async def test_peers_are_on_different_nodes_and_keep_theirs(world: World) -> None:
    for peer_id in ("a", "b", "c", "d"):
        await world.publish(peer_id)
    assert world.node_of("a") is world.node_of("c") is not world.node_of("b")
    await world.subscribe("a", "pub_b")
    assert len(world.node_of("a").heard(node.CreateTransport)) == 3


async def test_a_publication_is_brought_to_a_node_once_for_all_its_subscribers(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    for peer_id in ("c", "d"):
        assert await world.subscribe(peer_id, "pub_a", "pub_b") == {}
    origin, far = world.node_of("a"), world.node_of("b")
    (producer,) = [one.id for one in origin.producers.values() if one.spec.mid == "0"]
    assert len(far.heard(node.ReceiveProducer)) == 1
    await world.publish("f")
    await world.subscribe("f", "pub_a")
    await world.subscribe("b", "pub_a")
    assert len(far.heard(node.ReceiveProducer)) == 1
    assert far.producers[producer].spec.source == "camera"
    assert len(origin.pipes) == len(far.pipes) == 1


async def test_a_meeting_whose_people_want_nothing_of_each_other_has_no_pipe(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    assert world.supervisor.pipes.count == 0


async def test_it_leaves_with_the_last_subscriber(world: World) -> None:
    await world.publish("a")
    for peer_id in ("b", "c", "d"):
        await world.subscribe(peer_id, "pub_a")
    origin, far = world.node_of("a"), world.node_of("b")
    assert far is world.node_of("d")
    await world.media.unsubscribe("b", ["pub_a"])
    assert not far.heard(node.CloseProducer)
    await world.media.close_peer("d")
    assert len(far.heard(node.CloseProducer)) == len(origin.heard(node.StopSending)) == 1
    assert await world.subscribe("b", "pub_a") == {}
    assert len(far.heard(node.ReceiveProducer)) == 2


async def test_what_ends_is_over_everywhere_before_the_reply(world: World) -> None:
    await world.publish("a")
    await world.subscribe("b", "pub_a")
    await world.media.end_publications(["pub_a"])
    assert not world.node_of("a").producers
    assert not world.node_of("b").producers


async def test_narrower_grants_are_in_force_on_every_node(world: World) -> None:
    await world.publish("a")
    await world.subscribe("b", "pub_a")
    await world.media.set_grants("a", [])
    assert not world.node_of("b").producers
    assert world.told.count(PublicationClosed("pub_a", EndReason.PERMISSION_REVOKED)) == 1


async def test_a_producer_that_its_node_closed_is_closed_on_the_others(world: World) -> None:
    await world.publish("a")
    await world.subscribe("b", "pub_a")
    origin, far = world.node_of("a"), world.node_of("b")
    (producer_id,) = origin.producers
    origin._close_producer(producer_id, "transport_closed")
    await until(lambda: not far.producers, "the end on the other node")


async def test_mute_is_in_force_on_every_node(world: World) -> None:
    await world.publish("a")
    await world.subscribe("b", "pub_a")
    copies = [*world.node_of("a").producers.values(), *world.node_of("b").producers.values()]
    await world.media.mute("pub_a")
    assert [one.paused for one in copies] == [True, True]
    await world.media.unmute("pub_a")
    assert [one.paused for one in copies] == [False, False]


async def test_one_that_is_brought_while_muted_arrives_muted(world: World) -> None:
    await world.publish("a")
    await world.media.mute("pub_a")
    await world.subscribe("b", "pub_a")
    assert [one.paused for one in world.node_of("b").producers.values()] == [True]


async def test_nothing_of_a_peer_is_left_anywhere_once_it_is_closed(world: World) -> None:
    await world.publish("a")
    await world.subscribe("b", "pub_a")
    far = world.node_of("b")
    await world.media.close_peer("a")
    assert not far.producers


async def test_a_lost_node_takes_its_own_peers_media_and_no_others(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    await world.subscribe("b", "pub_a")
    await world.subscribe("a", "pub_b")
    lost, left = world.node_of("a"), world.node_of("b")
    lost.die()
    await until(lambda: NodeLost(("a",)) in world.told, "the news")
    await until(lambda: not left.pipes, "the end of the pipe")
    assert [one.transport_id for one in left.producers.values()] == [
        one.id for one in left.transports.values() if one.direction == "publish"
    ]
    with pytest.raises(MediaUnavailableError):
        await world.publish("a")

    await world.media.recover(["a", "somebody who left"])
    await world.publish("a")
    assert await world.subscribe("b", "pub_a") == {}
    assert world.told.count(NodeLost(("b",))) == 0


async def test_who_lost_a_node_gets_a_place_on_one_that_takes_nobody_new(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    lost, left = world.node_of("a"), world.node_of("b")
    world.fakes.failures = [OSError("no other worker")] * 1000
    lost.die()
    await until(lambda: NodeLost(("a",)) in world.told, "the news")
    left.emit(
        node.NodeLoad(cpu=1.0, pressure=1, packets_per_second=1.0, routers=1, transports=2, counters={})
    )
    with pytest.raises(OverloadedError):
        await world.publish("c")
    await world.media.recover(["a"])
    await world.publish("a")
    assert world.node_of("a") is left


async def test_who_lost_a_node_waits_for_one_while_there_is_none(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    world.fakes.failures = [OSError("not yet")] * 1000
    for one in list(world.fakes.started):
        one.die()
    await until(lambda: {NodeLost(("a",)), NodeLost(("b",))} <= set(world.told), "the news")
    recovering = asyncio.create_task(world.media.recover(["a", "b"]))
    await asyncio.wait([recovering], timeout=0.05)
    assert not recovering.done()
    world.fakes.failures.clear()
    await recovering
    await world.publish("a")
    await world.publish("b")


async def test_who_speaks_is_known_across_nodes(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    await world.media.subscribe("c", [])  # most are where a is
    for peer_id, level in (("a", 30), ("b", 20)):
        on = world.node_of(peer_id)
        (producer_id,), (router_id,) = on.producers, on.routers
        speaker = node.Speaker(producer_id=producer_id, level=level)
        on.emit(node.SpeakersChanged(router_id=router_id, speakers=(speaker,), dominant=producer_id))
    assert world.told[-1] == SpeakersChanged((("pub_b", 20), ("pub_a", 30)), "pub_a")


async def test_a_node_that_refuses_a_pipe_costs_that_subscription_only(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    await world.publish("c")
    del world.node_of("a").producers[next(iter(world.node_of("a").producers))]
    failed = await world.subscribe("b", "pub_a", "pub_c")
    assert failed == {"pub_a": "producer_not_found"}


async def test_data_messages_reach_the_nodes_of_those_they_are_for(world: World) -> None:
    for peer_id in ("ada", "grace", "linus"):
        await world.publish(peer_id)
    first, second = world.node_of("ada"), world.node_of("grace")
    assert first is not second
    await until(
        lambda: all(one.heard(node.SpreadData) for one in (first, second)), "both nodes to tell of messages"
    )
    (router,) = first.routers
    for to in (None, ("grace",), ("linus",)):
        first.emit(
            node.DataForwarded(
                router_id=router, sender="ada", to=to, topic="t", payload=b"\xff\x00", channel="lossy"
            )
        )
    await until(lambda: len(second.heard(node.DeliverData)) == 2, "two messages at the other node")
    delivered = [one for one in second.heard(node.DeliverData) if isinstance(one, node.DeliverData)]
    assert [one.to for one in delivered] == [None, ("grace",)]
    assert {one.router_id for one in delivered} == second.routers
    assert {(one.sender, one.payload, one.channel) for one in delivered} == {("ada", b"\xff\x00", "lossy")}
    assert not first.heard(node.DeliverData)


async def test_a_meeting_on_one_node_again_tells_of_no_messages(world: World) -> None:
    await world.publish("ada")
    await world.publish("grace")
    first = world.node_of("ada")
    await world.media.close_peer("grace")
    await until(
        lambda: (
            [one.spread for one in first.heard(node.SpreadData) if isinstance(one, node.SpreadData)]
            == [True, False]
        ),
        "the node to be told twice",
    )


async def test_a_pipe_that_could_not_be_made_leaves_no_end_and_is_tried_again(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    far = world.node_of("b")
    far.refuses.add(node.ConnectPipe)
    world.node_of("a").refuses.add(node.ConnectPipe)
    assert await world.subscribe("b", "pub_a") == {"pub_a": "node_unreachable"}
    assert not far.pipes and not world.node_of("a").pipes
    far.refuses.clear()
    world.node_of("a").refuses.clear()
    assert await world.subscribe("b", "pub_a") == {}


async def test_a_node_that_is_lost_while_its_pipe_is_made_costs_that_subscription_only(world: World) -> None:
    await world.publish("a")
    await world.publish("b")
    lost = world.node_of("a")
    lost.hung = True
    asking = asyncio.create_task(world.subscribe("b", "pub_a"))
    await until(lambda: world.supervisor.pipes.count > 0, "the making of the pipe")
    lost.die()
    async with asyncio.timeout(PATIENCE):
        assert await asking == {"pub_a": "node_unreachable"}
