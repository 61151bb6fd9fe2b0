"""Counting received packets without a network: sealed here, opened there."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest

from sfu.bots.association import AssociationOptions, ClientAssociation
from sfu.bots.stamp import to_stamp
from sfu.bots.subscribe import SubscribeTransport
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp
from sfu.webrtc.srtp_profile import SrtpProfile
from tests.sfu.bots.test_description import SERVER_OFFER

KEY, SALT = bytes(range(16)), bytes(range(12))
MEDIA_SSRC, RTX_SSRC = 5, 6
ARRIVED_NS = 1_700_000_000_000_000_000


class Receiver:
    """A subscribe transport with keys but without a socket, and the server's side of its SRTP."""

    def __init__(self, *, sample: int = 1) -> None:
        association = ClientAssociation(AssociationOptions(Certificate.generate(datetime.now(UTC))))
        association.inbound = InboundSrtp(SrtpProfile.AEAD_AES_128_GCM, KEY, SALT)
        self.transport = SubscribeTransport(association, own_ssrc=99, sample=sample)
        self.transport.answer(SERVER_OFFER)
        self._server = OutboundSrtp(SrtpProfile.AEAD_AES_128_GCM, KEY, SALT)

    def packet(
        self, sequence: int, payload: bytes, *, ssrc: int = MEDIA_SSRC, kind: int = 96, padded: bool = False
    ) -> bytes:
        first = 0xA0 if padded else 0x80
        header = struct.pack("!BBHII", first, kind, sequence & 0xFFFF, 0, ssrc)
        return self._server.seal_rtp(header, payload, sequence)

    def seal(self, header: bytes, payload: bytes, sequence: int) -> bytes:
        return self._server.seal_rtp(header, payload, sequence)

    def stamped(self, sequence: int, counter: int) -> bytes:
        return self.packet(sequence, bytes(40) + to_stamp(7, counter, 1))

    def receive(self, *packets: bytes) -> None:
        for packet in packets:
            self.transport.association.on_media(packet, len(packet), ARRIVED_NS)


def test_a_train_of_packets_is_counted_packet_by_packet() -> None:
    receiver = Receiver()
    train = [receiver.stamped(number, number) for number in range(10)]
    receiver.transport.association.on_media(b"".join(train), len(train[0]), ARRIVED_NS)
    (stream,) = receiver.transport.streams_of(7)
    assert (stream.tally.packets, stream.tally.opened, stream.kind, stream.mid) == (10, 10, "video", None)


def test_the_last_packet_of_a_train_may_be_shorter() -> None:
    receiver = Receiver()
    train = [receiver.stamped(1, 1), receiver.stamped(2, 2), receiver.packet(3, to_stamp(7, 3, 1))]
    receiver.transport.association.on_media(b"".join(train), len(train[0]), ARRIVED_NS)
    assert receiver.transport.streams_of(7)[0].tally.packets == 3


def test_of_a_sample_every_packet_is_counted_and_some_are_opened() -> None:
    receiver = Receiver(sample=17)
    receiver.receive(*(receiver.stamped(number, number) for number in range(1, 171)))
    tally = receiver.transport.streams_of(7)[0].tally
    assert tally.packets == 170
    assert tally.opened == 11, "the first, and one in 17"


def test_a_retransmission_repairs_the_stream_it_belongs_to() -> None:
    receiver = Receiver()
    receiver.receive(receiver.stamped(1, 1), receiver.stamped(3, 3))
    repair = struct.pack("!H", 2) + bytes(40) + to_stamp(7, 2, 1)
    receiver.receive(receiver.packet(100, repair, ssrc=RTX_SSRC, kind=97))
    tally = receiver.transport.streams[MEDIA_SSRC].tally
    assert (tally.packets, tally.repaired, len(tally.missing)) == (3, 1, 0)
    assert receiver.transport.repairs_received == 1


