"""Padding: packets sent lately go again on the retransmission stream, or empty ones where there are none."""

from __future__ import annotations

import pytest

from sfu.forwarding.retransmit import PADDING, pad, retransmit
from sfu.forwarding.selector import aim
from sfu.webrtc.srtp import SrtpProfile
from tests.sfu.forwarding.world import Receiver, encoding, feed, vp8


@pytest.mark.parametrize("profile", list(SrtpProfile))
def test_packets_sent_lately_go_again_under_numbers_of_their_own(profile: SrtpProfile) -> None:
    receiver = Receiver(profile)
    leg = receiver.leg()
    source = encoding()
    aim(leg, source)
    feed(source, *[(n, 3000 * n, vp8(key=n == 1, size=500)) for n in range(1, 5)])
    media = receiver.receive()
    before = receiver.egress.transport_sequence
    sent = pad(leg, 1500, 0.1)
    got = receiver.receive()
    assert sent == len(got) == leg.padding == receiver.egress.transport_sequence - before
    assert sum(len(packet.payload) for packet in got) > 1400
    assert {(packet.ssrc, packet.payload_type) for packet in got} == {(1001, 97)}
    assert [packet.sequence for packet in got] == [leg.first_index + n for n in range(sent)]
    originals = {packet.sequence: packet.payload for packet in media}
    for packet in got:
        assert originals[int.from_bytes(packet.payload[:2], "big")] == packet.payload[2:]


def test_without_history_it_is_nothing_but_padding() -> None:
    receiver = Receiver()
    leg = receiver.leg()
    assert pad(leg, 1000, 0.1) == 4
    assert all(data[0] & 0x20 for data in receiver.datagrams), "the padding bit is set"
    got = receiver.receive()
    assert [packet.payload for packet in got] == [PADDING] * 4
    assert PADDING[-1] == len(PADDING), "all of it is padding"
    assert [packet.sequence for packet in got] == [leg.first_index + n for n in range(4)]


def test_without_retransmission_there_is_no_padding() -> None:
    receiver = Receiver()
    leg = receiver.leg()
    leg.prepare(payload_type=96, rtx_payload_type=0)
    assert pad(leg, 1000, 0.1) == 0
    assert receiver.receive() == []


@pytest.mark.parametrize("twcc", [True, False])
def test_the_ledger_has_every_packet_with_a_transport_wide_number_and_its_size(twcc: bool) -> None:
    receiver = Receiver(twcc=twcc)
    leg = receiver.leg()
    source = encoding()
    aim(leg, source)
    feed(source, (1, 3000, vp8(key=True)), (2, 3000, vp8(start=False, size=900)), now=1.0)
    feed(source, (3, 6000, vp8(size=40)), now=2.0)
    retransmit(leg, [leg.highest_index & 0xFFFF], 3.0)
    pad(leg, 300, 4.0)
    sizes = [len(data) for data in receiver.datagrams]
    if not twcc:
        assert not receiver.egress.sent
        return
    departures = list(receiver.egress.sent)
    assert [at for _, at, _ in departures][:3] == [1.0, 2.0, 3.0]
    numbered = [(first + n, size) for first, _, sizes in departures for n, size in enumerate(sizes)]
    overhead = leg.overhead
    assert [(number, size + overhead) for number, size in numbered] == list(enumerate(sizes))
