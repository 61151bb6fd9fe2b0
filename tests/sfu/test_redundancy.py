"""When a receiver gets redundant audio for its losses, and when no more."""

from sfu.redundancy import HOLD, START, STOP, LossGate


def test_a_receiver_that_loses_packets_gets_redundancy_at_once() -> None:
    gate = LossGate()
    gate.handle_report(START - 0.005, 1.0)
    assert not gate.open
    gate.handle_report(START, 6.0)
    assert gate.open


def test_one_good_report_does_not_end_it() -> None:
    gate = LossGate()
    gate.handle_report(0.1, 0.0)
    gate.handle_report(0.0, 5.0)
    assert gate.open
    gate.handle_report(STOP * 1.5, HOLD - 1)
    gate.handle_report(0.0, HOLD + 1)
    assert gate.open, "there was loss meanwhile"
    gate.handle_report(0.0, 2 * HOLD)
    assert not gate.open


def test_loss_between_the_thresholds_neither_begins_nor_ends_it() -> None:
    gate = LossGate()
    for second in range(0, 300, 5):
        gate.handle_report(0.02, float(second))
    assert not gate.open
    gate.handle_report(START, 300.0)
    for second in range(305, 600, 5):
        gate.handle_report(0.02, float(second))
    assert gate.open
