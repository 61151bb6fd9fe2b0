"""What is asked for again, when, and when hope is given up."""

from sfu.forwarding.nack import (
    MAX_AGE,
    MAX_ATTEMPTS,
    MAX_MISSING,
    MAX_WAITING,
    REORDER_TOLERANCE,
    NackGenerator,
)


def test_a_gap_is_asked_for_once_reordering_is_ruled_out() -> None:
    nack = NackGenerator()
    nack.handle_gap(10, 13, 0.0)
    assert nack.poll(REORDER_TOLERANCE / 2, 0.1) == []
    assert nack.poll(REORDER_TOLERANCE, 0.1) == [10, 11, 12]


def test_a_late_packet_is_not_asked_for() -> None:
    nack = NackGenerator()
    nack.handle_gap(10, 12, 0.0)
    assert nack.handle_arrival(10)
    assert not nack.handle_arrival(99)
    assert nack.poll(0.05, 0.1) == [11]


def test_it_is_asked_for_again_after_a_round_trip() -> None:
    nack = NackGenerator()
    nack.handle_gap(10, 11, 0.0)
    assert nack.poll(0.02, 0.1) == [10]
    assert nack.poll(0.1, 0.1) == []
    assert nack.poll(0.125, 0.1) == [10]


def test_after_the_last_attempt_a_key_frame_is_wanted() -> None:
    nack = NackGenerator()
    nack.handle_gap(10, 11, 0.0)
    now = 0.0
    asked = 0
    while not nack.overflowed:
        now += 0.1
        asked += len(nack.poll(now, 0.05))
        assert now < 2 * MAX_AGE
    assert asked == MAX_ATTEMPTS
    assert len(nack) == 0
    assert nack.given_up == 1


def test_a_gap_beyond_repair_is_not_collected() -> None:
    nack = NackGenerator()
    nack.handle_gap(0, MAX_MISSING + 1, 0.0)
    assert nack.overflowed
    assert len(nack) == 0


def test_what_the_node_dropped_itself_is_asked_for_when_it_has_caught_up_if_it_is_little() -> None:
    nack = NackGenerator()
    nack.handle_gap(10, 10 + MAX_WAITING, 0.0)
    nack.wait()
    assert not nack.overflowed
    assert len(nack.poll(0.2, 0.1)) == MAX_WAITING
    nack.handle_gap(200, 201, 0.2)
    nack.wait()
    assert nack.overflowed, "a key frame takes their place"
    assert nack.poll(0.4, 0.1) == []
    assert nack.given_up == MAX_WAITING + 1
