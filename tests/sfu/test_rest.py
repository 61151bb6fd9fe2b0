"""A transport of somebody muted among muted people has nothing to do, until something happens."""

from __future__ import annotations

import os

from sfu.control import messages as m
from sfu.node import Node
from sfu.publish_transport import PublishTransport
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import REST_AFTER, REST_INTERVAL, Transport, TransportState
from sfu.webrtc.dtls import DtlsState
from sfu.webrtc.srtp import OutboundSrtp, SrtpProfile
from tests.sfu.client_sdp import answer
from tests.sfu.test_node import MIC_SPEC, World, world

__all__ = ["world"]

PROFILE = SrtpProfile.AEAD_AES_128_GCM
CONSUMER = m.ConsumerSpec(consumer_id="cs", producer_id="pr_mic")


class Watched:
    """A connected transport on the test's clock, and how often it had a whole turn."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.now = 1000.0
        self.whole = 0
        transport.association.outbound = OutboundSrtp(
            PROFILE, os.urandom(PROFILE.key_length), os.urandom(PROFILE.salt_length)
        )
        transport.state = TransportState.CONNECTED
        transport.association.consented = True
        transport.association.dtls._state = DtlsState.CONNECTED
        consider = transport._consider_rest

        def count(now: float, *, possible: bool) -> None:
            self.whole += 1
            consider(now, possible=possible)

        transport._consider_rest = count  # type: ignore[method-assign]

    def turns(self, count: int, *, checks: bool = True) -> int:
        """So many turns, one a second; how many of them were whole. `checks`: the client sends its own."""
        before = self.whole
        for _ in range(count):
            self.now += 1.0
            if checks:
                self.transport.association._last_check = self.now
            self.transport.tick(self.now)
        return self.whole - before

    def come_to_rest(self) -> None:
        self.turns(3 * round(REST_AFTER))
        assert self.turns(5 * round(REST_INTERVAL)) <= 6
        while not self.turns(1):
            """Until just after a whole turn, so that the next one would be far away."""


def _node(world: World) -> Node:
    return world.link.node


async def _publisher(world: World, *, muted: bool = True) -> Watched:
    await world.publish(MIC_SPEC)
    if muted:
        await world.do(m.PauseProducer(producer_id="pr_mic"))
    transport = _node(world).transports["tp"]
    assert isinstance(transport, PublishTransport)
    return Watched(transport)


async def _subscriber(world: World) -> tuple[Watched, SubscribeTransport]:
    offer = await world.subscribe(CONSUMER)
    await world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer(offer.sdp)))
    transport = _node(world).transports["ts"]
    assert isinstance(transport, SubscribeTransport)
    return Watched(transport), transport


async def test_who_is_muted_comes_to_rest_and_is_back_when_unmuted(world: World) -> None:
    publisher = await _publisher(world)
    publisher.come_to_rest()
    await world.do(m.ResumeProducer(producer_id="pr_mic"))
    assert publisher.turns(3) == 3


async def test_who_is_not_muted_does_not_rest_however_silent(world: World) -> None:
    publisher = await _publisher(world, muted=False)
    assert publisher.turns(60) == 60


async def test_a_receiver_of_the_muted_rests_until_one_of_them_is_unmuted(world: World) -> None:
    await _publisher(world)
    receiver, _ = await _subscriber(world)
    receiver.come_to_rest()
    await world.do(m.ResumeProducer(producer_id="pr_mic"))
    assert receiver.turns(1) == 1


async def test_a_wish_ends_the_rest(world: World) -> None:
    await _publisher(world)
    receiver, _ = await _subscriber(world)
    receiver.come_to_rest()
    await world.do(m.PauseConsumer(consumer_id="cs"))
    assert receiver.turns(1) == 1


async def test_packets_end_the_rest(world: World) -> None:
    await _publisher(world)
    receiver, transport = await _subscriber(world)
    receiver.come_to_rest()
    transport.egress.datagrams += 1
    assert receiver.turns(1) == 1


async def test_consent_is_watched_at_rest(world: World) -> None:
    await _publisher(world)
    receiver, transport = await _subscriber(world)
    receiver.come_to_rest()
    states = []
    for seconds in (round(_node(world).consent_timeout), 1):
        receiver.turns(seconds, checks=False)
        states.append(transport.state)
    assert states == [TransportState.CONNECTED, TransportState.DISCONNECTED]
