"""A transport of somebody muted among muted people has nothing to do, until something happens."""

from __future__ import annotations

import os

from sfu.clock import monotonic
from sfu.control import messages as m
from sfu.node import TICK, Node
from sfu.publish_transport import PublishTransport
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import REST_AFTER, REST_INTERVAL, Transport, TransportState
from sfu.turns import SLOW_INTERVAL
from sfu.webrtc.dtls import DtlsState
from sfu.webrtc.srtp import OutboundSrtp, SrtpProfile
from tests.sfu.client_sdp import answer
from tests.sfu.node_world import MIC_SPEC, World, world

__all__ = ["world"]

PROFILE = SrtpProfile.AEAD_AES_128_GCM
EPSILON = 1e-6
CONSUMER = m.ConsumerSpec(consumer_id="cs", producer_id="pr_mic")


class Watched:
    """A connected transport on the test's clock, and how often it had a turn."""

    def __init__(self, node: Node, transport: Transport) -> None:
        self.transport = transport
        self.now = monotonic() + 1.0
        self._turns = node._turns
        assert node._timer is not None
        node._timer.cancel()
        transport.association.outbound = OutboundSrtp(
            PROFILE, os.urandom(PROFILE.key_length), os.urandom(PROFILE.salt_length)
        )
        transport.state = TransportState.CONNECTED
        transport.association.consented = True
        transport.association.dtls._state = DtlsState.CONNECTED

    def turns(self, seconds: float, *, checks: bool = True) -> int:
        """How many turns it had in so many seconds. `checks`: the client sends its own."""
        count = 0
        for _ in range(round(seconds / SLOW_INTERVAL)):
            self.now += SLOW_INTERVAL + EPSILON
            if checks:
                self.transport.association._last_check = self.now
            due, _ = self._turns.poll(self.now)
            for one in due:
                one.tick(self.now)
            count += self.transport in due
        return count

    def come_to_rest(self) -> None:
        self.turns(3 * REST_AFTER)
        assert self.turns(5 * REST_INTERVAL) <= 6
        while not self.turns(SLOW_INTERVAL):
            """Until just after a turn, so that the next one would be far away."""


def _node(world: World) -> Node:
    return world.link.node


async def _publisher(world: World, *, muted: bool = True) -> Watched:
    await world.publish(MIC_SPEC)
    if muted:
        await world.do(m.PauseProducer(producer_id="pr_mic"))
    transport = _node(world).transports["tp"]
    assert isinstance(transport, PublishTransport)
    return Watched(_node(world), transport)


async def _subscriber(world: World) -> tuple[Watched, SubscribeTransport]:
    offer = await world.subscribe(CONSUMER)
    await world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer(offer.sdp)))
    transport = _node(world).transports["ts"]
    assert isinstance(transport, SubscribeTransport)
    return Watched(_node(world), transport), transport


async def test_who_is_muted_comes_to_rest_and_is_back_when_unmuted(world: World) -> None:
    publisher = await _publisher(world)
    publisher.come_to_rest()
    await world.do(m.ResumeProducer(producer_id="pr_mic"))
    assert publisher.turns(3) >= 3


async def test_who_is_not_muted_does_not_rest_however_silent(world: World) -> None:
    publisher = await _publisher(world, muted=False)
    assert publisher.turns(60) >= 59


async def test_a_receiver_of_the_muted_rests_until_one_of_them_is_unmuted(world: World) -> None:
    await _publisher(world)
    receiver, _ = await _subscriber(world)
    receiver.come_to_rest()
    await world.do(m.ResumeProducer(producer_id="pr_mic"))
    assert receiver.turns(SLOW_INTERVAL) == 1
    assert receiver.turns(60) >= 59, "its next packet is the publisher's to send"


async def test_a_wish_ends_the_rest(world: World) -> None:
    await _publisher(world)
    receiver, _ = await _subscriber(world)
    receiver.come_to_rest()
    await world.do(m.PauseConsumer(consumer_id="cs"))
    assert receiver.turns(SLOW_INTERVAL) == 1


async def test_packets_end_the_rest(world: World) -> None:
    await _publisher(world)
    receiver, transport = await _subscriber(world)
    receiver.come_to_rest()
    transport.egress.datagrams += 1
    assert receiver.turns(1) >= 1


async def test_packets_from_somebody_muted_end_the_rest_of_their_transport(world: World) -> None:
    publisher = await _publisher(world)
    publisher.come_to_rest()
    publisher.transport.handle_rtp([bytes(20)], publisher.now)
    assert publisher.turns(SLOW_INTERVAL) == 1


async def test_a_new_receiver_ends_the_rest_of_the_publisher(world: World) -> None:
    publisher = await _publisher(world)
    publisher.come_to_rest()
    await world.subscribe(CONSUMER)
    assert publisher.turns(SLOW_INTERVAL) == 1


async def test_another_speaker_ends_the_rest_of_a_receiver(world: World) -> None:
    await _publisher(world)
    receiver, transport = await _subscriber(world)
    receiver.come_to_rest()
    transport.set_dominant("pr_mic")
    assert receiver.turns(SLOW_INTERVAL) == 1


async def test_consent_is_watched_at_rest(world: World) -> None:
    await _publisher(world)
    receiver, transport = await _subscriber(world)
    receiver.come_to_rest()
    receiver.turns(REST_INTERVAL / 2)  # so that consent ends between two turns
    states = []
    for seconds in (_node(world).consent_timeout - 1.0, 2.0):
        receiver.turns(seconds, checks=False)
        states.append(transport.state)
    assert states == [TransportState.CONNECTED, TransportState.DISCONNECTED]


async def test_a_node_takes_its_time_while_nobody_is_awake(world: World) -> None:
    node = _node(world)
    intervals = []

    def note() -> None:
        assert node._timer is not None
        node._timer.cancel()
        node._schedule_tick(0.0)
        intervals.append(node._tick_due)

    note()
    await _publisher(world)
    note()
    await world.do(m.CloseTransport(transport_id="tp"))
    note()
    assert intervals == [SLOW_INTERVAL, TICK, SLOW_INTERVAL]
