"""What a layer leaves out leaves no trace: neither in the numbers nor in what can be sent again."""

from __future__ import annotations

import itertools

from sfu.codecs import vp8
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.retransmit import retransmit
from sfu.forwarding.selector import aim, aim_at
from sfu.layers import Layer
from tests.sfu.forwarding.world import Received, Receiver, encoding, feed

PATTERN = (0, 2, 1, 2)
"""Temporal layers of the pictures of a group; the first of each higher one is a sync frame."""


def picture(number: int, *, key: bool = False) -> list[tuple[int, int, bytes]]:
    """(sequence, timestamp, payload) of the two packets of a VP8 picture of a stream with three layers."""
    temporal = 0 if key else PATTERN[number % 4]
    sync = number % 4 in (1, 2)
    tl0 = number // 4 & 0xFF
    descriptor = bytes((0xE0, 0x80 | number >> 8, number & 0xFF, tl0, temporal << 6 | sync << 5))
    first = b"\x90" + descriptor + (b"\x10" if key else b"\x11") + bytes((number & 0xFF,)) * 20
    second = b"\x80" + descriptor + bytes((number & 0xFF,)) * 9
    return [(2 * number, 3000 * number, first), (2 * number + 1, 3000 * number, second)]


def stream(first: int, end: int) -> list[tuple[int, int, bytes]]:
    return [one for number in range(first, end) for one in picture(number, key=number == 0)]


def send_stream(source: Encoding, first: int, end: int) -> None:
    for number in range(first, end):
        feed(source, *picture(number, key=number == 0), now=number / 30)


def at_layer(temporal: int) -> tuple[Encoding, Receiver, Leg]:
    """A leg that has come down to a temporal layer after the first eight pictures."""
    source, receiver = encoding(), Receiver()
    leg = receiver.leg(first_index=1)
    aim(leg, source)
    send_stream(source, 0, 8)
    aim_at(leg, source.cut(Layer(0, temporal)))
    return source, receiver, leg


def temporal_of(one: Received) -> int:
    temporal = vp8.parse_descriptor(one.payload).temporal
    assert temporal is not None
    return temporal


def assert_continuous(packets: list[Received]) -> None:
    sequences = [one.sequence for one in packets]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    pictures = []
    for one in packets:
        number = vp8.parse_descriptor(one.payload).picture_id
        if not pictures or pictures[-1] != number:
            pictures.append(number)
    assert pictures == list(range(pictures[0], pictures[0] + len(pictures)))
    tl0 = [one.payload[4] for one in packets]
    assert all(later - earlier in (0, 1) for earlier, later in itertools.pairwise(tl0))


def test_higher_temporal_layers_leave_no_gap_in_sequence_or_pictures() -> None:
    source, receiver, _ = at_layer(1)
    send_stream(source, 8, 24)
    got = receiver.receive()
    assert {temporal_of(one) for one in got[:16]} == {0, 1, 2}
    assert {temporal_of(one) for one in got[16:]} == {0, 1}
    assert len(got) == 16 + 16
    assert_continuous(got)


def test_nobody_goes_down_behind_a_picture_whose_end_is_missing() -> None:
    source, receiver = encoding(), Receiver()
    leg = receiver.leg(first_index=1)
    aim(leg, source)
    send_stream(source, 0, 8)
    begin, end = picture(8)
    feed(source, begin)
    aim_at(leg, source.cut(Layer(0, 0)))
    feed(source, *picture(9))
    assert leg.cut is source.whole
    feed(source, end)
    feed(source, *picture(10))
    assert leg.cut is not source.whole
    got = receiver.receive()
    assert sorted(one.sequence for one in got) == list(range(1, 21)), "two packets of each picture"


def test_going_down_needs_no_key_frame_and_happens_at_a_picture() -> None:
    source, receiver, leg = at_layer(0)
    source.keyframes.handle_keyframe()
    first, second = picture(8)
    feed(source, first)
    assert leg.target is None
    feed(source, second)
    send_stream(source, 9, 12)
    got = receiver.receive()
    assert [temporal_of(one) for one in got[16:]] == [0, 0]
    assert not source.keyframes.wanted


def test_going_up_waits_for_the_sync_frames_of_each_layer_on_the_way() -> None:
    source, receiver, leg = at_layer(0)
    send_stream(source, 8, 12)
    receiver.receive()
    aim_at(leg, source.whole)
    send_stream(source, 12, 13)
    assert leg.cut is source.cut(Layer(0, 0)), "a frame of the base layer is no way up"
    send_stream(source, 13, 20)
    assert leg.cut is source.whole
    got = receiver.receive()
    # 13 is a sync frame of layer 2, but layer 1 was not there yet; 14 is one of layer 1; 17 of layer 2.
    assert [one.payload[7] for one in got[::2]] == [12, 14, 16, 17, 18, 19]
    assert_continuous(got)


def test_a_base_picture_counts_on_after_the_way_down_and_up_again() -> None:
    source, receiver, leg = at_layer(1)
    send_stream(source, 8, 16)
    aim_at(leg, source.whole)
    send_stream(source, 16, 24)
    aim_at(leg, source.cut(Layer(0, 0)))
    send_stream(source, 24, 32)
    assert_continuous(receiver.receive())


