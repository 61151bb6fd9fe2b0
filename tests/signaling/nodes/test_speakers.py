from __future__ import annotations

from signaling.nodes.speakers import merge
from signaling.services.live.ports import SpeakersChanged

SILENT = SpeakersChanged((), None)


def test_one_nodes_word_is_the_word() -> None:
    report = SpeakersChanged((("a", 20), ("b", 30)), "a")
    assert merge([report]) == report
    assert merge([]) == SILENT


def test_a_voice_counts_once_at_its_loudest_and_the_loudest_comes_first() -> None:
    here = SpeakersChanged((("a", 20), ("b", 40)), "a")
    there = SpeakersChanged((("b", 10), ("c", 30)), "b")
    assert merge([here, there]).speakers == (("b", 10), ("a", 20), ("c", 30))


def test_the_main_nodes_dominant_speaker_is_the_sessions_while_it_speaks() -> None:
    here = SpeakersChanged((("a", 40),), "a")
    there = SpeakersChanged((("b", 10),), "b")
    assert merge([here, there]).dominant == "a"
    fallen_silent = SpeakersChanged((), "a")
    assert merge([fallen_silent, there]).dominant == "b", "somebody speaks elsewhere"
    assert merge([fallen_silent, SpeakersChanged((), "b")]).dominant == "a", "the picture stays"
