"""A receiver that comes right after a key frame gets it out of the history, and goes on with the others."""

from __future__ import annotations

from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.retransmit import retransmit
from sfu.forwarding.rewind import MAX_AGE, MAX_PACKETS, rewind
from sfu.forwarding.selector import LayerSwitch, aim, detach, layer_switch
from tests.sfu.forwarding.world import Received, Receiver, encoding, feed, vp8


def shown(source: Encoding) -> tuple[Receiver, Leg]:
    """Somebody who receives it since its first key frame."""
    receiver = Receiver()
    leg = receiver.leg(first_index=100)
    aim(leg, source)
    return receiver, leg


def payloads(packets: list[Received]) -> list[bytes]:
    return [packet.payload for packet in packets]


GROUP = (
    (12, 6000, vp8(key=True, picture=7)),
    (13, 6000, vp8(start=False, picture=7, size=30)),
    (14, 9000, vp8(picture=8, size=9)),
)


def test_a_newcomer_gets_the_last_key_frame_and_all_since_and_goes_on_with_the_others() -> None:
    source, newcomer = encoding(), Receiver()
    older, _ = shown(source)
    feed(source, (10, 0, vp8(key=True)), (11, 3000, vp8()), *GROUP)
    older.receive()
    leg = newcomer.leg(first_index=1)
    assert rewind(leg, source.whole, 0.0)
    assert layer_switch(leg) is LayerSwitch.IDLE
    feed(source, (15, 12000, vp8(picture=9)))
    got = newcomer.receive()
    assert payloads(got) == [payload for _, _, payload in GROUP] + [vp8(picture=9)]
    assert [p.sequence for p in got] == [1, 2, 3, 4]
    assert [p.timestamp for p in got] == [6000, 6000, 9000, 12000]
    assert payloads(older.receive()) == [vp8(picture=9)], "the others get nothing twice"
    assert not source.asks_keyframe


def test_what_was_sent_so_can_be_sent_again() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    feed(source, *GROUP)
    leg = newcomer.leg(first_index=40)
    assert rewind(leg, source.whole, 0.0)
    newcomer.receive()
    assert retransmit(leg, [41], 1.0) == 1
    assert newcomer.receive()[0].payload == (41).to_bytes(2, "big") + GROUP[1][2]


def test_packets_of_this_turn_follow_once() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    feed(source, *GROUP)
    source.take(15, 0, 12000, 1, b"\0", vp8(picture=9), 0.0)
    assert rewind(newcomer.leg(), source.whole, 0.0)
    source.flush(0.0)
    assert [p.timestamp for p in newcomer.receive()] == [6000, 6000, 9000, 12000]


def test_a_group_with_a_gap_is_not_begun_with() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    feed(source, GROUP[0], GROUP[2])
    assert not rewind(newcomer.leg(), source.whole, 0.0)
    feed(source, GROUP[1])
    assert rewind(newcomer.leg(), source.whole, 0.0), "once the gap is repaired it is whole"
    assert payloads(newcomer.receive()) == [payload for _, _, payload in GROUP]


def test_nothing_is_sent_of_a_key_frame_that_is_too_old_or_too_far_back() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    late = round((MAX_AGE + 0.1) * 90_000)
    feed(source, (10, 0, vp8(key=True)), (11, late, vp8()))
    assert not rewind(newcomer.leg(), source.whole, 0.0)
    feed(source, (12, late, vp8(key=True)), *((13 + n, late, vp8(start=False)) for n in range(MAX_PACKETS)))
    assert not rewind(newcomer.leg(), source.whole, 0.0)
    assert newcomer.receive() == []


def test_without_a_key_frame_or_after_another_stream_took_over_there_is_nothing_to_begin_with() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    feed(source, (10, 0, vp8()), (11, 3000, vp8()))
    assert not rewind(newcomer.leg(), source.whole, 0.0)
    feed(source, (12, 6000, vp8(key=True)))
    source.restart(99)
    feed(source, (12, 0, vp8()))
    assert not rewind(newcomer.leg(), source.whole, 0.0)


def test_who_has_seen_something_of_it_waits_for_the_next_key_frame() -> None:
    source = encoding()
    receiver, leg = shown(source)
    feed(source, *GROUP)
    detach(leg)
    receiver.receive()
    assert not rewind(leg, source.whole, 0.0), "these pictures would come a second time"


def test_a_paused_encoding_is_sent_to_nobody() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    feed(source, *GROUP)
    source.paused = True
    assert not rewind(newcomer.leg(), source.whole, 0.0)


def test_a_newcomer_who_cannot_take_it_goes_on_at_a_key_frame() -> None:
    source, newcomer = encoding(), Receiver()
    shown(source)
    feed(source, *GROUP)
    newcomer.full = True
    leg = newcomer.leg()
    assert rewind(leg, source.whole, 0.0)
    assert layer_switch(leg) is LayerSwitch.WAITING
    assert source.asks_keyframe
