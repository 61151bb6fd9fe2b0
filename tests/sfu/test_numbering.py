"""Which packets carry transport-wide numbers towards a receiver: voices only beside video."""

from __future__ import annotations

import asyncio

from sfu.clock import monotonic
from sfu.control import messages as m
from sfu.forwarding.batch import PLAIN_TAIL, Batch
from sfu.forwarding.fanout import forward
from sfu.rtp.extensions import parse_extensions
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import ExtensionUri
from sfu.subscribe_transport import NUMBER_INTERVAL, SubscribeTransport
from tests.sfu.client_sdp import answer
from tests.sfu.forwarding.world import Receiver
from tests.sfu.node_world import CAMERA_SPEC, MIC_SPEC, World, world

__all__ = ["world"]

NUMBER = SUBSCRIBE_EXTENSIONS[ExtensionUri.TWCC]
VOICE, PICTURE = "voice", "picture"
CONSUMERS = {
    VOICE: m.ConsumerSpec(consumer_id=VOICE, producer_id="pr_mic"),
    PICTURE: m.ConsumerSpec(consumer_id=PICTURE, producer_id="pr_cam"),
}


class Listener:
    """A receiver of a voice, and perhaps of a picture, whose packets arrive here instead of on a network."""

    def __init__(self, world: World) -> None:
        self.world = world
        transport = world.link.node.transports["ts"]
        assert isinstance(transport, SubscribeTransport)
        self.transport = transport
        self.receiver = Receiver()
        self.receiver.stand_in(transport)
        transport.handle_connected(monotonic())
        self._sequence = 0

    async def numbered(self, consumer_id: str) -> bool:
        """Whether the next packet for a consumer carries a number."""
        await asyncio.sleep(0)  # the turn of the loop in which changes take effect
        leg = self.transport.consumers[consumer_id].leg
        encoding = self.transport.consumers[consumer_id].producer.encodings[0]
        if not leg.epochs:
            leg.open_epoch(encoding.whole, 0, 0)
        packet = (self._sequence, 0, 0, 1, PLAIN_TAIL, b"sound")
        self._sequence += 1
        self.receiver.datagrams.clear()  # reports
        forward(Batch([packet]), [leg], monotonic())
        (got,) = self.receiver.receive()
        return NUMBER in dict(parse_extensions(0xBEDE, got.extension))

    async def answer(self, offer: m.OfferReady) -> None:
        await self.world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer(offer.sdp)))


async def listening(world: World, *watched: str) -> Listener:
    await world.publish(MIC_SPEC, CAMERA_SPEC)
    offer = await world.subscribe(*(CONSUMERS[one] for one in (VOICE, *watched)))
    await world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer(offer.sdp)))
    return Listener(world)


async def test_of_voices_alone_no_arrivals_are_asked_for(world: World) -> None:
    listener = await listening(world)
    assert not await listener.numbered(VOICE)
    assert not listener.transport.egress.sent


async def test_for_voices_alone_nothing_is_probed(world: World) -> None:
    listener = await listening(world)
    transport = listener.transport
    assert not await listener.numbered(VOICE)
    transport.bandwidth._rate.rate = 1.0  # less than any voice takes
    for turn in range(50):
        transport.tick(monotonic() + 0.1 * turn)
    assert transport.downlink.wanted > transport.bandwidth.estimate
    assert transport.bandwidth.prober.clusters == 0


async def test_beside_video_voices_are_numbered_at_once_and_without_it_no_more(world: World) -> None:
    listener = await listening(world)
    assert not await listener.numbered(VOICE)
    await world.do(m.Consume(transport_id="ts", consumers=(CONSUMERS[PICTURE],)))
    await listener.answer(await world.event(m.OfferReady))
    assert await listener.numbered(PICTURE)
    assert await listener.numbered(VOICE)
    await world.do(m.PauseConsumer(consumer_id=PICTURE))
    assert not await listener.numbered(VOICE)
    await world.do(m.ResumeConsumer(consumer_id=PICTURE))
    assert await listener.numbered(VOICE)
    await world.do(m.CloseConsumers(consumer_ids=(PICTURE,)))
    assert not await listener.numbered(VOICE)


async def test_cameras_that_are_off_are_no_video(world: World) -> None:
    listener = await listening(world, PICTURE)
    assert await listener.numbered(VOICE)
    await world.do(m.PauseProducer(producer_id="pr_cam"))
    listener.transport.tick(monotonic() + 2 * NUMBER_INTERVAL)
    assert not await listener.numbered(VOICE)
    await world.do(m.ResumeProducer(producer_id="pr_cam"))
    assert await listener.numbered(VOICE), "at once"
