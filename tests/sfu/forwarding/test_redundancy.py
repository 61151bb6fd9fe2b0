"""Redundant audio: stripped for one receiver, made for another, and what was lost put back."""

from __future__ import annotations

import os
import struct

from sfu.codecs.red import Earlier, RedPayload, parse_red, to_red
from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.receive import Inlet, Source
from sfu.forwarding.redundancy import MAX_PAYLOAD, recover, with_redundancy
from sfu.forwarding.selector import detach
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpProfile
from tests.sfu.forwarding.world import Receiver, aim, encoding, feed

OPUS, RED = 111, 63
THEIR_OPUS, THEIR_RED = 109, 35
FRAME = 960
PROFILE = SrtpProfile.AEAD_AES_128_GCM


def voice(number: int) -> bytes:
    return bytes((0x78,)) + number.to_bytes(2, "big") * 4


def plain_leg(receiver: Receiver) -> Leg:
    leg = receiver.leg(first_index=100)
    leg.prepare(payload_type=OPUS, rtx_payload_type=0)
    return leg


def redundant_leg(receiver: Receiver) -> Leg:
    leg = receiver.leg(first_index=100)
    leg.redundant = True
    leg.prepare(payload_type=RED, rtx_payload_type=0)
    return leg


def speak(source: Encoding, *numbers: int) -> None:
    for number in numbers:
        feed(source, (number, number * FRAME, voice(number)), now=number * 0.02)


class Speaker:
    """Seals redundant audio as a browser does, each packet with the payload before it."""

    def __init__(self) -> None:
        key, salt = os.urandom(PROFILE.key_length), os.urandom(PROFILE.salt_length)
        self.outbound = OutboundSrtp(PROFILE, key, salt)
        self.encoding = encoding("audio/opus")
        self.inlet = Inlet(lambda *_: None)
        self.inlet.inbound = InboundSrtp(PROFILE, key, salt)
        self.inlet.sources[9] = Source(
            self.encoding,
            payload_type=THEIR_OPUS,
            red_payload_type=THEIR_RED,
            repair=False,
            twcc_id=0,
            audio_level_id=0,
            forwarded_ids={},
            on_level=None,
        )
        self.now = 0.0

    def send(self, *numbers: int, payload: bytes | None = None) -> None:
        for number in numbers:
            red = payload or to_red(voice(number), [Earlier(FRAME, voice(number - 1))], THEIR_OPUS)
            header = struct.pack("!BBHII", 0x80, THEIR_RED, number, number * FRAME, 9)
            self.now += 0.02
            self.inlet.handle_rtp([self.outbound.seal_rtp(header, red, number)], self.now)


def test_one_publisher_s_voice_goes_out_plain_and_redundant() -> None:
    source, plain, redundant = encoding("audio/opus"), Receiver(), Receiver()
    aim(plain_leg(plain), source)
    aim(redundant_leg(redundant), source)
    speak(source, 10, 11, 12)
    assert [(p.payload_type, p.payload) for p in plain.receive()] == [(OPUS, voice(n)) for n in (10, 11, 12)]
    got = redundant.receive()
    assert [p.payload_type for p in got] == [RED] * 3
    assert [p.sequence for p in got] == [100, 101, 102]
    assert [p.timestamp for p in got] == [n * FRAME for n in (10, 11, 12)]
    assert parse_red(got[0].payload, OPUS) == (voice(10), ())
    assert parse_red(got[2].payload, OPUS) == (
        voice(12),
        (Earlier(2 * FRAME, voice(10)), Earlier(FRAME, voice(11))),
    )


def test_each_receiver_is_told_what_is_in_a_packet_by_its_own_number() -> None:
    source, browser, player = encoding("audio/opus"), Receiver(), Receiver()
    theirs = redundant_leg(player)
    theirs.block_type = THEIR_OPUS
    aim(redundant_leg(browser), source)
    aim(theirs, source)
    speak(source, 10, 11, 13, 12, 14)  # one comes late
    for receiver, payload_type in ((browser, OPUS), (player, THEIR_OPUS)):
        got = {packet.sequence: parse_red(packet.payload, payload_type) for packet in receiver.receive()}
        assert [got[sequence].primary for sequence in range(100, 105)] == [voice(n) for n in range(10, 15)]
        assert all(got[sequence].earlier for sequence in range(101, 105))