def test_all_receivers_at_a_layer_share_one_cut() -> None:
    source, receiver = encoding(), Receiver()
    legs = [receiver.leg(1000 + 10 * n) for n in range(3)]
    for leg in legs:
        aim(leg, source)
    send_stream(source, 0, 8)
    for leg in legs:
        aim_at(leg, source.cut(Layer(0, 0)))
    send_stream(source, 8, 12)
    assert len({id(leg.cut) for leg in legs}) == 1
    assert len(source.cuts) == 1
    receiver.receive()
    send_stream(source, 12, 16)
    got = receiver.receive()
    assert len({one.payload for one in got}) == 2, "two packets of one picture, for all three"


def test_a_repaired_packet_of_the_layer_fits_in_its_place() -> None:
    source, receiver, _ = at_layer(0)
    send_stream(source, 8, 12)
    lost, rest = picture(12)
    feed(source, rest)
    send_stream(source, 13, 17)
    before = receiver.receive()
    assert before[-1].sequence - before[-3].sequence == 2, "what is missing kept its number free"
    feed(source, lost)
    (late,) = receiver.receive()
    numbers = sorted([one.sequence for one in before] + [late.sequence])
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert (
        vp8.parse_descriptor(late.payload).picture_id == vp8.parse_descriptor(before[-3].payload).picture_id
    )


def test_a_repaired_packet_of_another_layer_is_replaced_by_an_empty_one() -> None:
    source, receiver, leg = at_layer(0)
    send_stream(source, 8, 9)
    lost, rest = picture(9)
    feed(source, rest)
    send_stream(source, 10, 13)
    before = receiver.receive()
    feed(source, lost)
    (filler,) = receiver.receive()
    assert filler.payload == b""
    numbers = sorted([one.sequence for one in before] + [filler.sequence])
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert retransmit(leg, [filler.sequence], 9.0) == 1, "and so it is when it is lost on the way"


def test_what_was_sent_of_a_cut_is_sent_again_as_it_was() -> None:
    source, receiver, leg = at_layer(1)
    send_stream(source, 8, 16)
    original = {one.sequence: one.payload for one in receiver.receive()}
    assert retransmit(leg, list(original), 1.0) == len(original)
    for again in receiver.receive():
        assert again.payload[2:] == original[int.from_bytes(again.payload[:2], "big")]


def test_a_cut_without_receivers_is_given_up_and_packets_of_it_can_still_be_repaired() -> None:
    source, receiver, leg = at_layer(0)
    send_stream(source, 8, 12)
    last = receiver.receive()[-1]
    aim_at(leg, source.whole)
    send_stream(source, 12, 24)
    source.measure(100.0)
    assert source.cuts == []
    receiver.receive()
    assert retransmit(leg, [last.sequence], 101.0) == 1
    assert receiver.receive()[0].payload[2:] == last.payload


def test_what_each_layer_takes_is_measured_with_all_it_depends_on() -> None:
    source = encoding()
    source.measure(9.0)
    send_stream(source, 0, 16)
    source.measure(10.0)
    rates = {rate.layer: rate.bitrate for rate in source.rates}
    assert list(rates) == [Layer(0, 0), Layer(0, 1), Layer(0, 2)]
    octets = [
        sum(len(one[2]) for number in range(16) if PATTERN[number % 4] <= t for one in picture(number))
        for t in range(3)
    ]
    assert list(rates.values()) == [8 * one for one in octets]


def test_nobody_waits_forever_for_a_sync_frame_that_does_not_come() -> None:
    source, _, leg = at_layer(0)
    send_stream(source, 8, 12)
    source.keyframes.handle_keyframe()
    aim_at(leg, source.whole)
    source.measure(100.0)
    assert not source.keyframes.wanted, "sync frames come several times a second"
    source.measure(102.0)
    assert source.keyframes.wanted


def test_a_receiver_that_lost_packets_waits_for_a_key_frame_of_its_layer() -> None:
    source, receiver, leg = at_layer(0)
    send_stream(source, 8, 12)
    cut = leg.cut
    receiver.full = True
    send_stream(source, 12, 13)
    receiver.full = False
    assert leg.target is cut and source.keyframes.wanted
    receiver.receive()
    send_stream(source, 13, 20)
    assert receiver.receive() == []
    feed(source, *picture(20, key=True))
    assert len(receiver.receive()) == 2
    assert leg.cut is cut


def test_packets_that_overtake_each_other_within_a_turn_are_put_in_order() -> None:
    source, receiver, _ = at_layer(0)
    send_stream(source, 8, 12)
    receiver.receive()
    first, second = picture(12)
    feed(source, second, first)
    send_stream(source, 13, 17)
    got = receiver.receive()
    assert len(got) == 4
    assert_continuous(got)


def test_a_publisher_whose_numbers_jump_is_entered_anew_at_a_key_frame() -> None:
    source, receiver, leg = at_layer(0)
    send_stream(source, 8, 12)
    last = receiver.receive()[-1].sequence
    send_stream(source, 5000, 5004)
    assert receiver.receive() == []
    assert leg.target is not None and source.keyframes.wanted
    feed(source, *picture(5004, key=True))
    assert [one.sequence for one in receiver.receive()] == [last + 1, last + 2]
