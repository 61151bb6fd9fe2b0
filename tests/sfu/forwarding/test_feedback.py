"""What a publisher is told of the arrival of its packets."""

from sfu.forwarding.feedback import INTERVAL, ArrivalRecorder
from sfu.rtp.rtcp import TransportFeedback, parse_rtcp


def reported(packets: list[bytes]) -> dict[int, int | None]:
    statuses: dict[int, int | None] = {}
    for data in packets:
        (feedback,) = parse_rtcp(data)
        assert isinstance(feedback, TransportFeedback)
        statuses.update(feedback.arrivals())
    return statuses


def test_nothing_is_sent_before_the_interval_is_over_or_without_arrivals() -> None:
    recorder = ArrivalRecorder()
    assert recorder.poll(0.0, 1, 2) == []
    recorder.record(5, 0.0)
    assert recorder.poll(0.0, 1, 2) != []
    recorder.record(6, 0.01)
    assert recorder.poll(INTERVAL / 2, 1, 2) == []
    assert recorder.poll(INTERVAL, 1, 2) != []


def test_a_loss_between_two_reports_is_reported() -> None:
    recorder = ArrivalRecorder()
    recorder.record(10, 1.0)
    recorder.poll(1.0, 1, 2)
    recorder.record(13, 1.1)
    statuses = reported(recorder.poll(1.2, 1, 2))
    assert set(statuses) == {11, 12, 13}
    assert statuses[11] is None and statuses[12] is None and statuses[13] is not None


def test_numbers_wrap_and_disorder_is_put_right() -> None:
    recorder = ArrivalRecorder()
    for sequence, at in ((65534, 1.0), (0, 1.02), (65535, 1.03), (0, 1.5)):
        recorder.record(sequence, at)
    statuses = reported(recorder.poll(2.0, 1, 2))
    assert sorted(statuses) == [0, 65534, 65535]
    first, second = statuses[65534], statuses[0]
    assert first is not None and second is not None
    assert second - first == 20_000, "the first of two arrivals counts"


def test_packets_in_order_are_told_the_same_as_in_disorder() -> None:
    arrivals = [((65_530 + number) & 0xFFFF, 1.0 + number / 97) for number in range(20)]
    recorders = ArrivalRecorder(), ArrivalRecorder()
    for recorder, told in zip(recorders, (arrivals, [*arrivals[:3], *reversed(arrivals[3:])]), strict=True):
        recorder.record(65_529, 0.99)
        recorder.poll(0.99, 1, 2)
        for sequence, at in told:
            recorder.record(sequence, at)
    in_order, in_disorder = (recorder.poll(2.0, 1, 2) for recorder in recorders)
    assert in_order == in_disorder
    assert len(reported(in_order)) == 20


def test_feedback_packets_are_numbered() -> None:
    recorder = ArrivalRecorder()
    counts = []
    for turn in range(3):
        recorder.record(turn, float(turn))
        for data in recorder.poll(float(turn), 1, 2):
            (feedback,) = parse_rtcp(data)
            assert isinstance(feedback, TransportFeedback)
            counts.append(feedback.feedback_count)
    assert counts == [0, 1, 2]
