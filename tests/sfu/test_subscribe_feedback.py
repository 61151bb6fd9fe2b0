"""What a receiver reports, at its transport."""

from __future__ import annotations

import pytest

from sfu.bandwidth.pacer import AT_ONCE
from sfu.control import messages as m
from sfu.errors import RtcpError
from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import aim
from sfu.rtp.rtcp import Nack, Pli, ReceiverReport, Remb, ReportBlock, build_transport_feedback
from sfu.subscribe_feedback import SECOND_AFTER
from sfu.subscribe_transport import SubscribeTransport
from tests.sfu.client_sdp import answer
from tests.sfu.forwarding.world import Receiver, feed, vp8
from tests.sfu.node_world import CAMERA_SPEC, World, world

__all__ = ["world"]

SENT = 40
NOW = 1000.0


class Watching:
    """A receiver of a camera, whose packets arrive here instead of on a network."""

    def __init__(self, transport: SubscribeTransport) -> None:
        self.transport = transport
        self.receiver = Receiver()
        self.receiver.stand_in(transport)
        consumer = transport.consumers["cs"]
        self.encoding = consumer.producer.encodings[0]
        leg = self.leg
        leg.prepare(payload_type=leg.payload_type, rtx_payload_type=leg.rtx_payload_type)
        aim(leg, self.encoding)

    @property
    def leg(self) -> Leg:
        return self.transport.consumers["cs"].leg

    def send(self, count: int) -> list[int]:
        """A key frame of so many packets, one a turn; their numbers as they arrived."""
        for number in range(count):
            feed(self.encoding, (number, 0, vp8(key=number == 0, start=number == 0)), now=NOW)
        return [packet.sequence for packet in self.receiver.receive()]

    @property
    def repaired(self) -> int:
        """Packets that were sent again because they were asked for."""
        return self.leg.retransmitted


async def watching(world: World) -> Watching:
    await world.publish(CAMERA_SPEC)
    offer = await world.subscribe(m.ConsumerSpec(consumer_id="cs", producer_id="pr_cam"))
    await world.do(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer(offer.sdp)))
    transport = world.link.node.transports["ts"]
    assert isinstance(transport, SubscribeTransport)
    return Watching(transport)


async def test_what_had_to_wait_is_sent_again_on_the_ticks_without_being_asked_for_twice(
    world: World,
) -> None:
    seen = await watching(world)
    lost = seen.send(SENT)
    assert len(lost) == SENT
    seen.transport._feedback.handle(Nack(1, seen.leg.ssrc, tuple(lost)).to_bytes(), NOW)
    assert seen.repaired == AT_ONCE
    assert seen.transport.busy, "it wants its turn sooner than others"
    for turn in range(1, 19):  # what waits longer is forgotten
        seen.transport.tick(NOW + 0.02 * turn)
    assert seen.repaired > AT_ONCE


@pytest.mark.parametrize(("loss", "crowded", "copies"), [(0.1, False, 5), (0.0, False, 0), (0.1, True, 0)])
async def test_what_is_sent_again_goes_twice_on_a_path_that_loses_much_and_has_room(
    world: World, *, loss: float, crowded: bool, copies: int
) -> None:
    seen = await watching(world)
    lost = seen.send(SENT)
    bandwidth = seen.transport.bandwidth
    bandwidth._loss.ratio = loss
    bandwidth._trend.queue = 1.0 if crowded else 0.0
    feedback = seen.transport._feedback
    feedback.handle(Nack(1, seen.leg.ssrc, tuple(lost[:5])).to_bytes(), NOW)
    assert len(seen.receiver.receive()) == 5
    assert feedback.repairing is (loss > 0)
    feedback.repair(NOW + SECOND_AFTER)
    assert len(seen.receiver.receive()) == copies
    assert seen.repaired == 5, "a copy is no repair of its own"
    assert not feedback.repairing


async def test_the_estimate_of_a_receiver_bounds_ours_whatever_its_reports_say(world: World) -> None:
    seen = await watching(world)
    bandwidth, ssrc = seen.transport.bandwidth, seen.leg.ssrc
    bandwidth.expects_feedback = False
    before = bandwidth.estimate
    lossless = ReceiverReport(1, (ReportBlock(ssrc, 0, 0, 0, 0, 0, 0),)).to_bytes()
    for number, bitrate in enumerate((200_000, 120_000, 180_000)):
        assert bitrate < before
        seen.transport._feedback.handle(lossless + Remb(1, bitrate, (ssrc,)).to_bytes(), NOW + number)
        assert bandwidth.estimate == bitrate
    seen.transport._feedback.handle(Remb(1, 5_000_000, (ssrc,)).to_bytes(), NOW + 3)
    assert bandwidth.poll(NOW + 3, 2_000_000) == 0
    assert bandwidth.estimate == pytest.approx(2_600_000), "at once as far as is wanted, and a little more"


async def test_one_late_report_does_not_make_repairs_wait(world: World) -> None:
    seen = await watching(world)
    consumer = seen.transport.consumers["cs"]
    for seconds in (0.04, 0.5, 0.3):
        consumer.note_report(7, NOW)
        consumer.handle_report(ReportBlock(seen.leg.ssrc, 0, 0, 0, 0, 7, 0), NOW + seconds)
    assert seen.leg.rtt == pytest.approx(0.04)
    assert consumer.rtt == pytest.approx(0.3)


async def test_a_request_for_a_stream_of_somebody_else_changes_nothing(world: World) -> None:
    seen = await watching(world)
    lost = seen.send(SENT)
    feedback = seen.transport._feedback
    feedback.handle(Nack(1, 12345, tuple(lost)).to_bytes() + Pli(1, 12345).to_bytes(), NOW)
    assert not feedback.repairing
    assert not seen.repaired
    assert not seen.encoding.keyframes.wanted
    with pytest.raises(RtcpError):
        feedback.handle(b"\x81\xcd\x00\x03", NOW)


@pytest.mark.parametrize("read", [True, False])
async def test_a_receiver_is_only_silent_if_it_was_not_our_socket_in_which_its_feedback_waited(
    world: World, read: bool
) -> None:
    transport = (await watching(world)).transport
    bandwidth = transport.bandwidth
    bandwidth.expects_feedback = True
    departures = [(number, NOW + number / 10, [1100]) for number in range(40)]
    bandwidth.ledger.sent.append(departures[0])
    (message,) = build_transport_feedback(1, 2, 0, [(0, 1_000_000)])
    bandwidth.handle_feedback(message, NOW + 0.05)
    bandwidth.ledger.sent.extend(departures[1:])
    before = bandwidth.estimate
    if not read:
        transport.association.handle_late(1, NOW + 3.8)
    bandwidth.poll(NOW + 4, 1_000_000)
    assert (bandwidth.estimate < before) is read