def test_padding_alone_is_no_media() -> None:
    receiver = Receiver()
    receiver.receive(receiver.stamped(1, 1), receiver.packet(2, bytes(9) + b"\x0a", padded=True))
    tally = receiver.transport.streams[MEDIA_SSRC].tally
    assert (tally.packets, tally.padding) == (2, 1)
    receiver.receive(receiver.packet(1, bytes(9) + b"\x0a", ssrc=RTX_SSRC, kind=97, padded=True))
    assert receiver.transport.padding_received == 1


@pytest.mark.parametrize("spoil", [lambda p: p[:-1] + bytes((p[-1] ^ 1,)), lambda p: p[:13]])
def test_what_does_not_authenticate_starts_no_stream(spoil: object) -> None:
    receiver = Receiver()
    assert callable(spoil)
    receiver.receive(spoil(receiver.stamped(1, 1)))
    assert not receiver.transport.streams
    assert receiver.transport.unauthentic == 1


def test_cut_off_headers_are_survived() -> None:
    receiver = Receiver()
    packet = receiver.stamped(1, 1)
    for length in range(1, 20):
        receiver.receive(bytes((packet[0] | 0x1F,)) + packet[1:length])
    assert not receiver.transport.streams


def with_feedback(receiver: Receiver, sequence: int, counter: int, *, ssrc: int = MEDIA_SSRC) -> bytes:
    """A packet with a transport-wide sequence number, as a server sends them."""
    element = bytes((3 << 4 | 1,)) + struct.pack("!H", counter & 0xFFFF) + b"\0"
    header = struct.pack("!BBHIIHH", 0x90, 96, sequence & 0xFFFF, 0, ssrc, 0xBEDE, 1) + element
    return receiver.seal(header, bytes(40) + to_stamp(ssrc, counter, 1), sequence)


def receive_train(receiver: Receiver, *packets: bytes) -> None:
    receiver.transport.association.on_media(b"".join(packets), len(packets[0]), ARRIVED_NS)


@pytest.mark.parametrize("sample", [1, 17])
def test_a_run_is_counted_as_a_whole_and_over_the_wrap(sample: int) -> None:
    receiver = Receiver(sample=sample)
    for start in range(0xFFE0, 0x10020, 16):
        receive_train(
            receiver, *(with_feedback(receiver, number, number) for number in range(start, start + 16))
        )
    tally = receiver.transport.streams[MEDIA_SSRC].tally
    assert (tally.packets, len(tally.missing), tally.restarts, tally.rejected) == (64, 0, 0, 0)
    assert len(receiver.transport.arrivals) == 64
    assert tally.opened == 64 if sample == 1 else 4 <= tally.opened <= 6


@pytest.mark.parametrize(
    ("numbers", "packets", "missing", "reordered"),
    [
        ((5, 6, 7, 8), 4, 0, 0),
        ((5, 6, 8, 9), 4, 1, 0),
        ((6, 7, 8, 9), 4, 1, 0),
        ((5, 7, 6, 8), 4, 0, 1),
        ((5, 5, 6, 7), 3, 0, 0),
    ],
)
def test_a_train_that_is_no_run_is_counted_packet_by_packet(
    numbers: tuple[int, ...], packets: int, missing: int, reordered: int
) -> None:
    receiver = Receiver()
    receive_train(receiver, *(with_feedback(receiver, number, number) for number in (1, 2, 3, 4)))
    receiver.transport.streams[MEDIA_SSRC].tally.begin_window()
    receive_train(receiver, *(with_feedback(receiver, number, number) for number in numbers))
    tally = receiver.transport.streams[MEDIA_SSRC].tally
    assert (tally.packets, len(tally.missing), tally.reordered) == (packets, missing, reordered)


def test_streams_mixed_in_one_train_are_told_apart() -> None:
    receiver = Receiver()
    for start in (1, 3):
        receive_train(
            receiver,
            *(
                with_feedback(receiver, number, number, ssrc=ssrc)
                for number in (start, start + 1)
                for ssrc in (MEDIA_SSRC, 77)
            ),
        )
    counts = {ssrc: stream.tally.packets for ssrc, stream in receiver.transport.streams.items()}
    assert counts == {MEDIA_SSRC: 4, 77: 4}
