"""Who counts as speaking, and when the dominant speaker changes."""

from sfu.speakers import QUIET_AFTER, SpeakerDetector


def talk(detector: SpeakerDetector, levels: dict[str, int], start: float, seconds: float) -> float:
    """Feed 50 packets a second for each voice, polling ten times a second."""
    steps = round(seconds * 50)
    for step in range(steps):
        now = start + step * 0.02
        for producer_id, level in levels.items():
            detector.handle_level(producer_id, level, now)
        if step % 5 == 0:
            detector.poll(now)
    return start + seconds


def test_the_first_to_speak_is_dominant_and_silence_changes_nothing() -> None:
    detector = SpeakerDetector()
    now = talk(detector, {"a": 20, "b": 127}, 0.0, 1.0)
    speaking, dominant = detector.poll(now)
    assert [producer for producer, _ in speaking] == ["a"]
    assert dominant == "a"
    speaking, dominant = detector.poll(now + QUIET_AFTER + 0.1)
    assert speaking == ()
    assert dominant == "a"


def test_a_cough_does_not_take_over() -> None:
    detector = SpeakerDetector()
    now = talk(detector, {"a": 30, "b": 127}, 0.0, 1.0)
    now = talk(detector, {"a": 30, "b": 5}, now, 0.2)
    now = talk(detector, {"a": 30, "b": 127}, now, 0.5)
    assert detector.poll(now)[1] == "a"


def test_a_clearly_louder_voice_takes_over_after_half_a_second() -> None:
    detector = SpeakerDetector()
    now = talk(detector, {"a": 40, "b": 127}, 0.0, 1.0)
    now = talk(detector, {"a": 40, "b": 15}, now, 1.0)
    assert detector.poll(now)[1] == "b"


def test_a_speaker_whose_producer_ended_is_dominant_no_more() -> None:
    detector = SpeakerDetector()
    now = talk(detector, {"a": 20}, 0.0, 0.5)
    detector.remove("a")
    assert detector.poll(now) == ((), None)


def test_the_loudest_comes_first() -> None:
    detector = SpeakerDetector()
    now = talk(detector, {"a": 40, "b": 15}, 0.0, 1.0)
    assert [producer for producer, _ in detector.poll(now)[0]] == ["b", "a"]
