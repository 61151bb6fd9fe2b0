"""Sequence, loss and jitter of one incoming stream (RFC 3550 appendix A)."""

import pytest

from sfu.forwarding.stream import MAX_LATENESS, ReceiveStream


def stream() -> ReceiveStream:
    return ReceiveStream(7, 90000, repair=True)


def test_sequences_are_extended_over_the_wrap() -> None:
    one = stream()
    first = one.accept(65534, 0, 10, 0.0)
    assert [one.accept(s, 0, 10, 0.0) - first for s in (65535, 0, 2, 1)] == [1, 2, 4, 3]
    assert one.expected == 5
    assert one.lost == 0


def test_losses_are_reported_since_the_last_report_and_in_all() -> None:
    one = stream()
    for sequence in (0, 1, 2, 3, 8, 9):
        one.accept(sequence, 0, 10, 0.0)
    report = one.report(1.0)
    assert report.lost == 4
    assert report.fraction_lost == (4 << 8) // 10
    for sequence in range(10, 20):
        one.accept(sequence, 0, 10, 0.0)
    again = one.report(2.0)
    assert again.fraction_lost == 0
    assert again.lost == 4


def test_reports_count_the_cycles_of_the_sequence_from_none() -> None:
    one = stream()
    one.accept(65534, 0, 10, 0.0)
    assert one.report(1.0).highest == 65534
    for sequence in (65535, 0, 1):
        one.accept(sequence, 0, 10, 1.0)
    assert one.report(2.0).highest == 1 << 16 | 1


def test_jitter_follows_the_formula_of_the_rfc() -> None:
    one = stream()
    for number in range(200):
        late = 0.01 if number % 2 else 0.0
        one.accept(number, number * 3000, 10, number / 30 + late)
    assert one.jitter == pytest.approx(900, rel=0.02)


def test_the_last_sender_report_is_echoed_with_its_delay() -> None:
    one = stream()
    one.accept(1, 0, 10, 0.0)
    assert one.report(0.0).lsr == 0
    one.handle_sender_report(0x1122_3344_5566_7788, 900, 1.0)
    report = one.report(1.5)
    assert report.lsr == 0x3344_5566
    assert report.dlsr == 32768


def test_packets_far_behind_are_of_no_use() -> None:
    one = stream()
    one.accept(2000, 0, 10, 0.0)
    assert one.accept(2000 - MAX_LATENESS - 1, 0, 10, 0.0) == -1
    assert one.late == 1
