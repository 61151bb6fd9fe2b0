"""From one encoding to its legs: key frames, seams between encodings, repairs, pauses."""

from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.retransmit import retransmit
from sfu.forwarding.selector import LayerSwitch, aim, choose, detach, layer_switch
from tests.sfu.forwarding.world import Receiver, encoding, feed, vp8


def test_a_new_receiver_starts_with_a_key_frame() -> None:
    source, receiver = encoding(), Receiver()
    leg = receiver.leg()
    aim(leg, source)
    assert source.keyframes.wanted
    assert layer_switch(leg) is LayerSwitch.WAITING
    feed(source, (10, 0, vp8()), (11, 3000, vp8()))
    assert receiver.receive() == []
    feed(source, (12, 6000, vp8()), (13, 9000, vp8(key=True)), (14, 9000, vp8(start=False)))
    assert [p.payload for p in receiver.receive()] == [vp8(key=True), vp8(start=False)]
    assert layer_switch(leg) is LayerSwitch.IDLE
    assert not source.keyframes.wanted


def test_a_key_frame_answers_a_receiver_that_lost_the_picture_while_nobody_waits() -> None:
    source, receiver = encoding(), Receiver()
    aim(receiver.leg(), source)
    feed(source, (10, 0, vp8(key=True)), (11, 3000, vp8()))
    feed(source, (12, 6000, vp8(key=True)))
    source.request_keyframe()
    source.measure(0.1)
    assert source.asks_keyframe, "that one was there before"
    feed(source, (13, 9000, vp8(key=True)))
    source.measure(0.2)
    assert not source.asks_keyframe


def test_audio_starts_at_once() -> None:
    source, receiver = encoding("audio/opus"), Receiver()
    aim(receiver.leg(), source)
    assert source.wanted
    assert not source.pending_requests, "there is no key frame to ask a silent publisher for"
    feed(source, (10, 0, b"opus"))
    assert [p.payload for p in receiver.receive()] == [b"opus"]


def test_at_a_switch_nothing_is_mixed_and_every_counter_goes_on() -> None:
    low, high, receiver = encoding(spatial=0, ssrc=7), encoding(spatial=1, ssrc=8), Receiver()
    leg = receiver.leg(first_index=100)
    aim(leg, low)
    feed(low, (10, 1000, vp8(key=True, picture=50, tl0=9)), now=1.0)
    feed(low, (11, 4000, vp8(picture=51, tl0=10)), now=1.033)
    aim(leg, high)
    feed(high, (900, 777_000, vp8(picture=7000, tl0=200)), now=1.05)
    feed(low, (12, 7000, vp8(picture=52, tl0=11)), now=1.066)
    feed(high, (901, 780_000, vp8(key=True, picture=7001, tl0=201)), now=1.1)
    feed(low, (13, 10000, vp8(picture=53, tl0=12)), now=1.1)
    feed(high, (902, 783_000, vp8(picture=7002, tl0=202)), now=1.133)
    got = receiver.receive()
    assert [p.sequence for p in got] == [100, 101, 102, 103, 104]
    pictures = [int.from_bytes(p.payload[2:4], "big") & 0x7FFF for p in got]
    assert pictures == [50, 51, 52, 53, 54]
    assert [p.payload[4] for p in got] == [9, 10, 11, 12, 13]
    stamps = [p.timestamp for p in got]
    assert stamps == sorted(stamps)
    # Without sender reports the seam is as long as the pause between the two packets here.
    assert stamps[3] - stamps[2] == round((1.1 - 1.066) * 90000)
    assert stamps[4] - stamps[3] == 3000


def test_sender_reports_of_both_encodings_make_the_seam_exact() -> None:
    low, high, receiver = encoding(spatial=0, ssrc=7), encoding(spatial=1, ssrc=8), Receiver()
    leg = receiver.leg()
    aim(leg, low)
    second = 1 << 32
    low.stream.handle_sender_report(100 * second, 5000, 1.0)
    high.stream.handle_sender_report(101 * second, 900_000, 2.0)
    feed(low, (10, 5000 + 90000, vp8(key=True)), now=2.0)
    aim(leg, high)
    # The same instant as timestamp 95000 of the low encoding, plus 40 ms.
    feed(high, (500, 900_000 + 3600, vp8(key=True)), now=2.5)
    first, second_packet = receiver.receive()
    assert second_packet.timestamp - first.timestamp == 3600


def test_a_packet_repaired_in_time_is_forwarded_in_its_place() -> None:
    source, receiver = encoding(), Receiver()
    aim(receiver.leg(first_index=1), source)
    feed(source, (10, 0, vp8(key=True)), (12, 0, vp8(start=False, size=3)))
    feed(source, (11, 0, vp8(start=False, size=2)))
    assert [p.sequence for p in receiver.receive()] == [1, 3, 2]


def test_the_same_packet_by_rtx_and_by_itself_is_sealed_once() -> None:
    source, receiver = encoding(), Receiver()
    aim(receiver.leg(), source)
    feed(source, (10, 0, vp8(key=True)), (11, 0, vp8(start=False)))
    feed(source, (11, 0, vp8(start=False)), (10, 0, vp8(key=True)))
    assert len(receiver.receive()) == 2
    assert source.stream.duplicates == 2


def test_a_packet_from_before_the_seam_does_not_cross_it() -> None:
    source, receiver = encoding(), Receiver()
    aim(receiver.leg(), source)
    feed(source, (10, 0, vp8()), (12, 0, vp8(key=True)))
    receiver.receive()
    feed(source, (11, 0, vp8(start=False)))
    assert receiver.receive() == []


