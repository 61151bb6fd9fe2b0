"""A publisher's datagrams become packets of granted encodings, and nothing else becomes anything."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.forwarding.encoding import Encoding
from sfu.forwarding.receive import Inlet, Source
from sfu.forwarding.selector import aim
from sfu.rtp.extensions import build_extensions
from sfu.rtp.rtcp import TransportFeedback, parse_rtcp
from sfu.webrtc.plain import PlainInbound
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpProfile
from tests.sfu.forwarding.world import Receiver, encoding, vp8

MID, RID, REPAIRED_RID, TWCC, LEVEL = 4, 10, 11, 3, 1
VIDEO_PT, RTX_PT = 96, 97
SSRC, RTX_SSRC = 5000, 5001
PROFILE = SrtpProfile.AEAD_AES_128_GCM


class Publisher:
    """Seals packets as a client does, towards an `Inlet` that knows one video encoding with rid "q"."""

    def __init__(self) -> None:
        key, salt = os.urandom(PROFILE.key_length), os.urandom(PROFILE.salt_length)
        self.outbound = OutboundSrtp(PROFILE, key, salt)
        self.encoding: Encoding = encoding("video/VP8")
        self.levels: list[int] = []
        self.inlet = Inlet(self._identify)
        self.inlet.inbound = InboundSrtp(PROFILE, key, salt)
        self.inlet.mid_id, self.inlet.rid_id, self.inlet.repaired_rid_id = MID, RID, REPAIRED_RID
        self.inlet.twcc_id = TWCC
        self.receiver = Receiver()
        aim(self.receiver.leg(), self.encoding)

    def _identify(
        self, ssrc: int, payload_type: int, mid: str | None, rid: str | None, repaired: str | None
    ) -> Source | None:
        if mid != "1" or "q" not in (rid, repaired):
            return None
        return Source(
            self.encoding,
            payload_type=payload_type,
            repair=repaired == "q",
            twcc_id=TWCC,
            audio_level_id=LEVEL,
            forwarded_ids={LEVEL: 3},
            on_level=lambda level, now: self.levels.append(level),
        )

    def packet(
        self,
        sequence: int,
        payload: bytes,
        *,
        ssrc: int = SSRC,
        payload_type: int = VIDEO_PT,
        elements: tuple[tuple[int, bytes], ...] = ((MID, b"1"), (RID, b"q")),
        padding: int | None = None,
    ) -> bytes:
        first = 0x80
        extension = b""
        if elements:
            first |= 0x10
            extension = build_extensions(list(elements))
        if padding is not None:
            first |= 0x20
            payload += bytes(max(0, padding - 1)) + bytes((padding,))
        header = struct.pack("!BBHII", first, payload_type, sequence, 1234, ssrc) + extension
        return self.outbound.seal_rtp(header, payload, sequence)

    def handle(self, *packets: bytes, now: float = 1.0) -> list[bytes]:
        self.inlet.handle_rtp(list(packets), now)
        return [packet.payload for packet in self.receiver.receive()]


def test_a_voice_is_told_from_a_picture_before_it_is_opened() -> None:
    publisher = Publisher()
    seen = publisher.packet(1, vp8(key=True))
    assert not publisher.inlet.is_voice(seen), "nobody knows yet what it is"
    publisher.handle(seen)
    assert not publisher.inlet.is_voice(seen)
    publisher.encoding = encoding("audio/opus")
    spoken = publisher.packet(1, b"voice", ssrc=SSRC + 2)
    publisher.handle(spoken)
    assert publisher.inlet.is_voice(spoken)
    assert not publisher.inlet.is_voice(spoken[:9]), "cut off"


def test_an_unknown_ssrc_is_identified_by_mid_and_rid_and_then_known() -> None:
    world = Publisher()
    key = vp8(key=True)
    assert world.handle(world.packet(1, key)) == [key]
    assert world.handle(world.packet(2, vp8(), elements=())) == [vp8()]


def test_an_ssrc_without_a_granted_producer_is_dropped_and_counted() -> None:
    world = Publisher()
    assert world.handle(world.packet(1, vp8(key=True), ssrc=9, elements=((MID, b"2"), (RID, b"q")))) == []
    assert world.handle(world.packet(1, vp8(key=True), ssrc=10, elements=())) == []
    assert world.inlet.unidentified == 2
    assert world.inlet.sources == {}


def test_another_payload_type_than_the_negotiated_one_is_dropped() -> None:
    world = Publisher()
    world.handle(world.packet(1, vp8(key=True)))
    assert world.handle(world.packet(2, vp8(), payload_type=120)) == []
    assert world.inlet.wrong_payload == 1


def test_padding_is_taken_off_and_impossible_padding_refused() -> None:
    world = Publisher()
    world.handle(world.packet(1, vp8(key=True)))
    assert world.handle(world.packet(2, vp8(), padding=8)) == [vp8()]
    assert world.handle(world.packet(3, b"", padding=255)) == [b""]
    broken = world.packet(4, b"\x10\x11\xff", elements=(), padding=None)
    assert world.handle(broken) != []
    world.handle(world.packet(5, b"", padding=0))
    assert world.inlet.malformed == 1


def test_an_empty_packet_takes_its_number_in_the_clear_as_well() -> None:
    world = Publisher()
    world.handle(world.packet(1, vp8(key=True)))
    world.inlet.inbound = PlainInbound()
    bare = struct.pack("!BBHII", 0x80, VIDEO_PT, 2, 1234, SSRC)
    assert world.handle(bare) == [b""]
    cut_off = struct.pack("!BBHII", 0x81, VIDEO_PT, 3, 1234, SSRC)
    assert world.handle(cut_off) == []
    assert world.inlet.malformed == 1


def test_a_retransmission_heals_its_gap() -> None:
    world = Publisher()
    world.handle(world.packet(1, vp8(key=True)), world.packet(3, vp8(start=False, size=3)))
    nack = world.encoding.stream.nack
    assert nack is not None
    assert [n & 0xFFFF for n in nack.poll(2.0, 0.1)] == [2]
    again = world.packet(
        900,
        (2).to_bytes(2, "big") + vp8(start=False, size=2),
        ssrc=RTX_SSRC,
        payload_type=RTX_PT,
        elements=((MID, b"1"), (REPAIRED_RID, b"q")),
    )
    assert world.handle(again) == [vp8(start=False, size=2)]
    assert len(nack) == 0
    probe = world.packet(901, b"", ssrc=RTX_SSRC, payload_type=RTX_PT, elements=(), padding=200)
    assert world.handle(probe) == []


def test_arrivals_are_reported_back_with_their_transport_wide_numbers() -> None:
    world = Publisher()
    for number in (7, 8, 10):
        world.handle(
            world.packet(
                number,
                vp8(key=True),
                elements=((MID, b"1"), (RID, b"q"), (TWCC, number.to_bytes(2, "big"))),
            ),
            now=number / 100,
        )
    (data,) = world.inlet.arrivals.poll(1.0, 1, SSRC)
    (feedback,) = parse_rtcp(data)
    assert isinstance(feedback, TransportFeedback)
    arrived = {sequence: at for sequence, at in feedback.arrivals() if at is not None}
    assert sorted(arrived) == [7, 8, 10]
    assert arrived[10] - arrived[8] == 20_000
    assert world.inlet.arrivals.poll(1.05, 1, SSRC) == []


@pytest.mark.parametrize("more", [(), ((LEVEL, b"\x85"),)], ids=["alone", "beside others"])
def test_what_is_reported_is_when_packets_came_and_not_when_they_were_read(
    more: tuple[tuple[int, bytes], ...],
) -> None:
    world = Publisher()
    packets = [
        world.packet(number, vp8(key=True), elements=((TWCC, number.to_bytes(2, "big")), *more))
        for number in range(1, 5)
    ]
    world.handle(world.packet(0, vp8(key=True), elements=((MID, b"1"), (RID, b"q"))), now=0.5)
    world.inlet.handle_rtp(packets, 1.0, [0.9, 0.95, 0.96])
    (data,) = world.inlet.arrivals.poll(1.0, 1, SSRC)
    (feedback,) = parse_rtcp(data)
    assert isinstance(feedback, TransportFeedback)
    first, *later = [at for _, at in feedback.arrivals() if at is not None]
    assert [at - first for at in later] == [50_000, 60_000, 100_000]


def test_forwarded_extensions_reach_receivers_under_our_ids() -> None:
    world = Publisher()
    world.inlet.handle_rtp(
        [
            world.packet(
                1,
                vp8(key=True),
                elements=((MID, b"1"), (RID, b"q"), (LEVEL, b"\x85")),
            )
        ],
        1.0,
    )
    (packet,) = world.receiver.receive()
    assert bytes((0x30, 0x85)) in packet.extension
    assert world.levels == [5]


def test_forged_and_replayed_packets_leave_nothing() -> None:
    world = Publisher()
    good = world.packet(1, vp8(key=True))
    forged = good[:-1] + bytes((good[-1] ^ 1,))
    assert world.handle(forged) == []
    assert world.inlet.sources == {}
    assert world.handle(good) == [vp8(key=True)]
    assert world.handle(good) == []


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_no_datagram_raises(datagrams: list[bytes]) -> None:
    world = Publisher()
    assert world.handle(*datagrams) == []


@given(st.binary(max_size=60), st.integers(0, 15), st.booleans(), st.booleans())
def test_no_authentic_packet_raises(rest: bytes, csrcs: int, extension: bool, padding: bool) -> None:
    """A participant with keys may be hostile too: header fields that do not fit are dropped, not raised."""
    world = Publisher()
    world.handle(world.packet(1, vp8(key=True)))
    first = 0x80 | csrcs | (0x10 if extension else 0) | (0x20 if padding else 0)
    header = struct.pack("!BBHII", first, VIDEO_PT, 2, 0, SSRC)
    size = 12 + 4 * csrcs
    body = rest
    if extension:
        size += 4 + 4 * (int.from_bytes((header + rest)[size + 2 : size + 4], "big"))
    plain = header + body
    if size <= len(plain):
        sealed = world.outbound.seal_rtp(plain[:size], plain[size:], 2)
        world.handle(sealed)
    world.handle(plain)