def test_a_receiver_changes_from_plain_to_redundant_without_a_gap() -> None:
    source, receiver = encoding("audio/opus"), Receiver()
    leg = plain_leg(receiver)
    aim(leg, source)
    speak(source, 10, 11)
    detach(leg)
    leg.redundant = True
    leg.prepare(payload_type=RED, rtx_payload_type=0)
    aim(leg, source)
    speak(source, 12, 13)
    got = receiver.receive()
    assert [(p.sequence, p.payload_type) for p in got] == [(100, OPUS), (101, OPUS), (102, RED), (103, RED)]
    assert [p.timestamp for p in got] == [n * FRAME for n in (10, 11, 12, 13)]
    assert not source.legs


def test_redundant_audio_is_stripped_for_who_does_not_know_it() -> None:
    speaker, receiver = Speaker(), Receiver()
    aim(plain_leg(receiver), speaker.encoding)
    speaker.send(20, 21)
    assert [(p.payload_type, p.payload) for p in receiver.receive()] == [(OPUS, voice(20)), (OPUS, voice(21))]


def test_a_packet_lost_on_the_way_up_is_taken_from_the_next_one() -> None:
    speaker, plain, redundant = Speaker(), Receiver(), Receiver()
    aim(plain_leg(plain), speaker.encoding)
    aim(redundant_leg(redundant), speaker.encoding)
    speaker.send(20, 21, 23)
    assert [(p.sequence, p.timestamp, p.payload) for p in plain.receive()] == [
        (100 + n - 20, n * FRAME, voice(n)) for n in (20, 21, 22, 23)
    ]
    assert len(redundant.receive()) == 4
    assert speaker.encoding.recovered == 1
    assert speaker.encoding.stream.lost == 1, "the publisher is told what its network loses"


def test_what_was_recovered_is_not_forwarded_again_when_it_comes_late() -> None:
    speaker, receiver = Speaker(), Receiver()
    aim(plain_leg(receiver), speaker.encoding)
    speaker.send(20, 22, 21)
    assert [p.sequence for p in receiver.receive()] == [100, 101, 102]
    assert speaker.encoding.stream.duplicates == 1


def test_a_longer_gap_is_filled_as_far_as_the_packet_reaches() -> None:
    speaker, receiver = Speaker(), Receiver()
    aim(plain_leg(receiver), speaker.encoding)
    speaker.send(20, 25)
    assert [p.sequence for p in receiver.receive()] == [100, 104, 105]
    assert speaker.encoding.stream.lost == 4


def test_redundancy_from_before_what_came_is_not_believed() -> None:
    """A publisher that left out silence repeats what was sent long before, which is no lost packet."""
    source = encoding("audio/opus")
    speak(source, 10)
    recover(source, 12, 12 * FRAME, RedPayload(voice(12), (Earlier(2 * FRAME, voice(10)),)))
    assert source.recovered == 0
    recover(source, 12, 12 * FRAME, RedPayload(voice(12), (Earlier(FRAME, voice(11)),)))
    assert source.recovered == 1


def test_a_redundant_payload_that_cannot_be_read_is_counted_and_dropped() -> None:
    speaker, receiver = Speaker(), Receiver()
    aim(plain_leg(receiver), speaker.encoding)
    speaker.send(20)
    speaker.send(21, payload=b"\xff\xff\xff\xff")
    speaker.send(22, payload=bytes((THEIR_OPUS - 1,)) + voice(22))
    assert len(receiver.receive()) == 1
    assert speaker.inlet.malformed == 2


def test_silence_and_what_would_not_fit_are_not_repeated() -> None:
    source = encoding("audio/opus")
    feed(source, (10, 10 * FRAME, b"\x78"), (11, 11 * FRAME, bytes(700)), (12, 12 * FRAME, bytes(700)))
    packets = [source.history.get(0x10000 | n) for n in (11, 12)]
    assert all(packets)
    first, second = with_redundancy([one for one in packets if one], source.history, OPUS)
    assert parse_red(first[5], OPUS).earlier == ()
    assert parse_red(second[5], OPUS).earlier == ()
    assert len(second[5]) <= MAX_PAYLOAD


def test_after_a_long_silence_nothing_old_is_repeated() -> None:
    source = encoding("audio/opus")
    feed(source, (10, 0, voice(10)), (11, 48_000, voice(11)))
    packet = source.history.get(0x10000 | 11)
    assert packet is not None
    ((_, _, _, _, tail, payload),) = with_redundancy([packet], source.history, OPUS)
    assert parse_red(payload, OPUS) == (voice(11), ())
    assert tail is PLAIN_TAIL