def test_lost_packets_are_sent_again_by_rtx_with_their_own_numbers() -> None:
    source, receiver = encoding(), Receiver()
    leg = receiver.leg(first_index=40)
    aim(leg, source)
    feed(source, (10, 500, vp8(key=True)), (11, 500, vp8(start=False, size=9)))
    receiver.receive()
    assert retransmit(leg, [41], 1.0) == 1
    (again,) = receiver.receive()
    assert (again.payload_type, again.ssrc, again.timestamp) == (97, 1001, 500)
    assert again.payload == (41).to_bytes(2, "big") + vp8(start=False, size=9)
    assert retransmit(leg, [41], 1.01) == 0, "at most once per round trip"
    assert retransmit(leg, [41], 1.2) == 1
    assert retransmit(leg, [42, 7], 2.0) == 0, "never sent, or long forgotten"


def test_after_a_switch_the_old_packets_can_still_be_repaired() -> None:
    low, high, receiver = encoding(ssrc=7), encoding(spatial=1, ssrc=8), Receiver()
    leg = receiver.leg(first_index=1)
    aim(leg, low)
    feed(low, (10, 0, vp8(key=True, picture=5, size=4)), (11, 0, vp8(start=False, picture=5, size=5)))
    aim(leg, high)
    feed(high, (70, 9, vp8(key=True, picture=90, size=6)), (71, 9, vp8(start=False, picture=90, size=7)))
    original = {p.sequence: p.payload for p in receiver.receive()}
    assert retransmit(leg, [1, 2, 3, 4], 1.0) == 4
    for packet in receiver.receive():
        assert packet.payload[2:] == original[int.from_bytes(packet.payload[:2], "big")]


def test_what_was_lost_before_a_key_frame_on_a_full_path_is_not_sent_again() -> None:
    low, high, receiver = encoding(ssrc=7), encoding(spatial=1, ssrc=8), Receiver()
    leg = receiver.leg(first_index=1)
    aim(leg, high)
    feed(high, (10, 0, vp8(key=True)), (11, 0, vp8(start=False)))
    aim(leg, low)
    feed(low, (70, 9, vp8(key=True)), (71, 9, vp8(start=False)))
    leg.repairable_from = leg.entered_at
    assert retransmit(leg, [1, 2, 3, 4], 1.0) == 2
    again = [int.from_bytes(packet.payload[:2], "big") for packet in receiver.receive()]
    assert again[-2:] == [3, 4], "of what is shown now, everything"


def test_a_restarted_stream_cannot_be_mistaken_for_the_old_one() -> None:
    source, receiver = encoding(), Receiver()
    leg = receiver.leg(first_index=1)
    aim(leg, source)
    feed(source, (10, 0, vp8(key=True, size=1)))
    source.restart(99)
    feed(source, (10, 0, vp8(size=2)), (11, 0, vp8(key=True, size=3)))
    assert [(p.sequence, p.payload) for p in receiver.receive()] == [
        (1, vp8(key=True, size=1)),
        (2, vp8(key=True, picture=1, tl0=1, size=3)),
    ]
    assert retransmit(leg, [1], 1.0) == 1
    (again,) = receiver.receive()
    assert again.payload[2:] == vp8(key=True, size=1)


def test_a_receiver_that_could_not_take_its_packets_goes_on_at_a_key_frame() -> None:
    source, receiver = encoding(), Receiver()
    leg = receiver.leg()
    aim(leg, source)
    feed(source, (10, 0, vp8(key=True)))
    receiver.full = True
    feed(source, (11, 0, vp8()))
    receiver.full = False
    feed(source, (12, 0, vp8()))
    assert source.keyframes.wanted
    feed(source, (13, 0, vp8(key=True)))
    sequences = [p.sequence for p in receiver.receive()]
    assert sequences == [1, 3], "the index of the lost packet is not used again"


def test_a_paused_encoding_lets_nothing_out() -> None:
    source, receiver = encoding(), Receiver()
    aim(receiver.leg(), source)
    feed(source, (10, 0, vp8(key=True)))
    receiver.receive()
    source.paused = True
    feed(source, (12, 0, vp8(key=True)))
    feed(source, (11, 0, vp8(key=True)))
    assert receiver.receive() == []


def test_a_detached_leg_gets_nothing_and_goes_on_without_a_gap() -> None:
    source, receiver = encoding("audio/opus"), Receiver()
    leg = receiver.leg(first_index=5)
    aim(leg, source)
    feed(source, (10, 0, b"a"))
    detach(leg)
    feed(source, (11, 960, b"b"))
    aim(leg, source)
    feed(source, (12, 1920, b"c"))
    assert [(p.sequence, p.timestamp, p.payload) for p in receiver.receive()] == [
        (5, 0, b"a"),
        (6, 1920, b"c"),
    ]


def test_the_choice_is_the_best_live_encoding_within_the_preference() -> None:
    low, middle, high = (encoding(spatial=s, ssrc=s + 1) for s in range(3))
    encodings = [low, middle, high]
    assert choose(encodings, None, 0.0) is None
    for each in (low, high):
        each.take(1, 0, 0, 1, PLAIN_TAIL, vp8(), 10.0)
    assert choose(encodings, None, 10.1) is high
    assert choose(encodings, 1, 10.1) is low
    assert choose(encodings, 0, 10.1) is low
    low.take(2, 0, 0, 1, PLAIN_TAIL, vp8(), 20.0)
    assert choose(encodings, None, 20.1) is low
    assert choose([high], 0, 99.0) is high, "an only encoding is always the choice"
