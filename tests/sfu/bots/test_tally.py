"""Counting a received stream."""

from __future__ import annotations

from sfu.bots.tally import StreamTally


def tally_of(*sequences: int) -> StreamTally:
    tally = StreamTally(1)
    for sequence in sequences:
        tally.handle_sequence(sequence)
    return tally


def test_packets_in_order_are_counted_once_each() -> None:
    tally = tally_of(*range(100, 200))
    assert (tally.packets, tally.reordered, tally.duplicates, len(tally.missing)) == (100, 0, 0, 0)


def test_order_survives_the_wrap_of_the_sequence_number() -> None:
    tally = tally_of(65534, 65535, 0, 1)
    assert tally.packets == 4
    assert not tally.missing


def test_a_late_packet_fills_its_gap_and_counts_as_reordered() -> None:
    tally = tally_of(1, 2, 4, 5, 3)
    assert (tally.packets, tally.reordered, len(tally.missing)) == (5, 1, 0)


def test_a_lost_packet_stays_missing() -> None:
    tally = tally_of(1, 2, 4)
    assert tally.packets == 3
    assert {number & 0xFFFF for number in tally.missing} == {3}


def test_a_repetition_is_a_duplicate_and_not_a_packet() -> None:
    tally = tally_of(1, 2, 2, 1)
    assert (tally.packets, tally.duplicates) == (2, 2)


def test_a_repair_counts_only_what_was_missing() -> None:
    tally = tally_of(1, 3)
    assert tally.handle_repair(2)
    assert not tally.handle_repair(2)
    assert (tally.packets, tally.repaired, tally.unneeded, tally.duplicates) == (3, 1, 1, 0)


def test_a_jump_is_taken_for_a_restart_and_loses_nothing() -> None:
    tally = tally_of(1, 2, 30000)
    assert (tally.packets, tally.restarts, len(tally.missing)) == (3, 1, 0)


def test_a_stamp_with_another_offset_shows_a_restart_of_the_numbering() -> None:
    tally = tally_of(1)
    tally.handle_stamp(tally.highest, stream_id=7, counter=50, delay_ns=1)
    extended = tally.handle_sequence(2)
    tally.handle_stamp(extended, stream_id=7, counter=51, delay_ns=1)
    assert tally.restarts == 0
    extended = tally.handle_sequence(3)
    tally.handle_stamp(extended, stream_id=7, counter=90, delay_ns=1)
    assert tally.restarts == 1


def test_a_window_forgets_counts_and_goes_on_with_the_numbering() -> None:
    tally = tally_of(1, 2, 4)
    tally.begin_window()
    tally.handle_sequence(5)
    assert (tally.packets, len(tally.missing), tally.restarts) == (1, 0, 0)


def test_what_the_sender_sent_and_the_server_passed_over_was_withheld() -> None:
    tally = tally_of(1, 2)
    tally.handle_stamp(tally.highest, stream_id=7, counter=50, delay_ns=1)
    tally.handle_stamp(tally.handle_sequence(3), stream_id=7, counter=91, delay_ns=1)
    assert (tally.withheld, len(tally.missing)) == (40, 0)
    tally.handle_stamp(tally.handle_sequence(4), stream_id=8, counter=500, delay_ns=1)
    assert tally.withheld == 40, "another encoding has a counter of its own"
    tally.begin_window()
    assert tally.withheld == 0
